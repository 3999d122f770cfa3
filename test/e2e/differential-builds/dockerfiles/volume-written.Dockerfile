FROM busybox
VOLUME /data
RUN mkdir -p /data && echo after > /data/after
