FROM alpine:3.20
RUN apk update && \
    apk add --no-cache --update curl~8 && \
    apk --no-cache add git~2 && \
    apk -q add --no-cache make~4 && rm -rf /var/cache/apk/*
