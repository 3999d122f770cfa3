//! The first move of a process into a cgroup after a pause waits some 10 ms, without using the processor, until all others
//! have noticed (cgroup_threadgroup_rwsem, and its RCU grace period). Moves that follow, or join while one waits, do not
//! wait anew. So one begins at once that moves nobody, and the launcher's, some 8 ms later, finds most of that time gone.

use std::fs;
use std::path::PathBuf;

/// In a child, which writes itself to the group that it is in. What becomes of it makes no difference to anybody.
pub fn begin() {
    // SAFETY: one thread, so the child may do whatever its parent could; it ends here.
    if unsafe { libc::fork() } == 0 {
        if let Some(file) = own_group() {
            let _ = fs::write(file, "0");
        }
        // SAFETY: ends the child without running what its parent still needs.
        unsafe { libc::_exit(0) }
    }
}

/// `cgroup.procs` of our own group in some hierarchy.
fn own_group() -> Option<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    find(&groups, &mounts)
}

/// cgroups(7), "/proc/pid/cgroup": `HIERARCHY:CONTROLLERS:PATH`, the controllers empty for version 2.
fn find(groups: &str, mounts: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|mount| {
        let (place, file_system) = mount.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        // A mount of a part of the hierarchy names groups otherwise than /proc does.
        let target = place.next().filter(|root| *root == "/").and(place.next())?;
        let mut file_system = file_system.split(' ');
        let kind = file_system.next()?;
        let options: Vec<&str> = file_system.nth(1)?.split(',').collect();
        let path = groups.lines().find_map(|group| {
            let (controllers, path) = group.split_once(':')?.1.split_once(':')?;
            let is_here = match kind {
                "cgroup2" => controllers.is_empty(),
                "cgroup" => {
                    !controllers.is_empty()
                        && controllers.split(',').all(|one| options.contains(&one))
                }
                _ => false,
            };
            is_here.then_some(path)
        })?;
        let group = PathBuf::from(target).join(path.trim_start_matches('/'));
        Some(group.join("cgroup.procs"))
    })
}

#[cfg(test)]
mod tests {
    use super::find;

    const V1: &str = "30 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
        31 30 0:27 /part /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
        32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";
    const V2: &str = "30 24 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn our_own_group_in_either_version() {
        let v1 = find("3:pids:/x\n2:cpu,cpuacct:/user/me\n", V1).unwrap();
        assert_eq!(
            v1.to_str(),
            Some("/sys/fs/cgroup/cpu,cpuacct/user/me/cgroup.procs")
        );
        let v2 = find("0::/user.slice\n", V2).unwrap();
        assert_eq!(v2.to_str(), Some("/sys/fs/cgroup/user.slice/cgroup.procs"));
        assert_eq!(find("3:pids:/x\n", V2), None);
    }
}
