FROM debian:12.5
RUN wget -qO- https://a | sh && wget -cq https://b && wget --progress=dot:giga -O- https://c
