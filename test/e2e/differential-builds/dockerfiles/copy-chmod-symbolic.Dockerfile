FROM busybox
COPY --chmod=u=rwX,go=rX dir /a
COPY --chmod=go-r,u+x hello.txt /b
COPY --chmod=a+w script.sh /c
