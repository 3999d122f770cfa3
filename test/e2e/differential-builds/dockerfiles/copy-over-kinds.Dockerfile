FROM busybox
RUN mkdir -p /x/old && echo f > /y
COPY hello.txt /x
COPY dir/one /y
