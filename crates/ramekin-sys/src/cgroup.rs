//! A container's control group, whatever the layout: cgroup v2, v1 with a directory per controller, or both ("hybrid").

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::process::{pidfd_open, pidfd_signal};
use crate::{Error, Result};

#[derive(Clone, Debug, PartialEq, Eq)]
struct Hierarchy {
    mount: PathBuf,
    /// v1: `memory`, or `cpu,cpuacct`. v2: empty.
    controllers: String,
    v2: bool,
}

/// The directories of one path in every mounted hierarchy. They need not exist: each method takes what is there.
#[derive(Debug)]
pub struct Cgroup {
    unified: Option<PathBuf>,
    by_controller: Vec<(String, PathBuf)>,
}

impl Cgroup {
    /// `path` as in the OCI spec's `linux.cgroupsPath`, absolute.
    pub fn find(path: &str) -> io::Result<Self> {
        Ok(Self::below(
            hierarchies(&fs::read_to_string("/proc/self/mountinfo")?),
            path,
        ))
    }

    fn below(hierarchies: Vec<Hierarchy>, path: &str) -> Self {
        let relative = Path::new(path.trim_start_matches('/'));
        let mut found = Cgroup {
            unified: None,
            by_controller: Vec::new(),
        };
        for hierarchy in hierarchies {
            let directory = hierarchy.mount.join(relative);
            match hierarchy.v2 {
                true => found.unified = Some(directory),
                false => found.by_controller.push((hierarchy.controllers, directory)),
            }
        }
        found
    }

    fn directories(&self) -> impl Iterator<Item = &PathBuf> {
        self.unified
            .iter()
            .chain(self.by_controller.iter().map(|(_, directory)| directory))
    }

    fn controller(&self, name: &str) -> Option<&PathBuf> {
        self.by_controller
            .iter()
            .find(|(controllers, _)| controllers.split(',').any(|one| one == name))
            .map(|(_, directory)| directory)
    }

    /// Whether we may make it, in cgroup v2 or in any hierarchy of v1.
    pub fn is_writable(&self) -> bool {
        self.directories().any(|directory| {
            let nearest = directory.ancestors().find(|above| above.exists());
            nearest.is_some_and(|above| {
                rustix::fs::access(above, rustix::fs::Access::WRITE_OK).is_ok()
            })
        })
    }

    /// How many processes the kernel has killed here for want of memory. 0 where nobody counts.
    pub fn oom_kills(&self) -> u64 {
        let v1 = self
            .controller("memory")
            .map(|directory| directory.join("memory.oom_control"));
        let v2 = self
            .unified
            .as_ref()
            .map(|directory| directory.join("memory.events"));
        v1.into_iter()
            .chain(v2)
            .filter_map(|file| counter(&fs::read_to_string(file).ok()?, "oom_kill"))
            .sum()
    }

