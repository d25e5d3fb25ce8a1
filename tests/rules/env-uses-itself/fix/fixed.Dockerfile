FROM debian:12.5
ENV A=/opt
ENV B=$A/b
ENV C=/opt
ENV D="${C}/d"
ENV E=$D/e
ENV F=$G G=1
ENV H=1 \
# why
    I=$H
