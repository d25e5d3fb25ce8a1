FROM debian:12.5
RUN set -eo pipefail; a | b
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN a | b; set -o pipefail
