# Sourced. make_initrd ROOT COMMAND MODULES FILE NAME…: a first root file system in memory (cpio, gzip) which loads the kernel
# modules NAME and what they need from the folder MODULES, makes a copy of ROOT its root, runs COMMAND there with sh as root,
# prints its output and then vm-exit-status=N.
make_initrd() {
  local root=$1 command=$2 modules=$3 file=$4 work name line path; shift 4
  work=$(mktemp -d)
  mkdir -p "$work"/first/{bin,proc,sys,dev,run,new,payload,modules} "$work/second"
  cp "$root/bin/busybox" "$work/first/bin/busybox"
  cp "$(dirname "${BASH_SOURCE[0]}")/init" "$work/first/init"
  printf '%s\n' "$command" > "$work/first/payload/command"
  for name; do # each module after what it needs
    line=$(grep -E "/$name\.ko(\.xz)?:" "$modules/modules.dep" || true); [ -n "$line" ] || continue
    for path in $(echo "${line#*:}" | tr ' ' '\n' | tac) "${line%%:*}"; do cp -n "$modules/$path" "$work/first/modules/"; basename "$path"; done
  done | awk '!seen[$0]++' > "$work/order"
  mv "$work/order" "$work/first/modules/order"
  ln -s "$root" "$work/second/root-tree"
  { (cd "$work/first" && find . -print0 | cpio -0 -o -H newc --quiet); (cd "$work/second" && find root-tree/ -print0 | cpio -0 -o -H newc --quiet); } |
    gzip -1 > "$file"
  rm -rf "$work"
}

# A log on stdin: what COMMAND printed, and its exit status as ours; 124 when it did not come to an end.
finish() {
  local log; log=$(mktemp)
  tr -d '\r' | sed 's/^.*\[2J//' > "$log"
  sed -e '/^vm-exit-status=/,$d' "$log"
  local status; status=$(sed -n 's/^vm-exit-status=//p' "$log" | tail -1)
  rm -f "$log"
  return "${status:-124}"
}
