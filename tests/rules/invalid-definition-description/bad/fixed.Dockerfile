# the version

ARG VERSION=1
FROM debian:12.5
