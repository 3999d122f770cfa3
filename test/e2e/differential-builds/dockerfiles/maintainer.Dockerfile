FROM busybox
MAINTAINER The cook <cook@example.com>
