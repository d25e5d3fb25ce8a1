"""What a Dockerfile means: stages, scopes, symbolic evaluation, chain digests, configuration."""
