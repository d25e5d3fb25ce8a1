FROM debian:12.5
RUN apt-get update && \
    apt-get install --no-install-recommends -y curl=1 && \
    apt-get -q install --no-install-recommends git=1 && apt-get install --no-install-recommends make=1
