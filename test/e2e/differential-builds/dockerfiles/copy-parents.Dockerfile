FROM scratch
COPY --parents dir/sub/three dir/one /out/
COPY --parents dir/sub /whole/
