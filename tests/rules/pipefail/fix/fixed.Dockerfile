FROM debian:12.5

SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# Why.
# hadolint ignore=DL3059
RUN a | b
RUN c | d

FROM alpine:3.20
SHELL ["/bin/ash", "-o", "pipefail", "-c"]
RUN e | f

FROM debian:12.5
SHELL ["/bin/dash", "-c"]
RUN a | b
