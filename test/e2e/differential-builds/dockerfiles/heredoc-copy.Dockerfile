FROM busybox
ENV WHO=cook
COPY <<EOF /expanded
hello $WHO \$WHO ${WHO:-nobody}
EOF
COPY <<"EOF" /literal
hello $WHO
EOF
COPY --chown=cook --chmod=640 <<one.txt <<two.txt /folder/
1
one.txt
2
two.txt
