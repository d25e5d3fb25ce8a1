FROM debian:12.5
SHELL ["/bin/bash", "-c"]
SHELL ["/bin/bash", "-c"]
RUN make && ln -sf /bin/bash /bin/sh
RUN ln -sf /usr/bin/busybox /bin/sh
