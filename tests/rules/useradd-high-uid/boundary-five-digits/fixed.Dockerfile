FROM debian:12.5
RUN useradd -u 99999 app
RUN useradd -l -u 100000 app
