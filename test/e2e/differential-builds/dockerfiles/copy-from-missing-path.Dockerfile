FROM busybox AS made
FROM scratch
COPY --from=made /nothing /
