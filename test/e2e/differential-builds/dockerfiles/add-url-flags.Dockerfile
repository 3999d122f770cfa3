FROM busybox
ARG SERVER
ADD --chmod=750 --chown=cook $SERVER/hello.txt /name
ADD --checksum=sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 $SERVER/hello.txt /checked
