FROM busybox
RUN echo same > /one && ln /one /two && mkdir /d && ln /one /d/three
RUN echo more >> /two
RUN chmod 600 /d/three
