FROM busybox
RUN --security=sandbox echo sandboxed > /seen
