FROM debian:12.5
RUN DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
      curl=1
