FROM scratch
COPY --from=busybox /etc/passwd /etc/group /etc/
COPY --from=busybox:latest /home /home/
