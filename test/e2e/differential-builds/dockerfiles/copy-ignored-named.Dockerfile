FROM scratch
COPY a1.txt /
