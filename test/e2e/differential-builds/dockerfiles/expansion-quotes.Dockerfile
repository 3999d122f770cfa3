FROM busybox
ENV x=value
ENV a=\$x b='$x' c="$x" d="\$x" e=$x$x f=${x}y g="'$x'" h='"$x"'
LABEL a=\${x} b='${x}' c="\${x}" d=$
