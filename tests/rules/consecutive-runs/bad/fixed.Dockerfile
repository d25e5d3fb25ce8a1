FROM debian:12.5
RUN make && \
    make install
