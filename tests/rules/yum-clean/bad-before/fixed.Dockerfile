FROM debian:12.5
RUN rm -rf /var/cache/yum/* && yum install -y curl-8.9 && yum clean all
