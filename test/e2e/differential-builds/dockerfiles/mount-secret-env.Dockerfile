FROM busybox
RUN --mount=type=secret,id=token,env=TOKEN echo "${#TOKEN}" > /seen
RUN --mount=type=secret,id=token,env=TOKEN,target=/both test -e /both && echo both "${#TOKEN}" >> /seen
RUN --mount=type=secret,id=absent,env=TOKEN echo "[$TOKEN]" >> /seen