    /// Of this group and those below it.
    pub fn processes(&self) -> Vec<i32> {
        let mut pids = Vec::new();
        self.directories()
            .for_each(|directory| collect(directory, &mut pids));
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    /// Sends `signal` to every process once.
    pub fn signal(&self, signal: i32) {
        for pid in self.processes() {
            if let Ok(pidfd) = pidfd_open(pid) {
                let _ = pidfd_signal(&pidfd, signal);
            }
        }
    }

    /// Kills until nothing is left, fork bombs included. Whether that was reached in time.
    pub fn kill_all(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        if let Some(unified) = &self.unified {
            let _ = fs::write(unified.join("cgroup.kill"), "1");
        }
        loop {
            // Frozen, nothing forks between the reading of the list and the signals; SIGKILL takes effect on thawing.
            self.freeze(true);
            self.signal(libc::SIGKILL);
            self.freeze(false);
            if self.processes().is_empty() {
                return true;
            }
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn freeze(&self, frozen: bool) {
        if let Some(freezer) = self.controller("freezer") {
            let _ = fs::write(
                freezer.join("freezer.state"),
                if frozen { "FROZEN" } else { "THAWED" },
            );
        } else if let Some(unified) = &self.unified {
            let _ = fs::write(
                unified.join("cgroup.freeze"),
                if frozen { "1" } else { "0" },
            );
        }
    }

    /// Kills what is left in it, then removes it from every hierarchy. Nothing there is success.
    pub fn remove(&self, patience: Duration) -> Result<()> {
        if !self.processes().is_empty() {
            self.kill_all(patience);
        }
        let deadline = Instant::now() + patience;
        self.directories()
            .try_for_each(|directory| remove_tree(directory, deadline))
    }
}

fn collect(directory: &Path, pids: &mut Vec<i32>) {
    let Ok(text) = fs::read_to_string(directory.join("cgroup.procs")) else {
        return;
    };
    pids.extend(
        text.lines()
            .filter_map(|line| line.parse::<i32>().ok())
            .filter(|pid| *pid > 0),
    );
    for child in children(directory) {
        collect(&child, pids);
    }
}

fn children(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// A group is busy for a moment after its last process has gone.
fn remove_tree(directory: &Path, deadline: Instant) -> Result<()> {
    for child in children(directory) {
        remove_tree(&child, deadline)?;
    }
    loop {
        match fs::remove_dir(directory) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error)
                if error.raw_os_error() == Some(libc::EBUSY) && Instant::now() < deadline =>
            {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(error) => {
                return Err(Error::io(
                    error,
                    format!("remove cgroup {}", directory.display()),
                ))
            }
        }
    }
}

/// `name 3` in a file of such lines.
fn counter(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        line.strip_prefix(name)?
            .strip_prefix(' ')?
            .trim()
            .parse()
            .ok()
    })
}

/// From /proc/self/mountinfo, proc_pid_mountinfo(5); the first mount of each hierarchy.
fn hierarchies(mountinfo: &str) -> Vec<Hierarchy> {
    let mut found: Vec<Hierarchy> = Vec::new();
    for line in mountinfo.lines() {
        let Some((before, after)) = line.split_once(" - ") else {
            continue;
        };
        let mut after = after.split(' ');
        let (Some(kind), Some(options)) = (after.next(), after.nth(1)) else {
            continue;
        };
        let Some(mount) = before.split(' ').nth(4) else {
            continue;
        };
        let hierarchy = match kind {
            "cgroup2" => Hierarchy {
                mount: mount.into(),
                controllers: String::new(),
                v2: true,
            },
            "cgroup" => {
                let generic = [
                    "rw",
                    "ro",
                    "xattr",
                    "noprefix",
                    "clone_children",
                    "relatime",
                ];
                let named = options.split(',').filter(|option| {
                    !generic.contains(option) && !option.starts_with("release_agent=")
                });
                Hierarchy {
                    mount: mount.into(),
                    controllers: named.collect::<Vec<_>>().join(","),
                    v2: false,
                }
            }
            _ => continue,
        };
        if !found
            .iter()
            .any(|other| other.v2 == hierarchy.v2 && other.controllers == hierarchy.controllers)
        {
            found.push(hierarchy);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
30 24 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755
31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate
33 30 0:29 / /sys/fs/cgroup/memory rw,nosuid shared:12 - cgroup cgroup rw,memory
34 30 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:13 - cgroup cgroup rw,cpu,cpuacct
35 90 0:30 / /mnt/again rw - cgroup cgroup rw,cpu,cpuacct
";

    #[test]
    fn every_hierarchy_is_found_once() {
        let cgroup = Cgroup::below(hierarchies(HYBRID), "/ramekin/x");
        assert_eq!(
            cgroup.unified,
            Some("/sys/fs/cgroup/unified/ramekin/x".into())
        );
        assert_eq!(
            cgroup.controller("cpuacct"),
            Some(&"/sys/fs/cgroup/cpu,cpuacct/ramekin/x".into())
        );
        assert_eq!(cgroup.by_controller.len(), 2);
    }

    #[test]
    fn the_counter_is_not_its_namesake() {
        assert_eq!(
            counter(
                "oom 4\noom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
                "oom_kill"
            ),
            Some(2)
        );
        assert_eq!(counter("low 0\n", "oom_kill"), None);
    }
}
