FROM scratch
COPY link-to-file /
COPY link-to-file /name
COPY dir/link /
