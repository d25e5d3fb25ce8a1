FROM debian:12.5
EXPOSE 80/tcp 53/udp \
  443/tcp
