FROM busybox
RUN dd if=/dev/zero of=/zeros bs=1M count=3 2>/dev/null && seq 1 200000 > /numbers && truncate -s 5M /hole
