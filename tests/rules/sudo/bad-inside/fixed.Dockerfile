FROM debian:12.5
RUN make && \
    DEBUG=1 make install
