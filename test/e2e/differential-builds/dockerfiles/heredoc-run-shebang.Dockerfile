FROM busybox
RUN <<EOF
#!/bin/awk -f
BEGIN { print "by awk" > "/seen" }
EOF
