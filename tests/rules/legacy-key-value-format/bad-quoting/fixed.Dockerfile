FROM debian:12.5
ARG MORE=x
ENV MESSAGE="two words and $MORE"
ENV MIXED="a b c"
ENV SINGLE it 'is $quoted'
ENV LONG="first \
    second"
ENV ESCAPED a\ b "c\"d"
