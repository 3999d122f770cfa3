# As an ordinary user: `user.sh WHAT`, where WHAT says which user it is in the names of the checks.
. /vm/checks.sh
what=$1
export HOME=/home/$(id -un) XDG_DATA_HOME=/mnt/$(id -un) XDG_RUNTIME_DIR=/run/user/$(id -u) PATH=/usr/local/bin:/usr/bin:/bin:/sbin
image=localhost/busybox:latest
cd "$HOME"

passes "[PLF-1] $what: load an image" ramekin load -i /vm/busybox
prints "[PLF-1] $what: a container runs, as its own root" 0 ramekin run --rm $image id -u
prints "[PLF-1] $what: writes to its root" kept ramekin run --rm $image sh -c 'echo kept > /file; cat /file'
ends "[PLF-1] $what: the exit status" 7 ramekin run --rm $image sh -c 'exit 7'
ends "[PLF-1] $what: no such program is 127" 127 ramekin run --rm $image no-such-program
passes "[PLF-1] $what: detached" ramekin run -d --name box $image sleep 1000
prints "[PLF-1] $what: exec" inside ramekin exec box echo inside
prints "[PLF-1] $what: exec sees the container's processes" "sleep" ramekin exec box cat /proc/1/comm
ends "[PLF-1] $what: the host's root owns nothing here" 1 ramekin exec box sh -c 'echo x > /proc/sys/kernel/hostname'
passes "[PLF-1] $what: stop" ramekin stop -t 1 box
passes "[PLF-1] $what: rm" ramekin rm box
prints "[PLF-1] $what: nothing is left" "" sh -c 'ls $XDG_DATA_HOME/ramekin/containers | grep -v names; true'
passes "[PLF-1] $what: rmi" ramekin rmi $image
