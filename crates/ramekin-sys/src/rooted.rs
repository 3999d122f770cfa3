//! Paths that cannot leave a root: the only way Ramekin opens anything below a container's root file system.
//!
//! The kernel resolves every path as if the root were `/` (openat2(2), RESOLVE_IN_ROOT): absolute links and `..` stay
//! inside, links of /proc are not followed, and no renaming race changes that. What is *made* or *removed* is named by
//! its parent's descriptor and one component, so that a link in the last place is never followed by accident.

use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use crate::{Code, Context, Error, Result};

/// As many links as the kernel follows in one path.
const MAX_LINKS: u32 = 40;

#[derive(Debug)]
pub struct Root(OwnedFd);

impl Root {
    /// `path` itself is resolved as usual: it is ours, not the image's.
    pub fn open(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd =
            rustix::fs::open(path, flags, Mode::empty()).context(|| path.display().to_string())?;
        Ok(Self(fd))
    }

    /// `fd` must be a directory.
    pub fn from_fd(fd: OwnedFd) -> Self {
        Self(fd)
    }

    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Opens what `path` leads to; links are followed within the root, the last one too unless `flags` has NOFOLLOW.
    pub fn open_with(&self, path: &Path, flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
        let relative = path.as_os_str().as_bytes();
        let relative = if relative.is_empty() { b"." } else { relative };
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        loop {
            match rustix::fs::openat2(&self.0, relative, flags | OFlags::CLOEXEC, mode, resolve) {
                // A rename somewhere on the machine while `..` was resolved: the kernel asks to try again.
                Err(Errno::AGAIN | Errno::INTR) => continue,
                result => return result,
            }
        }
    }

    pub fn open_dir(&self, path: &Path) -> Result<OwnedFd> {
        self.open_with(path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())
            .context(|| path.display().to_string())
    }

    /// A descriptor that names the file and opens nothing: for mounting onto, or as /proc/self/fd/N.
    pub fn open_path(&self, path: &Path) -> Result<OwnedFd> {
        self.open_with(path, OFlags::PATH, Mode::empty())
            .context(|| path.display().to_string())
    }

