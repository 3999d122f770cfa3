FROM busybox
COPY --chown=stranger hello.txt /
