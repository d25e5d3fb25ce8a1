FROM centos:7
RUN yum install -y curl-8 && yum clean all
