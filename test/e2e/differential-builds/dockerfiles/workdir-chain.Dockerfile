FROM busybox
WORKDIR one
WORKDIR two/
WORKDIR ../three
RUN pwd > /seen
WORKDIR /
WORKDIR /home/cook
WORKDIR "/with space"
