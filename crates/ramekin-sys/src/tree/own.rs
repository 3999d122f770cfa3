//! A tree given to somebody.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

use super::stack::{open_below, read_dir, DirStack, Entry};

/// All of it belongs then to whom `owner` names, given the uid and gid that it had; follows no link and enters no mount.
/// `target` may be open as a path only.
pub fn own_tree(target: OwnedFd, owner: impl Fn(u32, u32) -> (u32, u32)) -> std::io::Result<()> {
    let own = |parent: BorrowedFd<'_>, name: &CStr, flags: AtFlags| -> std::io::Result<()> {
        let stat = match rustix::fs::statat(parent, name, flags) {
            Err(Errno::NOENT) => return Ok(()),
            result => result?,
        };
        let (uid, gid) = owner(stat.st_uid, stat.st_gid);
        let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        match rustix::fs::chownat(parent, name, uid, gid, flags) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    };
    own(target.as_fd(), c"", AtFlags::EMPTY_PATH)?;
    let stat = rustix::fs::fstat(&target)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return Ok(());
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut stack = DirStack::new(rustix::fs::openat(&target, ".", flags, Mode::empty())?)?;
    let mut levels: Vec<Vec<Entry>> = vec![read_dir(stack.top())?];
    while let Some(entries) = levels.last_mut() {
        let Some(entry) = entries.pop() else {
            levels.pop();
            if !levels.is_empty() {
                stack.pop()?;
            }
            continue;
        };
        own(stack.top(), &entry.name, AtFlags::SYMLINK_NOFOLLOW)?;
        if !entry.is_dir {
            continue;
        }
        match open_below(stack.top(), &entry.name) {
            Ok(child) => {
                stack.push(child)?;
                levels.push(read_dir(stack.top())?);
            }
            // Gone, become something else, or a mount point.
            Err(error)
                if matches!(
                    error.raw_os_error(),
                    Some(libc::ENOENT | libc::ENOTDIR | libc::ELOOP | libc::EXDEV)
                ) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
