FROM busybox
RUN mkdir /real && ln -s /real /link && mkdir /real/bin && echo old > /real/plain
ADD archive.tar /link/
