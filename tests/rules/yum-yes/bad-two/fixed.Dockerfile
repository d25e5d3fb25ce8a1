FROM centos:7
RUN yum -y install curl-8 && \
    yum -y reinstall git-2
