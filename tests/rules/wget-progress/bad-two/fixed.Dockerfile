FROM debian:12.5
RUN wget --progress=dot:giga -O - https://example.com/x | tar x && \
    wget -q https://example.com/y && \
    wget --progress=dot:giga -c https://example.com/z
