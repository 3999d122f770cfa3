FROM busybox
RUN echo one \
  two > /file
ENV A=b C=d
COPY hello.txt /