    /// Regular files only, opened without waiting: a FIFO or a device of the image must not hang or trigger anything.
    pub fn open_file(&self, path: &Path) -> Result<File> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let target = self.open_path(path)?;
        let found = rustix::fs::fstat(&target).context(|| path.display().to_string())?;
        refuse_irregular(&found, path)?;
        let file = self
            .open_with(path, flags, Mode::empty())
            .context(|| path.display().to_string())?;
        refuse_irregular(
            &rustix::fs::fstat(&file).context(|| path.display().to_string())?,
            path,
        )?;
        Ok(File::from(file))
    }

    /// A regular file's content; RESOURCE_EXHAUSTED when it has more than `limit` bytes.
    pub fn read_file(&self, path: &Path, limit: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open_file(path)?
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .context(|| path.display().to_string())?;
        if bytes.len() as u64 > limit {
            return Err(Error::new(
                Code::ResourceExhausted,
                format!("{} has more than {limit} bytes", path.display()),
            ));
        }
        Ok(bytes)
    }

    /// The directory that holds `path` and the last component, which may exist or not.
    pub fn parent_of(&self, path: &Path) -> Result<(OwnedFd, CString)> {
        let (parent, name) = split(path)?;
        Ok((self.open_dir(parent)?, name))
    }

    /// Not following a link in the last place; `None` when nothing is there.
    pub fn stat(&self, path: &Path) -> Result<Option<Stat>> {
        match self.open_with(path, OFlags::PATH | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(fd) => Ok(Some(
                rustix::fs::fstat(&fd).context(|| path.display().to_string())?,
            )),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(Error::io(error, path.display())),
        }
    }

    /// Makes the directory and what is missing above it, and opens it. Where a dangling link stands in the way, its
    /// target is made, inside the root.
    pub fn mkdir_all(&self, path: &Path, mode: Mode) -> Result<OwnedFd> {
        self.mkdir_below(path, mode, MAX_LINKS)
    }

    fn mkdir_below(&self, path: &Path, mode: Mode, links: u32) -> Result<OwnedFd> {
        let directory = OFlags::RDONLY | OFlags::DIRECTORY;
        match self.open_with(path, directory, Mode::empty()) {
            Err(Errno::NOENT) => {}
            result => return result.context(|| path.display().to_string()),
        }
        let mut reached = PathBuf::new();
        let mut current = self.open_dir(Path::new("."))?;
        for component in components(path) {
            let above = reached.clone();
            reached.push(component);
            current = match self.open_with(&reached, directory, Mode::empty()) {
                Ok(found) => found,
                Err(Errno::NOENT) => match rustix::fs::mkdirat(&current, component, mode) {
                    Ok(()) | Err(Errno::EXIST) => {
                        match self.open_with(&reached, directory, Mode::empty()) {
                            Ok(made) => made,
                            Err(Errno::NOENT) if links > 0 => {
                                let target =
                                    rustix::fs::readlinkat(&current, component, Vec::new())
                                        .context(|| reached.display().to_string())?;
                                self.mkdir_below(
                                    &above.join(OsStr::from_bytes(target.as_bytes())),
                                    mode,
                                    links - 1,
                                )?
                            }
                            Err(error) => return Err(Error::io(error, reached.display())),
                        }
                    }
                    Err(error) => return Err(Error::io(error, reached.display())),
                },
                Err(error) => return Err(Error::io(error, reached.display())),
            };
        }
        Ok(current)
    }

    /// A new regular file; ALREADY_EXISTS when anything, a dangling link too, has its name.
    pub fn create(&self, path: &Path, mode: Mode) -> Result<File> {
        let (parent, name) = self.parent_of(path)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(parent, &name, flags, mode)
            .context(|| path.display().to_string())?;
        Ok(File::from(fd))
    }

    pub fn symlink(&self, target: &CStr, path: &Path) -> Result<()> {
        let (parent, name) = self.parent_of(path)?;
        rustix::fs::symlinkat(target, parent, &name).context(|| path.display().to_string())
    }

    /// A hard link to what `existing` names, which is not followed if it is a link itself.
    pub fn link(&self, existing: &Path, path: &Path) -> Result<()> {
        let (from, from_name) = self.parent_of(existing)?;
        let (to, to_name) = self.parent_of(path)?;
        rustix::fs::linkat(from, &from_name, to, &to_name, AtFlags::empty())
            .context(|| format!("{} linked to {}", path.display(), existing.display()))
    }

    /// Whether there was something to unlink. Not for directories.
    pub fn unlink(&self, path: &Path) -> Result<bool> {
        let (parent, name) = match self.parent_of(path) {
            Err(error) if error.code == Code::NotFound => return Ok(false),
            result => result?,
        };
        match rustix::fs::unlinkat(parent, &name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(Error::io(error, path.display())),
        }
    }
}

/// Without root, empty and `.` components; `..` is left for the kernel to resolve.
fn components(path: &Path) -> impl Iterator<Item = &OsStr> {
    let bytes = path.as_os_str().as_bytes();
    bytes
        .split(|byte| *byte == b'/')
        .filter(|part| !matches!(*part, b"" | b"."))
        .map(OsStr::from_bytes)
}

/// Parent and last component. INVALID_ARGUMENT for a path that ends in `..` or is the root itself.
pub fn split(path: &Path) -> Result<(&Path, CString)> {
    let bytes = path.as_os_str().as_bytes();
    let end = bytes
        .iter()
        .rposition(|byte| *byte != b'/')
        .map_or(0, |last| last + 1);
    let start = bytes[..end]
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |slash| slash + 1);
    let name = &bytes[start..end];
    if matches!(name, b"" | b"." | b"..") {
        return Err(Error::new(
            Code::InvalidArgument,
            format!("{} names no file", path.display()),
        ));
    }
    Ok((
        Path::new(OsStr::from_bytes(&bytes[..start])),
        crate::xattr::cstring(name).context(|| path.display().to_string())?,
    ))
}

fn refuse_irregular(stat: &Stat, path: &Path) -> Result<()> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(()),
        _ => Err(Error::new(
            Code::FailedPrecondition,
            format!("{} is not a regular file", path.display()),
        )),
    }
}
