FROM busybox
RUN mkdir -p /there/sub && touch /there/one
COPY --chown=7:8 dir /there
