FROM debian:12.5
RUN apt-get update && apt-get install -y curl=1 && rm -rf /var/lib/apt/lists/*
RUN apt-get update && apt-get install -y jq=1 && rm -rf /var/lib/apt/lists/*
