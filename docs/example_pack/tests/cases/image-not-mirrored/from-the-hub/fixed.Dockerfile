FROM mirror.acme.example/debian:12.5 AS build
RUN true
FROM build
FROM example.org/team/tool:3
FROM --platform=linux/amd64 mirror.acme.example/acme/base@sha256:0000000000000000000000000000000000000000000000000000000000000000
