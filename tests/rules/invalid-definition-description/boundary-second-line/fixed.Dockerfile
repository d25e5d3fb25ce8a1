# some words before
# VERSION is the release
ARG VERSION=1
#VERSIONS is another

ARG VERSION
FROM debian:12.5
