FROM busybox
USER stranger
RUN true
