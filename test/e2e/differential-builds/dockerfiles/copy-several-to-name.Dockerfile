FROM scratch
COPY hello.txt script.sh /name
