# escape=`
FROM debian
ADD https://example.com/x.tar.gz `
    C:\target\
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d --unpack https://example.com/a.tgz /a
ADD --keep-git-dir=true --link https://github.com/o/r.git#v1:sub /r
ADD --unpack=false --chown=1:2 --chmod=0644 --exclude=.git ["a b.tar", "/"]
ADD <<EOF /hello
hi
EOF
