//! The way from a tree's root down to where we are.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags};
use rustix::io::Errno;

/// Descriptors held at once. Deeper levels close those far above and find them again by `..`, checked by inode: a tree
/// may be deeper than a process may have open files.
const OPEN: usize = 64;

/// Descriptors of nested directories, the innermost last.
pub struct DirStack {
    levels: Vec<Level>,
}

struct Level {
    fd: Option<OwnedFd>,
    id: (u64, u64),
}

impl DirStack {
    pub fn new(root: OwnedFd) -> std::io::Result<Self> {
        let mut stack = Self { levels: Vec::new() };
        stack.push(root)?;
        Ok(stack)
    }

    pub fn depth(&self) -> usize {
        self.levels.len()
    }

    pub fn top(&self) -> BorrowedFd<'_> {
        self.levels
            .last()
            .and_then(|level| level.fd.as_ref())
            .expect("the innermost directory is open")
            .as_fd()
    }

    pub fn push(&mut self, fd: OwnedFd) -> std::io::Result<()> {
        let stat = rustix::fs::fstat(&fd)?;
        self.levels.push(Level {
            fd: Some(fd),
            id: (stat.st_dev, stat.st_ino),
        });
        if self.levels.len() > OPEN {
            let far = self.levels.len() - OPEN;
            // The root stays open: what is above it is none of our business.
            if far > 0 {
                self.levels[far].fd = None;
            }
        }
        Ok(())
    }

    /// Goes one level up.
    pub fn pop(&mut self) -> std::io::Result<()> {
        let child = self
            .levels
            .pop()
            .and_then(|level| level.fd)
            .expect("the innermost directory is open");
        if let Some(Level {
            fd: parent @ None,
            id,
        }) = self.levels.last_mut()
        {
            let found = rustix::fs::openat(&child, "..", directory(), Mode::empty())?;
            let stat = rustix::fs::fstat(&found)?;
            if (stat.st_dev, stat.st_ino) != *id {
                return Err(std::io::Error::other("a directory was moved meanwhile"));
            }
            *parent = Some(found);
        }
        Ok(())
    }
}

fn directory() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

/// Opens a subdirectory; ELOOP or ENOTDIR for a link, EXDEV for a mount point.
pub fn open_below(parent: impl AsFd, name: &CStr) -> std::io::Result<OwnedFd> {
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV | ResolveFlags::BENEATH;
    loop {
        match rustix::fs::openat2(parent.as_fd(), name, directory(), Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => continue,
            result => return Ok(result?),
        }
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub name: CString,
    pub is_dir: bool,
}

/// All entries but `.` and `..`, in the file system's order.
pub fn read_dir(directory: BorrowedFd<'_>) -> std::io::Result<Vec<Entry>> {
    rustix::fs::seek(directory, rustix::fs::SeekFrom::Start(0))?;
    let mut buffer = [MaybeUninit::<u8>::uninit(); 32 << 10];
    let mut entries = Vec::new();
    let mut raw = RawDir::new(directory, &mut buffer);
    while let Some(entry) = raw.next() {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => {
                match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                    Err(Errno::NOENT) => continue,
                    Err(error) => return Err(error.into()),
                }
            }
            kind => kind,
        };
        entries.push(Entry {
            name: name.to_owned(),
            is_dir: kind == FileType::Directory,
        });
    }
    Ok(entries)
}
