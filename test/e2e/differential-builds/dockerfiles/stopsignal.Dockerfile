FROM busybox AS number
STOPSIGNAL 9
FROM number
RUN true
