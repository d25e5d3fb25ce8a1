FROM debian:12.5
ENV A="1 B=2"
ENV C=3 D=4
ENV \
  # a comment in between
  E=5
