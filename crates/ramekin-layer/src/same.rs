//! When a file counts as unchanged.

use std::ffi::CStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use ramekin_sys::xattr;
use rustix::fs::{FileType, Mode, OFlags, Stat};

use crate::overlay;

/// Mode, owner and extended attributes.
pub fn same_attributes(
    one: BorrowedFd<'_>,
    one_stat: &Stat,
    other: BorrowedFd<'_>,
    other_stat: &Stat,
) -> std::io::Result<bool> {
    Ok(same_owner(one_stat, other_stat) && visible_xattrs(one)? == visible_xattrs(other)?)
}

fn same_owner(one: &Stat, other: &Stat) -> bool {
    (one.st_mode, one.st_uid, one.st_gid) == (other.st_mode, other.st_uid, other.st_gid)
}

/// Of anything, by a descriptor of its path too; without overlayfs's own.
pub fn visible_xattrs(fd: impl AsFd) -> std::io::Result<Vec<xattr::Pair>> {
    let mut pairs = xattr::list_of_any(fd)?;
    pairs.retain(|(name, _)| !overlay::is_private(name));
    Ok(pairs)
}

/// Size and time of modification decide for a file's content. Where times have no fraction (packages set them so), they
/// may be equal by chance, and the content is compared.
pub fn same_file(
    lower: &OwnedFd,
    below: &Stat,
    upper: &OwnedFd,
    above: &Stat,
    name: &CStr,
) -> std::io::Result<bool> {
    let fields = |stat: &Stat| {
        (
            stat.st_size,
            stat.st_rdev,
            stat.st_mtime,
            stat.st_mtime_nsec,
        )
    };
    if (below.st_dev, below.st_ino) == (above.st_dev, above.st_ino) {
        return Ok(true);
    }
    if !same_owner(below, above) || fields(below) != fields(above) {
        return Ok(false);
    }
    let open = |parent: &OwnedFd| {
        rustix::fs::openat(
            parent,
            name,
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )
    };
    if visible_xattrs(open(lower)?)? != visible_xattrs(open(upper)?)? {
        return Ok(false);
    }
    match FileType::from_raw_mode(above.st_mode) {
        FileType::Symlink => {
            let target = |parent: &OwnedFd| rustix::fs::readlinkat(parent, name, Vec::new());
            Ok(target(lower)? == target(upper)?)
        }
        FileType::RegularFile if above.st_size > 0 && above.st_mtime_nsec == 0 => {
            same_content(lower, upper, name)
        }
        _ => Ok(true),
    }
}

fn same_content(lower: &OwnedFd, upper: &OwnedFd, name: &CStr) -> std::io::Result<bool> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = |parent: &OwnedFd| -> std::io::Result<_> {
        Ok(BufReader::with_capacity(
            64 << 10,
            File::from(rustix::fs::openat(parent, name, flags, Mode::empty())?),
        ))
    };
    let (mut one, mut other) = (open(lower)?, open(upper)?);
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let length = left.len().min(right.len());
        if length == 0 {
            return Ok(left.len() == right.len());
        }
        if left[..length] != right[..length] {
            return Ok(false);
        }
        one.consume(length);
        other.consume(length);
    }
}
