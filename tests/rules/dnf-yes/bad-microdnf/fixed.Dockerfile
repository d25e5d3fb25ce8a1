FROM fedora:40
RUN microdnf -y install curl-8 && dnf install -y git-2
