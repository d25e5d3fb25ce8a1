FROM --platform=linux/$ARCH debian:12.5 AS build
FROM debian:12.5 AS final
