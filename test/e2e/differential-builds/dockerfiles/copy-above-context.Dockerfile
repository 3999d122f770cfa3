FROM scratch
COPY ../hello.txt /../up/
COPY /hello.txt /absolute
