FROM debian:12.5
RUN apt-cache search curl
RUN apt list --installed
