"""Lints Dockerfiles and lifts what a set of them repeats into shared base images."""

import time

__version__ = "0.1.0"
STARTED = time.time()
"""When this process began to load our code, in seconds since the epoch."""
