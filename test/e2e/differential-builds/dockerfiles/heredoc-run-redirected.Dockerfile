FROM busybox
RUN cat <<EOF > /file && cat <<TWO >> /file
from heredoc $HOME
EOF
second
TWO
RUN 3<<THREE cat <&3 > /three
by descriptor
THREE
