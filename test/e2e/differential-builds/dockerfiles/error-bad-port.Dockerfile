FROM busybox
EXPOSE 80/nothing/else
