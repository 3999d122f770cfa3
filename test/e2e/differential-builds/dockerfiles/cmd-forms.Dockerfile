FROM busybox AS shell
CMD echo $HOME "two words"
FROM busybox AS broken
CMD ['single', 'quotes']
FROM busybox AS empty
CMD []
FROM shell
CMD ["/bin/echo", "a\tb", "$HOME", "\u00e9"]
