//! Bind mounts of what the launcher could not reach by its path: what another container sees (shared memory, when its IPC namespace
//! is joined), and for who is root of a user namespace only, what is in directories of root's.

use std::fs;
use std::path::{Path, PathBuf};

use ramekin_sys::mount::{mount_from, mount_one, unmount_all, Mount};
use ramekin_sys::{Context, Result};
use serde_json::Value;

use crate::run_directory::RunDirectory;
use crate::spec::is_bind;

/// Sources of the form `/proc/PID/root/…` are fetched from that process's mount namespace; with `all`, every source is mounted below
/// the run directory. Done again, it replaces what is there.
pub fn provide(run: &RunDirectory, spec: &mut Value, all: bool) -> Result<()> {
    let directory = run.path("borrowed");
    let mounts = spec.get_mut("mounts").and_then(Value::as_array_mut);
    for (number, mount) in mounts.into_iter().flatten().enumerate() {
        let Some(source) = mount.get("source").and_then(Value::as_str) else {
            continue;
        };
        let place = directory.join(number.to_string());
        match lender(source) {
            Some((pid, path)) => {
                make_place(&directory, &place, true)?;
                mount_from(pid, &path, &place)?;
            }
            None if all && is_bind(mount) => {
                let is_directory = fs::metadata(source)
                    .context(|| format!("mount source {source}"))?
                    .is_dir();
                make_place(&directory, &place, is_directory)?;
                mount_one(&bind(source), &place)?;
            }
            None => continue,
        }
        mount["source"] = place.to_string_lossy().into_owned().into();
    }
    Ok(())
}

fn make_place(directory: &Path, place: &Path, is_directory: bool) -> Result<()> {
    unmount_all(place)?;
    fs::create_dir_all(directory).context(|| directory.display().to_string())?;
    match is_directory {
        true => fs::create_dir_all(place),
        false => fs::File::create(place).map(drop),
    }
    .context(|| place.display().to_string())
}

fn bind(source: &str) -> Mount {
    Mount {
        kind: "bind".into(),
        source: source.into(),
        options: vec!["rbind".into()],
    }
}

fn lender(source: &str) -> Option<(u32, PathBuf)> {
    let (pid, path) = source.strip_prefix("/proc/")?.split_once("/root/")?;
    Some((pid.parse().ok()?, Path::new("/").join(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_roots_of_processes_are_of_others() {
        assert_eq!(
            lender("/proc/12/root/dev/shm"),
            Some((12, "/dev/shm".into()))
        );
        assert_eq!(lender("/proc/self/root/x"), None);
        assert_eq!(lender("/proc/12/fd"), None);
        assert_eq!(lender("/srv/proc/12/root/x"), None);
    }
}
