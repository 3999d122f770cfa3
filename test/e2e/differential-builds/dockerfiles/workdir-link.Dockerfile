FROM busybox
RUN mkdir /real && ln -s /real /link
WORKDIR /link/sub
RUN touch file
