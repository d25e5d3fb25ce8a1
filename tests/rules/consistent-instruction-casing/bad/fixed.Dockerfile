FROM debian:12.5
WORKDIR /app
RUN make
CMD ["serve"]
