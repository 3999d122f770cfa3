//! Where no control group may be made.
//!
//! libcontainer and runc put a container into one whatever the specification says, and fail when they cannot. In our own mount
//! namespace they find a directory of ours at /sys/fs/cgroup, with as much of a hierarchy as they look for: writing there
//! changes nothing. Limits were refused or left out before.

use std::fs;
use std::io;
use std::path::Path;

use ramekin_sys::cgroup::Cgroup;
use ramekin_sys::mount::{mount_one, unmount_all, Mount};
use ramekin_sys::{Context, Result};

use crate::config::Config;

const ROOT: &str = "/sys/fs/cgroup";
/// Where the container believes to be: a path that no real hierarchy has.
pub const PATH: &str = "/ramekin-pretended";

/// Without root, and without a group that may be written to.
pub fn is_for(config: &Config) -> bool {
    config.userns.is_some() && !config.cgroup.as_deref().is_some_and(has_writable_cgroup)
}

/// Whether the container's control group, or one that will hold it, can be written to.
pub fn has_writable_cgroup(path: &str) -> bool {
    Cgroup::find(path).is_ok_and(|cgroup| cgroup.is_writable())
}

pub fn pretend() -> Result<()> {
    let hierarchies: Vec<_> =
        v1_hierarchies(&fs::read_to_string("/proc/self/mountinfo").context(|| "mounts")?);
    let empty = Mount {
        kind: "tmpfs".into(),
        source: "tmpfs".into(),
        options: vec!["mode=755".into(), "size=1m".into()],
    };
    mount_one(&empty, Path::new(ROOT))?;
    for hierarchy in hierarchies {
        furnish(Path::new(&hierarchy))
            .context(|| format!("{hierarchy}: make a directory in its place"))?;
    }
    Ok(())
}

/// Before the launcher's `delete`, which would wait for these directories to become empty.
pub fn stop_pretending() -> Result<()> {
    unmount_all(Path::new(ROOT))
}

fn furnish(hierarchy: &Path) -> io::Result<()> {
    let inside = hierarchy.join(PATH.trim_start_matches('/'));
    fs::create_dir_all(&inside)?;
    for directory in [hierarchy, &inside] {
        for (file, content) in [
            ("cgroup.procs", ""),
            ("cpuset.cpus", "0"),
            ("cpuset.mems", "0"),
        ] {
            fs::write(directory.join(file), content)?;
        }
    }
    Ok(())
}

fn v1_hierarchies(mountinfo: &str) -> Vec<String> {
    let of_v1 = mountinfo.lines().filter(|line| line.contains(" - cgroup "));
    of_v1
        .filter_map(|line| line.split(' ').nth(4))
        .filter(|path| path.starts_with(ROOT))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_v1_hierarchies_below_the_usual_place_count() {
        let mounts = "30 24 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
            33 30 0:29 / /sys/fs/cgroup/memory rw shared:1 - cgroup cgroup rw,memory\n34 30 0:30 / /mnt/cpu rw - cgroup cgroup rw,cpu\n";
        assert_eq!(super::v1_hierarchies(mounts), ["/sys/fs/cgroup/memory"]);
    }
}
