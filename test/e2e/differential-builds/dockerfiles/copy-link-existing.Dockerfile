FROM busybox
RUN mkdir -m 2750 /there && chown 5:6 /there
COPY --link hello.txt /there/
COPY --link dir /tmp
COPY --link --chown=7:8 --chmod=640 hello.txt /there/deep/
