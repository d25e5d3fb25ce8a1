# the version

ARG VERSION=1
# what is built

FROM debian:12.5 AS base
