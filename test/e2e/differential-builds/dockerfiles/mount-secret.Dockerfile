FROM busybox
RUN --mount=type=secret,id=token cat /run/secrets/token > /dev/null && stat -c '%a %u:%g %s' /run/secrets/token > /seen
RUN --mount=type=secret,id=token,target=/etc/token,mode=0440,uid=5,gid=6 stat -c '%a %u:%g' /etc/token >> /seen
RUN --mount=type=secret,id=absent ! test -e /run/secrets/absent
