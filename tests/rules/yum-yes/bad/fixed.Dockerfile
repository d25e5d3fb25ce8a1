FROM centos:7
RUN yum -y install curl-8
