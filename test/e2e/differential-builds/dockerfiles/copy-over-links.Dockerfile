FROM busybox
RUN mkdir /real && ln -s /real /link && ln -s real /relative && echo old > /file && ln -s file /filelink
COPY hello.txt /link/
COPY hello.txt /relative/name
COPY dir /link
COPY script.sh /filelink
