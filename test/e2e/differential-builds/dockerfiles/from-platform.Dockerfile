FROM --platform=linux/amd64 busybox
RUN uname -m > /machine
