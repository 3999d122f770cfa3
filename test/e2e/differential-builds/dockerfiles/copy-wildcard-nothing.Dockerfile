FROM scratch
COPY *.nothing /
