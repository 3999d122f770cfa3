FROM busybox
ENV DIR=/env/dir
WORKDIR $DIR/${UNSET:-default}
COPY hello.txt .
