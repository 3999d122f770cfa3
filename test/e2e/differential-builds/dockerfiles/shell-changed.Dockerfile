FROM busybox
SHELL ["/bin/sh", "-ec"]
RUN echo "$-" > /flags
CMD echo cmd
ENTRYPOINT echo entry
SHELL ["/bin/busybox", "ash", "-c"]
HEALTHCHECK CMD test -e /flags
RUN echo $0 >> /flags
