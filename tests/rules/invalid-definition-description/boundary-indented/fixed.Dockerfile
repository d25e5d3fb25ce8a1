# VERSION is the release to build
ARG VERSION=1
  # MODE is fast or small

ARG MODE=fast
FROM debian:12.5
