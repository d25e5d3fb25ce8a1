FROM centos:7
RUN yum install -y curl-8 && rm -rf /tmp/x && yum clean all
RUN yum clean all
