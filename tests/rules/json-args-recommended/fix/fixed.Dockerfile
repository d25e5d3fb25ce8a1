FROM debian:12.5
HEALTHCHECK --interval=5s \
  CMD ["check", "--all"]
ENTRYPOINT exec serve
CMD ["serve", "--port", "80", "--host=0.0.0.0"]

FROM debian:12.5
CMD serve $PORT

FROM debian:12.5
CMD A=1 serve
