FROM debian:12.5
RUN --mount=type=cache,target=/x make && \
# a comment is nothing in between
    make install
RUN ["make", "check"]
