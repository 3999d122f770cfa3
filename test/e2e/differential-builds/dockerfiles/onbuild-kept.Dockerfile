FROM busybox
ONBUILD RUN echo later > /later
ONBUILD COPY hello.txt /
ONBUILD ENV A=b
ONBUILD CMD ["x"]
RUN test ! -e /later
