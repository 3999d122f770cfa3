FROM busybox AS base
ENTRYPOINT ["/bin/echo", "base"]
CMD ["words"]
FROM base
ENTRYPOINT /bin/other $X
