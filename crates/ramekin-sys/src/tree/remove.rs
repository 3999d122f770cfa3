//! Removal of a tree that somebody else filled.

use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;

use super::stack::{open_below, read_dir, DirStack, Entry};
use crate::rooted::Root;
use crate::{Code, Context, Error, Result};

struct Level {
    /// In its parent.
    name: CString,
    entries: Vec<Entry>,
}

/// Removes `path` below `root`, whatever it is; nothing there is success. Follows no link and enters no mount point.
/// Goes on after a failure, so that as much as possible is gone, and reports the first one. Others may remove the same meanwhile.
pub fn remove_tree(root: &Root, path: &Path) -> Result<()> {
    match root.parent_of(path) {
        Ok((parent, name)) => remove_at(parent.as_fd(), &name, path),
        Err(error) if error.code == Code::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// The same for one name in an open directory; `path` is for messages.
pub fn remove_at(parent: BorrowedFd<'_>, name: &CStr, path: &Path) -> Result<()> {
    let what = || format!("remove {}", path.display());
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR) => {}
        Err(error) => return Err(explained(error.into(), what())),
    }
    let mut failure = Failure {
        path: path.to_owned(),
        first: None,
    };
    let mut stack = DirStack::new(rustix::io::dup(parent).context(what)?).context(what)?;
    let mut levels = Vec::new();
    descend(&mut stack, &mut levels, name.to_owned(), &mut failure);
    while let Some(level) = levels.last_mut() {
        let Some(entry) = level.entries.pop() else {
            let name = levels.pop().expect("there is a last level").name;
            stack.pop().context(what)?;
            match rustix::fs::unlinkat(stack.top(), &name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => failure.note(error.into(), &levels, &name),
            }
            continue;
        };
        if entry.is_dir {
            descend(&mut stack, &mut levels, entry.name, &mut failure);
            continue;
        }
        match rustix::fs::unlinkat(stack.top(), &entry.name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => failure.note(error.into(), &levels, &entry.name),
        }
    }
    failure.first.map_or(Ok(()), Err)
}

/// Enters a directory, or notes why it cannot be entered.
fn descend(stack: &mut DirStack, levels: &mut Vec<Level>, name: CString, failure: &mut Failure) {
    let opened = open_below(stack.top(), &name).or_else(|error| match error.raw_os_error() {
        // Our own directory, closed to its owner: without root there is no CAP_DAC_OVERRIDE.
        Some(libc::EACCES) => {
            rustix::fs::chmodat(stack.top(), &name, Mode::RWXU, AtFlags::empty())?;
            open_below(stack.top(), &name)
        }
        _ => Err(error),
    });
    let entered = opened.and_then(|fd| {
        let entries = read_dir(fd.as_fd())?;
        // Entries of a read-only directory cannot be unlinked by an owner without privileges.
        if !rustix::process::geteuid().is_root() {
            rustix::fs::fchmod(&fd, Mode::RWXU)?;
        }
        stack.push(fd)?;
        Ok(entries)
    });
    match entered {
        Ok(entries) => levels.push(Level { name, entries }),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {}
        Err(error) => failure.note(error, levels, &name),
    }
}

struct Failure {
    path: PathBuf,
    first: Option<Error>,
}

impl Failure {
    /// Only the first: what is above a file that stays cannot go either.
    fn note(&mut self, error: std::io::Error, levels: &[Level], name: &CString) {
        if self.first.is_some() {
            return;
        }
        let mut path = self.path.parent().map(Path::to_owned).unwrap_or_default();
        path.extend(
            levels
                .iter()
                .map(|level| OsStr::from_bytes(level.name.as_bytes())),
        );
        path.push(OsStr::from_bytes(name.as_bytes()));
        self.first = Some(explained(error, format!("remove {}", path.display())));
    }
}

fn explained(error: std::io::Error, what: String) -> Error {
    let hint = match error.raw_os_error() {
        Some(libc::EXDEV | libc::EBUSY) => "something is mounted there; unmount it first",
        Some(libc::EPERM) => "it may be immutable; see chattr(1)",
        _ => return Error::io(error, what),
    };
    Error::io(error, what).hint(hint)
}
