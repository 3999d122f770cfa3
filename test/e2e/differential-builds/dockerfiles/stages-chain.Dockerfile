FROM busybox AS base
ENV KEPT=yes
ARG LOST=no
WORKDIR /work
USER cook
LABEL stage=base
FROM base AS next
RUN echo "$KEPT [$LOST] $(pwd) $(id -un)" > /tmp/seen
LABEL stage=next
FROM next
RUN touch mine || touch /tmp/refused
