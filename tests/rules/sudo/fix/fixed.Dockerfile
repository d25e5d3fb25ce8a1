FROM debian:12.5
RUN make && \
    make install
RUN sudo -u www id
RUN sudo A=1 id
