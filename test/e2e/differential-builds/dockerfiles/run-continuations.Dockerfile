FROM busybox
RUN echo one > /lines && \
    # a comment in between
    echo two >> /lines && \

    echo three \
      four >> /lines
RUN echo "a\
b" > /joined
  # an indented comment
   RUN echo indented > /indented
