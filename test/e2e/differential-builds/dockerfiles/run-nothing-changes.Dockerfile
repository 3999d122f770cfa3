FROM busybox
RUN true
RUN : > /dev/null; echo hi > /tmp/x; rm /tmp/x
ENV A=1
