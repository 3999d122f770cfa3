FROM busybox
ARG FIRST
ARG SECOND=two THIRD="three and more"
RUN echo "[$FIRST] [$SECOND] [$THIRD]" > /seen
LABEL first=$FIRST
