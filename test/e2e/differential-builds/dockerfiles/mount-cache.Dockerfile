FROM busybox
RUN --mount=type=cache,target=/cache,id=differential echo kept > /cache/f && stat -c '%a %u:%g' /cache > /seen
RUN --mount=type=cache,target=/again,id=differential cat /again/f >> /seen
RUN --mount=type=cache,target=/owned,uid=1000,gid=1001,mode=0700 stat -c '%a %u:%g' /owned >> /seen
RUN --mount=type=cache,target=/locked,sharing=locked touch /locked/f; ls /cache /owned 2>/dev/null; true
