//! Owners, modes, times and extended attributes of what was made.

use std::ffi::CStr;
use std::os::fd::{BorrowedFd, OwnedFd};

use ramekin_sys::{xattr, Code, Context, Error, Result};
use rustix::fs::{AtFlags, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;

use super::place::Directory;
use super::writer::{Deferred, Writer};
use crate::overlay;
use crate::tar::{Entry, Kind};

pub(super) const DEFAULT_ACL: &[u8] = b"system.posix_acl_default";

impl Writer<'_> {
    /// Of directories; `strip`: it may have attributes already.
    pub(super) fn attributes(
        &mut self,
        fd: BorrowedFd<'_>,
        path: &[u8],
        entry: &Entry,
        strip: bool,
    ) -> Result<()> {
        let stale = if strip {
            xattr::list(fd).context(|| "list attributes")?
        } else {
            Vec::new()
        };
        for (name, _) in stale {
            // Labels of a security module are the host's.
            let ours = !overlay::is_private(&name) && !name.starts_with(b"security.");
            if ours && !entry.xattrs.iter().any(|(kept, _)| *kept == name) {
                rustix::fs::fremovexattr(fd, name.as_slice()).context(|| "remove an attribute")?;
            }
        }
        self.own_fd(fd, entry, false)?;
        let default_acl = entry
            .xattrs
            .iter()
            .find(|(name, _)| name == DEFAULT_ACL)
            .map(|(_, value)| value.clone());
        for (name, value) in entry
            .xattrs
            .iter()
            .filter(|(name, _)| name != DEFAULT_ACL && !overlay::is_private(name))
        {
            self.count_refused(xattr::set(fd, name, value))
                .context(|| attribute(name))?;
        }
        rustix::fs::fchmod(fd, Mode::from_raw_mode(entry.mode)).context(|| "set the mode")?;
        self.directories.insert(
            path.to_vec(),
            Deferred {
                mtime: entry.mtime,
                default_acl,
            },
        );
        Ok(())
    }

    /// Attributes of what cannot be opened without doing something: links, devices, FIFOs.
    pub(super) fn special(&mut self, place: &Directory, name: &CStr, entry: &Entry) -> Result<()> {
        if !self.options.ignore_ownership && ((entry.uid, entry.gid) != self.own || !place.plain) {
            let (uid, gid) = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
            let changed = rustix::fs::chownat(
                &place.fd,
                name,
                Some(uid),
                Some(gid),
                AtFlags::SYMLINK_NOFOLLOW,
            );
            changed.map_err(|error| refused_owner(error, entry))?;
        }
        for (attribute_name, value) in entry
            .xattrs
            .iter()
            .filter(|(name, _)| !overlay::is_private(name))
        {
            let set = set_beside(place, name, attribute_name, value);
            self.count_refused(set)
                .context(|| attribute(attribute_name))?;
        }
        if entry.kind != Kind::Symlink {
            // chown(2) may have dropped bits, and a default ACL may have masked some.
            rustix::fs::chmodat(
                &place.fd,
                name,
                Mode::from_raw_mode(entry.mode),
                AtFlags::empty(),
            )
            .context(|| "set the mode")?;
        }
        rustix::fs::utimensat(
            &place.fd,
            name,
            &times(entry.mtime),
            AtFlags::SYMLINK_NOFOLLOW,
        )
        .context(|| "set the time")
    }

    pub(super) fn own_fd(&self, fd: BorrowedFd<'_>, entry: &Entry, plain: bool) -> Result<()> {
        if self.options.ignore_ownership || (plain && (entry.uid, entry.gid) == self.own) {
            return Ok(());
        }
        let changed = rustix::fs::fchown(
            fd,
            Some(Uid::from_raw(entry.uid)),
            Some(Gid::from_raw(entry.gid)),
        );
        changed.map_err(|error| refused_owner(error, entry))
    }

    /// File systems without attributes, and user namespaces without the privilege: a container can live without most.
    pub(super) fn count_refused(&mut self, result: std::io::Result<()>) -> std::io::Result<()> {
        match result {
            Err(error) if matches!(error.raw_os_error(), Some(libc::EPERM | libc::EOPNOTSUPP)) => {
                self.skipped.xattrs += 1;
                Ok(())
            }
            result => result,
        }
    }
}

pub(super) fn attribute(name: &[u8]) -> String {
    format!("attribute {}", String::from_utf8_lossy(name))
}

pub(super) fn refused_owner(error: Errno, entry: &Entry) -> Error {
    let error = Error::io(error, format!("set the owner {}:{}", entry.uid, entry.gid));
    match error.code {
        Code::InvalidArgument => error.hint("the user namespace has no such id: give the user larger ranges in /etc/subuid and /etc/subgid"),
        _ => error,
    }
}

pub(super) fn times((seconds, nanoseconds): (i64, u32)) -> Timestamps {
    let time = Timespec {
        tv_sec: seconds,
        tv_nsec: i64::from(nanoseconds),
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}

pub(super) fn drop_inherited_acl(fd: &OwnedFd, entry: &Entry) -> Result<()> {
    let name = "system.posix_acl_access";
    if entry.xattrs.iter().any(|(kept, _)| kept == name.as_bytes()) {
        return Ok(());
    }
    match rustix::fs::fremovexattr(fd, name) {
        Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(()),
        Err(error) => Err(Error::io(error, "remove an inherited ACL")),
    }
}

/// Of a link or node, which has no descriptor to set it by: from its own directory, by name. The working directory becomes
/// this thread's own first, so that nobody else's is changed.
pub(super) fn set_beside(
    place: &Directory,
    name: &CStr,
    attribute: &[u8],
    value: &[u8],
) -> std::io::Result<()> {
    // SAFETY: only the file system attributes of this thread are set apart, no descriptor and no memory.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::FS) }?;
    rustix::process::fchdir(&place.fd)?;
    Ok(rustix::fs::lsetxattr(
        name,
        xattr::cstring(attribute)?,
        value,
        XattrFlags::empty(),
    )?)
}
