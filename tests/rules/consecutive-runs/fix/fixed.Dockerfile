FROM debian:12.5
RUN make one && \
# the second
# of three
    make two \
      --quiet && \
    make three
USER app
RUN --mount=type=cache,target=/c make four && \
    make five
