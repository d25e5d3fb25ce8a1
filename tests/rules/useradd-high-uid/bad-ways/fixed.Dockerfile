FROM debian:12.5
RUN useradd -l -mu 100000 app && useradd -l --uid=200000 b
RUN useradd -l --uid 300000 c
