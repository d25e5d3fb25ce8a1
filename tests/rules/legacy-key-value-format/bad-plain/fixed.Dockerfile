FROM debian:12.5
ENV APP_HOME=/opt/app
LABEL stage=test
