FROM busybox
COPY dir /into
RUN chmod 700 /into/sub && chown 5:5 /into/sub && echo mine > /into/mine && echo changed > /into/one
COPY dir /into
