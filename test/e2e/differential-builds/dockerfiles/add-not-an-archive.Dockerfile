FROM busybox
ADD hello.txt /name
ADD fake.tar.gz /into/
ADD dir /dir
ADD compressed.gz /into/
