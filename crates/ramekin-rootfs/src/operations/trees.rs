use std::path::PathBuf;

use ramekin_sys::mount::{mount_all, unmount_all, Mount};
use ramekin_sys::probe::FilesystemSupport;
use ramekin_sys::rooted::Root;
use ramekin_sys::tree::{copy_tree, remove_tree, Copied, Usage};
use ramekin_sys::{Context, Result};
use serde::{Deserialize, Serialize};

/// An empty object.
#[derive(Serialize)]
pub struct Done {}

#[derive(Deserialize)]
pub struct CopyTree {
    from: PathBuf,
    to: PathBuf,
}

pub fn copy(CopyTree { from, to }: CopyTree) -> Result<Copied> {
    let open = |path: &PathBuf| -> Result<_> {
        rustix::io::dup(Root::open(path)?.as_fd()).context(|| path.display().to_string())
    };
    copy_tree(open(&from)?, open(&to)?)
        .map_err(|error| error.within(format!("{} to {}", from.display(), to.display())))
}

#[derive(Deserialize)]
pub struct RemoveTree {
    root: PathBuf,
    path: PathBuf,
}

pub fn remove(RemoveTree { root, path }: RemoveTree) -> Result<Done> {
    remove_tree(&Root::open(&root)?, &path)?;
    Ok(Done {})
}

#[derive(Deserialize)]
pub struct Directory {
    directory: PathBuf,
}

pub fn usage(Directory { directory }: Directory) -> Result<Usage> {
    ramekin_sys::tree::usage(&directory)
}

pub fn probe(Directory { directory }: Directory) -> Result<FilesystemSupport> {
    ramekin_sys::probe::probe(&directory)
}

#[derive(Deserialize)]
pub struct MountAt {
    mounts: Vec<Mount>,
    target: PathBuf,
}

pub fn mount(MountAt { mounts, target }: MountAt) -> Result<Done> {
    mount_all(&mounts, &target)?;
    Ok(Done {})
}

#[derive(Deserialize)]
pub struct Target {
    target: PathBuf,
}

pub fn unmount(Target { target }: Target) -> Result<Done> {
    unmount_all(&target)?;
    Ok(Done {})
}
