FROM busybox
VOLUME /data ["not json"]
