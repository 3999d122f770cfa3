FROM busybox
RUN mkdir /tmp/fs && echo under > /tmp/fs/under
RUN --mount=type=tmpfs,target=/tmp/fs touch /tmp/fs/x && ls /tmp/fs > /seen && grep ' /tmp/fs ' /proc/mounts | cut -d' ' -f3 >> /seen
RUN ls /tmp/fs >> /seen
