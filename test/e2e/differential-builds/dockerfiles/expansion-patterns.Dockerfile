FROM busybox
ENV path=/usr/local/lib/file.tar.gz word=banana
ENV a=${path#*/} b=${path##*/} c=${path%.*} d=${path%%.*}
ENV e=${word/a/o} f=${word//a/o} g=${word/?n/X} h=${word//an/}
