FROM debian:12.5
RUN wget --progress=dot:giga https://example.com/x
