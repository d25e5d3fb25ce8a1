"""Which Dockerfiles a repository has, and how each is built: discovery, contexts, compose, bake."""
