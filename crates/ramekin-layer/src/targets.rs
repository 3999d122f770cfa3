//! What a container has only to mount on.

use std::collections::BTreeSet;
use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use ramekin_sys::tree::{open_below, read_dir};
use rustix::fs::{FileType, Stat};

use crate::compare::{Difference, Kind};

/// Docker makes these in a layer of its own below the one that it compares; here the supervisor makes them in the container's.
#[derive(Default)]
pub struct Targets {
    /// Relative.
    known: BTreeSet<Vec<u8>>,
    /// New, and left out.
    omitted: Vec<Vec<u8>>,
    /// Directories of which nothing but the time has changed.
    pub touched: BTreeSet<Vec<u8>>,
}

impl Targets {
    pub fn new(paths: &[PathBuf]) -> Self {
        let relative = |path: &PathBuf| {
            let parts: Vec<&[u8]> = path
                .as_os_str()
                .as_bytes()
                .split(|byte| *byte == b'/')
                .filter(|part| !matches!(*part, b"" | b"."))
                .collect();
            parts.join(&b'/')
        };
        Self {
            known: paths.iter().map(relative).collect(),
            ..Self::default()
        }
    }

    /// Whether this is one, new and empty.
    pub fn covers(
        &mut self,
        path: &[u8],
        parent: &OwnedFd,
        name: &CStr,
        stat: &Stat,
    ) -> std::io::Result<bool> {
        if !self.known.contains(path) {
            return Ok(false);
        }
        let empty = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => stat.st_size == 0,
            FileType::Directory => {
                // Another target may be in it, made for a mount in this one's place.
                let child = open_below(parent, name)?;
                read_dir(child.as_fd())?.is_empty()
            }
            _ => false,
        };
        if empty {
            self.omitted.push(path.to_vec());
        }
        Ok(empty)
    }

    /// Takes out the directories that are there, or have another time, only because of what was left out.
    pub fn forget(&self, found: &mut Vec<Difference>) {
        let on_the_way: BTreeSet<&[u8]> =
            self.omitted.iter().flat_map(|path| above(path)).collect();
        let idle = |difference: &Difference| {
            on_the_way.contains(difference.path.as_slice())
                && (difference.kind == Kind::Added || self.touched.contains(&difference.path))
        };
        let needed: BTreeSet<Vec<u8>> = found
            .iter()
            .filter(|difference| !idle(difference))
            .flat_map(|difference| above(&difference.path).map(<[u8]>::to_vec))
            .collect();
        found.retain(|difference| !idle(difference) || needed.contains(&difference.path));
    }
}

/// The directories above a relative path, without the root.
fn above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'/')
        .map(|(at, _)| &path[..at])
}
