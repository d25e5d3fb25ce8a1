FROM debian:12.5
RUN make && \
    # a comment
    make check && \
    make install
RUN true
