FROM debian:12.5
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN curl -fsS https://example.com/x | tar x
