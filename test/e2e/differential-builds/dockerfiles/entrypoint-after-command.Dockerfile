FROM busybox
CMD ["argument"]
ENTRYPOINT ["/bin/echo"]
