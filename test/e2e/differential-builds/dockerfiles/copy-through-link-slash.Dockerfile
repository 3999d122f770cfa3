FROM scratch
COPY link-to-dir/sub/ /b/
