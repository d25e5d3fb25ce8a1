FROM debian:12.5 AS base
WORKDIR /srv
WORKDIR /srv/web
FROM base
WORKDIR /srv/web/logs
WORKDIR "a b"
