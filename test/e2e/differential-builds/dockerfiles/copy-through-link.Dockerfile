FROM scratch
COPY link-to-dir/one /a
