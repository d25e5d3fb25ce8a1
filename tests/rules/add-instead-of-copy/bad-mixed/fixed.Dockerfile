FROM debian:12.5
copy --chown=1000 a ./b /x/
COPY ["a b", "/x"]
ADD app.conf files.tar.gz /x/
ADD $FILE /x
