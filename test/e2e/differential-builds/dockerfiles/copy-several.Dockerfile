FROM scratch
COPY hello.txt script.sh dir /to/
COPY ["with space.txt", "hello.txt", "/in json/"]
