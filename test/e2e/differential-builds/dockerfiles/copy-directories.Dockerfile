FROM scratch
COPY dir /a
COPY dir/ /b/
COPY dir/. /c
COPY dir/sub dir/other /d/
COPY . /all/
