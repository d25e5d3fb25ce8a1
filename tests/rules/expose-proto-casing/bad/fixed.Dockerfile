FROM debian:12.5
EXPOSE 53/udp
