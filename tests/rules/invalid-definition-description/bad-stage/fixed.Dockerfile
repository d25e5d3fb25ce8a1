# builds it all
# in one go

FROM debian:12.5 AS build
# other NAME

ARG NAME
