FROM busybox
RUN echo zero > /zero
FROM busybox
RUN false
