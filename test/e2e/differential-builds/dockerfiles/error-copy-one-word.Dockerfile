FROM busybox
COPY hello.txt
