FROM busybox
RUN echo f > /y
COPY dir /y
