FROM busybox
ENV set=value empty=
ENV a=${set-d} b=${empty-d} c=${unset-d} d=${set+alt} e=${empty+alt} f=${unset+alt}
