FROM debian:12.5
RUN apt-get update && apt-get clean && rm -rf /var/cache/apt && rm -rf /var/lib/apt/lists/*
RUN apt-get update || true
RUN <<EOF
apt-get update
EOF
