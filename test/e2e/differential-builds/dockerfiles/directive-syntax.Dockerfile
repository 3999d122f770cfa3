# syntax=docker/dockerfile:1
FROM busybox
RUN echo built in > /file
