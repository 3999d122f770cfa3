FROM busybox
ADD --chown=cook:bakers archive.tar.gz /owned/
