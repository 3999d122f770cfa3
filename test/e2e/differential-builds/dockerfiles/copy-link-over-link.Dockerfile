FROM busybox
RUN mkdir /real && ln -s /real /link
COPY --link hello.txt /link/
