FROM scratch
COPY [[]x].txt /
