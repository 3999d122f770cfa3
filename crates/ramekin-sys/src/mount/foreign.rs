//! Trees out of another process's mount namespace.

use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::CWD;
use rustix::mount::OpenTreeFlags;

use super::attach;
use crate::{Context, Error, Result};

/// What process `pid` sees at `path`, mounted at `target` of ours. A bind mount would not do: its source has to be in our own mount
/// namespace. The process must have one thread, and its working directory be `/`.
pub fn mount_from(pid: u32, path: &Path, target: &Path) -> Result<()> {
    let (own, theirs) = (namespace("self")?, namespace(&pid.to_string())?);
    enter(&theirs).context(|| format!("enter the mount namespace of process {pid}"))?;
    let tree = clone(path);
    // Nothing can go on where we do not belong.
    enter(&own).context(|| "return to our own mount namespace")?;
    attach(&tree?, target)
}

fn namespace(process: &str) -> Result<File> {
    let path = format!("/proc/{process}/ns/mnt");
    File::open(&path).context(|| path)
}

/// It also moves root and working directory to the namespace's root.
fn enter(namespace: &File) -> std::io::Result<()> {
    // SAFETY: the descriptor is open; the call touches no memory.
    match unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNS) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

fn clone(path: &Path) -> Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE;
    rustix::mount::open_tree(CWD, path, flags).map_err(|error| {
        Error::io(
            error,
            format!("bind {} of another container", path.display()),
        )
    })
}
