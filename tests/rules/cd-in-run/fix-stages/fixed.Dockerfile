FROM maven:3.9 AS build
WORKDIR /src
RUN make
FROM maven:3.9 AS base
RUN cd /src && make
FROM base
COPY --from=build /src/out /out
RUN cd /out && make
