FROM busybox
WORKDIR /work
RUN --mount=target=. ls -A | grep -v Dockerfile > /seen
RUN --mount=type=bind,source=dir/sub,target=/sub,rw cp /sub/three /copied && touch /sub/new
RUN --mount=type=bind,from=busybox,source=/etc,target=/theirs cat /theirs/group > /group && ! touch /theirs/x
RUN ls /sub /theirs >> /seen 2>&1 || true
