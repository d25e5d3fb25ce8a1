FROM debian:12.5
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN echo "$(a | b)"
SHELL ["/bin/bash", "-c"]
RUN if a | b; then c; fi
SHELL ["/bin/sh", "-o", "pipefail", "-c"]
RUN a |& b
