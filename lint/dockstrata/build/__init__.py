"""Real builds: what is built in which order, by which program, and comparing what came out."""
