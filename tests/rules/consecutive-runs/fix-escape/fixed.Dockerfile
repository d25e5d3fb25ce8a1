# escape=`
FROM debian:12.5
RUN make one && `
    make two
