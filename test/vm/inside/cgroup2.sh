# As root, on cgroup v2 with every controller.
. /vm/checks.sh
export RAMEKIN_ROOT=/mnt/root/store RAMEKIN_RUNROOT=/run/ramekin
r() { ramekin "$@"; }

passes "v2: load an image" ramekin load -i /vm/busybox
image=localhost/busybox:latest
prints "[PLF-3] v2: a container runs and prints" hello ramekin run --rm $image echo hello
prints "[ISO-4] v2: --memory is in memory.max" 67108864 ramekin run --rm --memory 64m $image cat /sys/fs/cgroup/memory.max
prints "[ISO-4] v2: --pids-limit is in pids.max" 42 ramekin run --rm --pids-limit 42 $image cat /sys/fs/cgroup/pids.max
prints "[ISO-4] v2: --cpus is in cpu.max" "50000 100000" ramekin run --rm --cpus 0.5 $image cat /sys/fs/cgroup/cpu.max
prints "[ISO-1] v2: the cgroup namespace hides the path" "0::/" ramekin run --rm $image cat /proc/self/cgroup
ends "[ISO-4] v2: too much memory ends with 137" 137 ramekin run --rm --memory 16m $image sh -c 'x=$(head -c 60000000 /dev/zero | tr "\0" x); echo ${#x}'
passes "[CTR-1] v2: detached" ramekin run -d --name web $image sleep 1000
prints "[CTR-3] v2: exec" 0 ramekin exec web id -u
passes "[CTR-1] v2: pause" ramekin pause web
prints "[ISO-4] v2: the cgroup is frozen" 1 sh -c 'cat /sys/fs/cgroup/ramekin/*/cgroup.freeze'
passes "[CTR-1] v2: unpause" ramekin unpause web
passes "[CTR-1] v2: stop" ramekin stop -t 1 web
passes "[CTR-1] v2: rm" ramekin rm web
prints "[CTR-7] v2: nothing is left of the cgroups" "" sh -c 'ls -d /sys/fs/cgroup/ramekin/*/ 2>/dev/null || true'
prints "[PLF-3] v2: the layout of control groups is known" "v2" ramekin info --format "{{.CgroupVersion}}"
