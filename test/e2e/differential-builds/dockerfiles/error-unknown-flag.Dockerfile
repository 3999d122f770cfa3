FROM busybox
COPY --colour=red hello.txt /
