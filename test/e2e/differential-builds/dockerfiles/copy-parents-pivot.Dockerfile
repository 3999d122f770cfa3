FROM scratch
COPY --parents dir/./sub/three /out/
COPY --parents ./dir/./sub/**/four.md /deep/
