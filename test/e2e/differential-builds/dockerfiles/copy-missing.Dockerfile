FROM scratch
COPY nothing /
