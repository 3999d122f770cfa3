FROM busybox AS made
RUN mkdir /o && touch /o/a1 /o/a2 /o/b1
FROM scratch
COPY --from=made /o/a* /a/
COPY --from=made /o/?1 /ones/
