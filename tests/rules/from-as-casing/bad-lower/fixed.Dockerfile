from debian:12.5 as base
from --platform=linux/amd64 \
  debian:12.5 as two
