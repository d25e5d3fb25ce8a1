FROM debian:12.5
ENTRYPOINT ["serve"]
HEALTHCHECK CMD ["check"]
CMD ['serve']
