//! A copy of a tree that shares what the file system can share.

use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, SeekFrom, Stat, Timespec, Timestamps, Uid};
use rustix::io::Errno;
use serde::Serialize;

use super::stack::{open_below, read_dir, DirStack, Entry};
use crate::{Code, Error, Result};

#[derive(Debug, Default, Serialize)]
pub struct Copied {
    pub entries: u64,
    /// Of file content, shared or not.
    pub bytes: u64,
    /// The file system let copies share their content (FICLONE): only names and attributes cost space.
    pub shared: bool,
}

struct Level {
    name: PathBuf,
    entries: Vec<Entry>,
    stat: Stat,
}

/// Makes `to`, an empty directory, a copy of `from`: data (cloned where the file system can, holes kept), hard links,
/// extended attributes, device nodes, owners, modes and times; the directory's own attributes too.
pub fn copy_tree(from: OwnedFd, to: OwnedFd) -> Result<Copied> {
    let mut copy = Copy {
        from: stack(from)?,
        to: stack(to)?,
        links: HashMap::new(),
        copied: Copied::default(),
        clones: true,
    };
    copy.run()
}

fn stack(fd: OwnedFd) -> Result<DirStack> {
    DirStack::new(fd).map_err(|error| Error::io(error, "copy"))
}

struct Copy {
    from: DirStack,
    to: DirStack,
    /// First copy of each file with several names, relative to the root.
    links: HashMap<(u64, u64), PathBuf>,
    copied: Copied,
    /// Until the file system says no.
    clones: bool,
}

impl Copy {
    fn run(&mut self) -> Result<Copied> {
        let root = rustix::io::dup(self.to.top()).map_err(|error| Error::io(error, "copy"))?;
        let stat = rustix::fs::fstat(self.from.top()).map_err(|error| Error::io(error, "copy"))?;
        let entries = read_dir(self.from.top()).map_err(|error| Error::io(error, "copy"))?;
        let mut levels = vec![Level {
            name: PathBuf::new(),
            entries,
            stat,
        }];
        while let Some(level) = levels.last_mut() {
            let Some(entry) = level.entries.pop() else {
                let level = levels.pop().expect("there is a last level");
                self.leave(&level, levels.is_empty())
                    .map_err(|error| Error::io(error, format!("copy {}", level.name.display())))?;
                continue;
            };
            let path = level.name.join(OsStr::from_bytes(entry.name.as_bytes()));
            let entered = self.entry(&root, &entry.name, &path).map_err(|error| {
                let io: std::io::Error = error;
                match io.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
                    Some(ours) => ours.clone(),
                    None => Error::io(io, format!("copy {}", path.display())),
                }
            })?;
            levels.extend(entered);
        }
        self.copied.shared = self.clones;
        Ok(std::mem::take(&mut self.copied))
    }

    /// Attributes of a directory come last: filling it changes its times, and its mode may forbid to fill it.
    fn leave(&mut self, level: &Level, is_root: bool) -> std::io::Result<()> {
        copy_attributes(
            self.to.top(),
            &level.stat,
            &crate::xattr::list(self.from.top())?,
        )?;
        if !is_root {
            self.from.pop()?;
            self.to.pop()?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        root: &OwnedFd,
        name: &CStr,
        path: &Path,
    ) -> std::io::Result<Option<Level>> {
        let stat = rustix::fs::statat(self.from.top(), name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        self.copied.entries += 1;
        if kind == FileType::Directory {
            let child = open_below(self.from.top(), name)?;
            rustix::fs::mkdirat(self.to.top(), name, Mode::RWXU)?;
            self.to.push(open_below(self.to.top(), name)?)?;
            self.from.push(child)?;
            let entries = read_dir(self.from.top())?;
            return Ok(Some(Level {
                name: path.to_owned(),
                entries,
                stat,
            }));
        }
        if stat.st_nlink > 1 {
            match self.links.entry((stat.st_dev, stat.st_ino)) {
                std::collections::hash_map::Entry::Occupied(first) => {
                    rustix::fs::linkat(
                        root,
                        first.get().as_path(),
                        self.to.top(),
                        name,
                        AtFlags::empty(),
                    )?;
                    return Ok(None);
                }
                std::collections::hash_map::Entry::Vacant(slot) => {
                    slot.insert(path.to_owned());
                }
            }
        }
        match kind {
            FileType::RegularFile => {
                copy_regular(
                    self.from.top(),
                    self.to.top(),
                    name,
                    &stat,
                    &mut self.clones,
                )?;
                self.copied.bytes += stat.st_size as u64;
            }
            kind => copy_special(self.from.top(), self.to.top(), name, &stat, kind)?,
        }
        Ok(None)
    }
}

/// One file that is not a directory, with its attributes; `name` must be free in `to`.
pub fn copy_file(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    name: &CStr,
    stat: &Stat,
) -> std::io::Result<()> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => copy_regular(from, to, name, stat, &mut true),
        kind => copy_special(from, to, name, stat, kind),
    }
}

