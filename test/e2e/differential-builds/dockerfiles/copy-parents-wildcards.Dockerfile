FROM scratch
COPY --parents **/*.md /out/
COPY --parents dir/*/three /star/
