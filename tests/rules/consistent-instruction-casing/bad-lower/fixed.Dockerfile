from debian:12.5
workdir /app
run make
cmd ["serve"]
