FROM busybox AS made
RUN mkdir -p /o/sub && echo f > /o/f && chmod 640 /o/f && chown 5:6 /o /o/f && ln -s f /o/link && ln /o/f /o/hard && mkfifo /o/fifo && ln -s /o /linked && chmod 1777 /o/sub
FROM busybox
COPY --from=made /o /whole
COPY --from=made /o/f /o/link /some/
COPY --from=made linked/f /through
COPY --from=made /linked /followed
