FROM debian:12.5
RUN dnf clean all && dnf install -y curl-8.9 && dnf clean all
