FROM scratch
COPY a?.txt /question/
COPY *.txt /star/
COPY [ab]1.txt /class/
COPY dir/*/three /middle/
COPY d*r /directory/
COPY [^a]1.txt /not/
