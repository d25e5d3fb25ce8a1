FROM fedora:40
RUN microdnf install -y curl-8 && dnf clean all && microdnf clean all
RUN dnf remove -y curl
