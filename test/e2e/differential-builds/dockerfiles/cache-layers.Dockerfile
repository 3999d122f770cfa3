FROM busybox
ARG EARLY=1
RUN echo one > /one
COPY hello.txt /
RUN cat /hello.txt > /two
ARG LATE=1
RUN echo $LATE > /three
LABEL label=1
COPY dir /dir
RUN ls /dir > /four
