FROM scratch
COPY scr*.sh /name
