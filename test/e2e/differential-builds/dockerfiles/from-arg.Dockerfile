ARG IMAGE=busybox
ARG TAG=latest
ARG WHOLE=$IMAGE:$TAG
FROM ${WHOLE}
RUN echo "image=[$IMAGE] tag=[$TAG]" > /seen
ARG TAG
RUN echo "image=[$IMAGE] tag=[$TAG]" >> /seen
