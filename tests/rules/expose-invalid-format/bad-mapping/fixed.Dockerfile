FROM debian:12.5
EXPOSE 80 443/tcp \
  53/udp
