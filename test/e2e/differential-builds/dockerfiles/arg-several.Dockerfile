FROM busybox
ARG ONE=1 TWO=2 THREE
RUN echo "$ONE $TWO [$THREE]" > /seen
