//! Advisory locks that die with their holder, flock(2).
//!
//! Lock files are never renamed or unlinked. A descriptor is opened once per acquisition and closed on exec: an inherited
//! copy would keep the lock alive.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::{Context, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Shared,
    Exclusive,
}

/// Holds the lock until dropped.
#[derive(Debug)]
pub struct Lock(OwnedFd);

impl Lock {
    pub fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// `None` while another process holds it. Makes the file (0600) when it is missing.
pub fn try_lock(path: &Path, kind: Kind) -> Result<Option<Lock>> {
    let flags =
        OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let fd = rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)
        .context(|| format!("lock {}", path.display()))?;
    Ok(try_lock_fd(&fd, kind)
        .context(|| format!("lock {}", path.display()))?
        .then_some(Lock(fd)))
}

/// Whether the descriptor's open file now holds the lock.
pub fn try_lock_fd(fd: impl AsFd, kind: Kind) -> std::io::Result<bool> {
    let operation = match kind {
        Kind::Shared => FlockOperation::NonBlockingLockShared,
        Kind::Exclusive => FlockOperation::NonBlockingLockExclusive,
    };
    loop {
        return match rustix::fs::flock(fd.as_fd(), operation) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(Errno::INTR) => continue,
            Err(error) => Err(error.into()),
        };
    }
}
