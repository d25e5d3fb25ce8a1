"""Makes the strategies importable (``from strategies.dockerfiles import files``); hypothesis."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
settings.register_profile(
    "dockstrata", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("dockstrata")
