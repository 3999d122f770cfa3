FROM scratch
COPY dangling /dangling
