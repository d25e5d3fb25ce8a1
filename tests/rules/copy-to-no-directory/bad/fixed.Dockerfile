FROM debian:12.5
COPY a b /etc/app/
