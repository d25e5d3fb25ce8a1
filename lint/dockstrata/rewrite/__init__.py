"""From a plan to files: bases, children, wiring; proved equal, then written atomically."""
