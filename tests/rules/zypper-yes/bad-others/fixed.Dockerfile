FROM opensuse/leap:15.6
RUN zypper --non-interactive in curl=8 && zypper --non-interactive rm git
RUN zypper --non-interactive patch
