"""Comments that linters read: such a one is heard where it stands, and nowhere else."""

import re

IGNORES = re.compile(r"\b(?:ignore|disable|check)\s*=")
"""In a comment that silences rules for the instruction below it."""
