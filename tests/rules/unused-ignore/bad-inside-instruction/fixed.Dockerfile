FROM debian:12.5
RUN true \
  && true
