FROM busybox
ARG WHO=1000
COPY --chown=$WHO:${GROUP:-1001} hello.txt /
