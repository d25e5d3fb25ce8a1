FROM fedora:40
RUN microdnf upgrade -y && microdnf clean all
