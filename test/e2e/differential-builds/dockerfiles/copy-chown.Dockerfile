FROM busybox
COPY --chown=cook hello.txt /a/name
COPY --chown=cook:bakers hello.txt /a/group
COPY --chown=5 hello.txt /b/uid
COPY --chown=5:bakers dir /b/dir
COPY --chown=:6 hello.txt /b/gid
