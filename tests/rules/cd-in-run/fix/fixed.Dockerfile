FROM debian:12.5
WORKDIR /src
RUN make \
    && make install
WORKDIR /app
RUN make
WORKDIR /src
RUN --network=none make; cd test && make
WORKDIR /app
WORKDIR /opt/a-b_1.2
RUN make
WORKDIR /srv
