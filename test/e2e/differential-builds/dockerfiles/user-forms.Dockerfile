FROM busybox
USER cook
RUN id > /tmp/a
USER 1000
RUN id > /tmp/b
USER 7:8
RUN id > /tmp/c
USER cook:bakers
RUN id > /tmp/d
USER nobody:0
RUN id > /tmp/e
USER root
RUN id > /tmp/f
USER 1000:kitchen
