FROM debian:12.5
COPY app.conf /etc/app.conf
