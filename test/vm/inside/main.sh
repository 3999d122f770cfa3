# `main.sh PART…`: a file system with xattrs, then the parts: cgroup2, suites, users.
truncate -s 900M /store.img && /usr/bin/mke2fs -q -t ext4 /store.img && mount -o loop /store.img /mnt || echo "vm-not-ok an ext4 store # mount failed"
mkdir -p /mnt/root /mnt/tmp
cgroup2() {
  sh /vm/cgroup2.sh
}
suite() {
  # A case that was given up may still wait: the others, and what comes after them, do not wait for it.
  TMPDIR=/mnt/tmp RAMEKIN_NATIVE_DIR=/usr/lib/ramekin/native /usr/bin/unshare --mount --propagation private \
    /usr/bin/node --test-force-exit --test-reporter=/vm/reporter.mjs /vm/suites.mjs "$@"
}
suites() {
  suite overlayfs
  suite linux
}
users() {
  for user in alice bob; do
    uid=$(id -u $user)
    mkdir -p /mnt/$user /run/user/$uid /sys/fs/cgroup/user-$user/session
    # What systemd's user session gives: a delegated subtree, with our process in a leaf of it.
    chown $user /mnt/$user /run/user/$uid
    chmod 700 /run/user/$uid
    for file in . cgroup.procs cgroup.subtree_control cgroup.threads session session/cgroup.procs; do chown $user /sys/fs/cgroup/user-$user/$file; done
  done
  sh -c 'echo $$ > /sys/fs/cgroup/user-alice/session/cgroup.procs; exec su alice -c "sh /vm/user.sh \"with subordinate ids and a delegated cgroup\""'
  su bob -c 'sh /vm/user.sh "without subordinate ids or a cgroup"'
}
for part; do $part; done
