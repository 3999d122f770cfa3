FROM busybox
COPY --chmod=640 hello.txt /a/
COPY --chmod=755 dir /b
COPY --chown=5:6 --chmod=0400 hello.txt /c
