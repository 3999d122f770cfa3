FROM debian
ONBUILD RUN make && \
  make install
ONBUILD COPY --from=x a b
onbuild ENV A=b
ONBUILD ADD <<EOF /x
content
EOF
ONBUILD NONSENSE is accepted here
