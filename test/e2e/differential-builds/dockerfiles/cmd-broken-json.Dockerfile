FROM busybox
CMD ['single', "quotes"]
ENTRYPOINT [ "unfinished"
