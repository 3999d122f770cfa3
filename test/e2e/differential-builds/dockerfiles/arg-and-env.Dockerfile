FROM busybox
ENV WORD=env
ARG WORD=arg
RUN echo "$WORD" > /seen
ARG LATER=arg
ENV LATER=env-$LATER
RUN echo "$LATER" >> /seen
ARG KEPT=default
ENV KEPT=${KEPT:-none}
