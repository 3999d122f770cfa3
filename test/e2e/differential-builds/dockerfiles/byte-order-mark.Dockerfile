FROM busybox
LABEL bom=yes
