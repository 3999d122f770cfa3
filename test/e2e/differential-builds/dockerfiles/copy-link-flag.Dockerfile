FROM busybox
COPY --link hello.txt /new/place/
COPY --link dir /home/
COPY --link --chown=5:6 --chmod=600 hello.txt /owned
