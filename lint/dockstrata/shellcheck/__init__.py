"""ShellCheck on RUN: what it is given, how it is run, what is kept of what it says."""