/// What cannot be opened without doing something: links, devices, FIFOs, sockets.
fn copy_special(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    name: &CStr,
    stat: &Stat,
    kind: FileType,
) -> std::io::Result<()> {
    let mode = Mode::from_raw_mode(stat.st_mode);
    match kind {
        FileType::Symlink => {
            rustix::fs::symlinkat(&rustix::fs::readlinkat(from, name, Vec::new())?, to, name)?
        }
        // A socket without its process is a name only; mknod(2) makes that.
        kind => rustix::fs::mknodat(to, name, kind, mode, stat.st_rdev)?,
    }
    let owner = (
        Some(Uid::from_raw(stat.st_uid)),
        Some(Gid::from_raw(stat.st_gid)),
    );
    rustix::fs::chownat(to, name, owner.0, owner.1, AtFlags::SYMLINK_NOFOLLOW)?;
    let open = |parent| {
        rustix::fs::openat(
            parent,
            name,
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )
    };
    let attributes = crate::xattr::list_of_any(open(from)?)?;
    if !attributes.is_empty() {
        let target = open(to)?;
        attributes
            .iter()
            .try_for_each(|(name, value)| crate::xattr::set_of_any(&target, name, value))?;
    }
    if kind != FileType::Symlink {
        rustix::fs::chmodat(to, name, mode, AtFlags::empty())?;
    }
    Ok(rustix::fs::utimensat(
        to,
        name,
        &times(stat),
        AtFlags::SYMLINK_NOFOLLOW,
    )?)
}

/// `clones` turns false once the file system has refused: no use in asking for every file.
fn copy_regular(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    name: &CStr,
    stat: &Stat,
    clones: &mut bool,
) -> std::io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let source = rustix::fs::openat(from, name, flags, Mode::empty())?;
    if FileType::from_raw_mode(rustix::fs::fstat(&source)?.st_mode) != FileType::RegularFile {
        let what = format!("{} changed while it was copied", name.to_string_lossy());
        return Err(Error::new(Code::Aborted, what).into());
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let target = rustix::fs::openat(to, name, flags, Mode::RUSR | Mode::WUSR)?;
    if stat.st_size > 0 {
        *clones = *clones && rustix::fs::ioctl_ficlone(&target, &source).is_ok();
        if !*clones {
            copy_content(&source, &target, stat.st_size as u64)?;
        }
    }
    copy_attributes(target.as_fd(), stat, &crate::xattr::list(&source)?)
}

/// Owner, extended attributes, mode, times. In this order: chown(2) drops set-id bits and file capabilities.
pub fn copy_attributes<'a>(
    to: BorrowedFd<'_>,
    stat: &Stat,
    xattrs: impl IntoIterator<Item = &'a crate::xattr::Pair>,
) -> std::io::Result<()> {
    rustix::fs::fchown(
        to,
        Some(Uid::from_raw(stat.st_uid)),
        Some(Gid::from_raw(stat.st_gid)),
    )?;
    for (name, value) in xattrs {
        crate::xattr::set(to, name, value)?;
    }
    rustix::fs::fchmod(to, Mode::from_raw_mode(stat.st_mode))?;
    Ok(rustix::fs::futimens(to, &times(stat))?)
}

fn times(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: stat.st_atime,
            tv_nsec: stat.st_atime_nsec as i64,
        },
        last_modification: Timespec {
            tv_sec: stat.st_mtime,
            tv_nsec: stat.st_mtime_nsec as i64,
        },
    }
}

/// Copies `size` bytes to an empty file, in the kernel where it can, and keeps holes.
pub fn copy_content(from: &OwnedFd, to: &OwnedFd, size: u64) -> std::io::Result<()> {
    let mut offset = 0;
    while offset < size {
        let start = match rustix::fs::seek(from, SeekFrom::Data(offset)) {
            Ok(start) => start,
            Err(Errno::NXIO) => break,
            // No knowledge of holes: all is data.
            Err(Errno::INVAL) => offset,
            Err(error) => return Err(error.into()),
        };
        let end = rustix::fs::seek(from, SeekFrom::Hole(start))
            .unwrap_or(size)
            .min(size);
        copy_range(from, to, start, end)?;
        offset = end.max(start + 1);
    }
    rustix::fs::ftruncate(to, size)?;
    Ok(())
}

fn copy_range(from: &OwnedFd, to: &OwnedFd, start: u64, end: u64) -> std::io::Result<()> {
    let (mut read_at, mut write_at) = (start, start);
    while read_at < end {
        let length = (end - read_at).min(1 << 30) as usize;
        match rustix::fs::copy_file_range(from, Some(&mut read_at), to, Some(&mut write_at), length)
        {
            // Shorter than it said: what is missing reads as zeros.
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(Errno::INTR) => {}
            Err(Errno::XDEV | Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => {
                return copy_by_hand(from, to, read_at, end)
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn copy_by_hand(from: &OwnedFd, to: &OwnedFd, mut at: u64, end: u64) -> std::io::Result<()> {
    let mut buffer = vec![0; 256 << 10];
    while at < end {
        let want = buffer.len().min((end - at) as usize);
        let length = rustix::io::pread(from, &mut buffer[..want], at)?;
        if length == 0 {
            break;
        }
        let mut written = 0;
        while written < length {
            written += rustix::io::pwrite(to, &buffer[written..length], at + written as u64)?;
        }
        at += length as u64;
    }
    Ok(())
}
