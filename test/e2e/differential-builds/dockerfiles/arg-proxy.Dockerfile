FROM busybox
RUN echo "$HTTP_PROXY $no_proxy" > /seen
ARG OTHER
RUN echo "[$OTHER]" >> /seen
