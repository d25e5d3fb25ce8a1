FROM fedora:40
RUN dnf -y install curl-8
