FROM busybox
USER cook
COPY hello.txt /made/by/
WORKDIR /home/cook/new
RUN touch here && stat -c "%a %u:%g" . /home/cook > here
