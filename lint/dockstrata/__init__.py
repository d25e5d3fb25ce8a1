"""Lints Dockerfiles and lifts what a set of them repeats into shared base images."""

__version__ = "0.1.0"
