FROM scratch
COPY link-to-dir /a
COPY link-to-dir/ /b
