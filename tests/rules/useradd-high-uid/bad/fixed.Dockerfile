FROM debian:12.5
RUN useradd -l -u 1000000 app
