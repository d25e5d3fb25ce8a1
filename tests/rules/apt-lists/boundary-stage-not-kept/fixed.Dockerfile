FROM debian:12.5 AS build
RUN apt-get update
FROM debian:12.5 AS base
RUN apt-get update && rm -rf /var/lib/apt/lists/*
FROM base
COPY --from=build /x /x
