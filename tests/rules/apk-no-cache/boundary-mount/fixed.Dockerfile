FROM alpine:3.20
RUN --mount=type=cache,target=/var/cache/apk apk add curl~8
RUN --mount=type=cache,target=/etc/apk/cache apk add git~2
RUN --mount=type=bind,target=/var/cache/apk apk add --no-cache make~4
