FROM debian:12.5
CMD ["serve", "--port", "80"]
