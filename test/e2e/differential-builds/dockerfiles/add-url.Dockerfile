FROM scratch
ARG SERVER
ADD $SERVER/hello.txt /folder/
ADD $SERVER/hello.txt /name
ADD $SERVER/archive.tar.gz /packed/
