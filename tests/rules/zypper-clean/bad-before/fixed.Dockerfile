FROM debian:12.5
RUN zypper clean && zypper install -y curl=8.9 && zypper clean
