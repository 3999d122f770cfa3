FROM busybox
RUN mkdir -p /data && echo before > /data/before
VOLUME /data
VOLUME ["/json", "/two words"]
VOLUME /a /b/c
