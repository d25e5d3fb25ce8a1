FROM centos:7.9.2009
RUN yum localinstall -y /tmp/tool-1.2.rpm && yum clean all
