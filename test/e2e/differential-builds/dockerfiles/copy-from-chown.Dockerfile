FROM busybox AS made
RUN mkdir /o && echo f > /o/f && chown 5:6 /o/f
FROM busybox
COPY --from=made --chown=cook:kitchen /o /whole
COPY --from=made --chmod=600 /o/f /moded
