FROM scratch
ARG SERVER
ADD $SERVER/nothing.txt /
