FROM debian:12.5 AS one
FROM \
    debian:12.5 AS two
FROM --platform=linux/amd64 debian:12.5 AS three-amd64
