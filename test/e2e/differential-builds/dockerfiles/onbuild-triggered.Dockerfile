FROM busybox AS base
ONBUILD ARG WORD=default
ONBUILD RUN echo "$WORD" > /later
ONBUILD COPY hello.txt /copied
ONBUILD WORKDIR /down
ONBUILD LABEL by=trigger
FROM base
RUN cat /later /copied > /seen
FROM base AS second
LABEL by=second
