FROM busybox
RUN touch /f && chown 5:6 /f && chmod 4711 /f && mkdir -m 1777 /sticky && mkdir -m 2750 /setgid && chown 0:1001 /setgid
RUN chmod 700 /home && chown 1000:1001 /var
RUN chown 4294967294:3000000 /sticky
