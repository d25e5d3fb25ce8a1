FROM debian:12.5
# kept
CMD ["c"]
