"""``python -m dockstrata``."""

from __future__ import annotations

import sys

from dockstrata.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
