FROM busybox
COPY --from=later /x /
FROM busybox AS later
RUN touch /x
