FROM debian:12.5
SHELL ["/bin/bash", "-c"]
