FROM busybox
WORKDIR /work
COPY hello.txt name
COPY hello.txt folder/
COPY hello.txt ./deep/er/name
COPY hello.txt /tmp
COPY hello.txt .
COPY hello.txt ..
