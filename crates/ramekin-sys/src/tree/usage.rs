//! What a tree takes on disk.

use std::collections::HashSet;
use std::path::Path;

use rustix::fs::AtFlags;
use rustix::io::Errno;
use serde::Serialize;

use super::stack::{open_below, read_dir, DirStack, Entry};
use crate::rooted::Root;
use crate::{Context, Result};

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Bytes of allocated blocks.
    pub size: u64,
    pub inodes: u64,
}

/// The directory itself included; a file with many names counts once.
pub fn usage(directory: &Path) -> Result<Usage> {
    walk(directory).context(|| format!("usage of {}", directory.display()))
}

fn walk(directory: &Path) -> std::io::Result<Usage> {
    let root = Root::open(directory)?;
    let own = rustix::fs::fstat(root.as_fd())?;
    let mut sum = Usage {
        size: own.st_blocks as u64 * 512,
        inodes: 1,
    };
    let mut seen = HashSet::new();
    let mut pending: Vec<Vec<Entry>> = vec![read_dir(root.as_fd())?];
    let mut stack = DirStack::new(rustix::io::dup(root.as_fd())?)?;
    while let Some(entries) = pending.last_mut() {
        let Some(entry) = entries.pop() else {
            pending.pop();
            if !pending.is_empty() {
                stack.pop()?;
            }
            continue;
        };
        let stat = match rustix::fs::statat(stack.top(), &entry.name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => continue,
            result => result?,
        };
        if stat.st_nlink == 1 || entry.is_dir || seen.insert((stat.st_dev, stat.st_ino)) {
            sum.size += stat.st_blocks as u64 * 512;
            sum.inodes += 1;
        }
        if entry.is_dir {
            let child = match open_below(stack.top(), &entry.name) {
                Err(error) if error.raw_os_error() == Some(libc::EXDEV) => continue,
                result => result?,
            };
            stack.push(child)?;
            pending.push(read_dir(stack.top())?);
        }
    }
    Ok(sum)
}
