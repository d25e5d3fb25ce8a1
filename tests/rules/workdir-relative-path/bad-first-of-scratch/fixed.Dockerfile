FROM scratch AS base
WORKDIR app
WORKDIR /app/bin
FROM base
WORKDIR /app/bin/lib
