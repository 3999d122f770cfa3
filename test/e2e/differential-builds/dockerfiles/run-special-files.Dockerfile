FROM busybox
RUN mkfifo /fifo && ln -s /nowhere /dangling && ln -s . /self && touch -d '2001-02-03 04:05:06' /old && touch -h -d '2002-02-03 04:05:06' /dangling
RUN mkdir -p /a/b && touch -d '2003-02-03 04:05:06' /a/b
