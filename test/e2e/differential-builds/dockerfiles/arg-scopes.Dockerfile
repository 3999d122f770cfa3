ARG GLOBAL=global
FROM busybox AS one
ARG STAGE=stage
RUN echo "[$GLOBAL] [$STAGE]" > /one
ARG GLOBAL
ARG BUILT=$STAGE-$GLOBAL
RUN echo "[$GLOBAL] [$BUILT]" >> /one
FROM busybox
RUN echo "[$GLOBAL] [$STAGE]" > /two
ARG GLOBAL=own
RUN echo "[$GLOBAL]" >> /two
COPY --from=one /one /
