FROM busybox
RUN echo f > /x && mkdir -p /y/inside && ln -s x /z && echo inside > /y/inside/f
RUN rm /x && mkdir /x && echo in > /x/in
RUN rm -r /y && echo f > /y
RUN rm /z && echo z > /z
