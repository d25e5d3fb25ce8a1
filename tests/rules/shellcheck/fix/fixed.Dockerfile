FROM debian:12.5
RUN a=$(date) && \
    b=$(uname) \
    && echo "$a$b" $a
