FROM scratch
COPY --exclude=*.txt --exclude=dir/sub --exclude=link-to-file dir *.sh a1.txt /out/
COPY --exclude=**/four.md --exclude=other dir /dir/
