FROM busybox
ENV set=value empty=
ENV a=${set:-d} b=${empty:-d} c=${unset:-d} d=${set:+alt} e=${empty:+alt} f=${unset:+alt}
ENV nested=${unset:-${set}} deep=${unset:-${other:-${empty:-end}}} joined=${set}s plain=$set-s
