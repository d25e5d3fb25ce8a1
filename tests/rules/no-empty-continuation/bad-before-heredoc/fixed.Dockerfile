FROM debian:12.5
RUN cat <<EOF \
  > out
text
EOF
