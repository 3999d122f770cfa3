FROM busybox AS a
COPY a1.txt /
RUN cat /a1.txt | wc -c > /size
FROM busybox AS b
COPY b1.txt /
RUN cat /b1.txt > /b
FROM busybox
COPY --from=a /size /
RUN cat /size > /seen
COPY --from=b /b /
