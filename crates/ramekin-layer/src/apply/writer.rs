//! Entries to files.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, CString};
use std::io::BufRead;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use ramekin_sys::rooted::Root;
use ramekin_sys::tree::remove_at;
use ramekin_sys::{xattr, Code, Context, Error, Result};
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, XattrFlags,
};
use rustix::io::Errno;

use super::names::{clean, meaning, split, Meaning};
use super::place::{as_path, open_directory, Directory, Places};
use super::{Options, Skipped, Whiteouts};
use crate::overlay::{self, Namespace};
use crate::tar::{Entry, Kind, Reader};
use crate::Implied;

const DEFAULT_ACL: &[u8] = b"system.posix_acl_default";

pub struct Writer<'a> {
    pub(super) root: &'a Root,
    pub(super) places: Places<'a>,
    pub(super) layer: Option<Namespace>,
    options: Options,
    /// Who creates our files.
    own: (u32, u32),
    /// What this layer has put where: its whiteouts leave that alone, whatever the order.
    pub(super) listed: BTreeSet<Vec<u8>>,
    /// Times and default ACLs wait until nothing is created in the directory any more.
    directories: BTreeMap<Vec<u8>, Deferred>,
    links: Vec<Implied>,
    skipped: Skipped,
    /// Bytes of files, holes included.
    written: u64,
}

struct Deferred {
    mtime: (i64, u32),
    default_acl: Option<Vec<u8>>,
}

impl<'a> Writer<'a> {
    pub fn new(root: &'a Root, options: Options) -> Result<Self> {
        let layer = options.whiteouts.namespace();
        debug_assert_eq!(layer.is_none(), options.whiteouts == Whiteouts::Delete);
        Ok(Self {
            root,
            places: Places::new(root, layer),
            layer,
            options,
            own: (
                rustix::process::geteuid().as_raw(),
                rustix::process::getegid().as_raw(),
            ),
            listed: BTreeSet::new(),
            directories: BTreeMap::new(),
            links: Vec::new(),
            skipped: Skipped::default(),
            written: 0,
        })
    }

    pub fn check(&mut self, entry: &Entry, count: u64) -> Result<()> {
        if let Some(limit) = self.options.limits.entries.filter(|limit| count > *limit) {
            return Err(Error::new(
                Code::ResourceExhausted,
                format!("the layer has more than {limit} entries"),
            ));
        }
        self.written = self.written.saturating_add(entry.size);
        match self
            .options
            .limits
            .size
            .filter(|limit| self.written > *limit)
        {
            Some(limit) => Err(Error::new(
                Code::ResourceExhausted,
                format!("the layer's files have more than {limit} bytes"),
            )),
            None => Ok(()),
        }
    }

    pub fn write<R: BufRead>(&mut self, entry: &Entry, data: &mut Reader<R>) -> Result<()> {
        let path = clean(&entry.path)?;
        if path.is_empty() {
            return self.root_entry(entry);
        }
        let (parent, name) = split(&path);
        match meaning(&path)? {
            Meaning::Nothing => return Ok(()),
            Meaning::Gone(name) => return self.whiteout(parent, name),
            Meaning::Opaque => return self.opaque(parent),
            Meaning::Plain => {}
        }
        let place = self.places.find_or_make(parent)?;
        let name = CString::new(name).expect("was checked");
        match entry.kind {
            Kind::Directory => self.directory(&place, &name, &path, entry)?,
            Kind::File => self.file(&place, &name, &path, entry, data)?,
            Kind::HardLink => self.hard_link(&place, &name, &path, &entry.target)?,
            Kind::Symlink => {
                let target = xattr::cstring(&entry.target).context(|| "link target")?;
                self.make(&place, &name, &path, || {
                    rustix::fs::symlinkat(&target, &place.fd, &name)
                })
                .context(|| "create the link")?;
                self.special(&place, &name, entry)?;
            }
            Kind::CharDevice | Kind::BlockDevice | Kind::Fifo => {
                self.node(&place, &name, &path, entry)?
            }
        }
        self.listed.insert(path);
        Ok(())
    }

    /// Sets what had to wait.
    pub fn finish(mut self) -> Result<(Vec<Implied>, Skipped)> {
        for (path, deferred) in std::mem::take(&mut self.directories) {
            let what = || as_path(&path).display().to_string();
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
            let fd = self
                .root
                .open_with(as_path(&path), flags, Mode::empty())
                .context(what)?;
            if let Some(acl) = deferred.default_acl {
                self.count_refused(xattr::set(&fd, DEFAULT_ACL, &acl))
                    .context(what)?;
            }
            rustix::fs::futimens(&fd, &times(deferred.mtime)).context(what)?;
        }
        let mut implied = Vec::new();
        if self.layer.is_some() {
            implied.extend(
                std::mem::take(&mut self.places.implied)
                    .into_iter()
                    .map(Implied::Directory),
            );
            implied.append(&mut self.links);
        }
        Ok((implied, self.skipped))
    }

    fn root_entry(&mut self, entry: &Entry) -> Result<()> {
        if entry.kind != Kind::Directory {
            return Err(Error::new(
                Code::InvalidArgument,
                "the root must be a directory",
            ));
        }
        let fd = self.root.as_fd();
        self.attributes(fd, b"", entry, true)
    }

    fn directory(
        &mut self,
        place: &Directory,
        name: &CStr,
        path: &[u8],
        entry: &Entry,
    ) -> Result<()> {
        let mut existing = Existing::None;
        match rustix::fs::mkdirat(&place.fd, name, Mode::RWXU) {
            Ok(()) => {}
            Err(Errno::EXIST) => {
                let stat = stat(place, name).context(|| "look at what is there")?;
                if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                    existing = Existing::Kept;
                } else {
                    self.clear(place, name, path, &stat)?;
                    existing = Existing::Replaced;
                    rustix::fs::mkdirat(&place.fd, name, Mode::RWXU)
                        .context(|| "create the directory")?;
                }
            }
            Err(error) => return Err(Error::io(error, "create the directory")),
        }
        let fd = open_directory(place, name).context(|| "open the directory")?;
        if let (Existing::Replaced, Some(namespace)) = (existing, self.layer) {
            // A file or a whiteout of this layer had hidden a lower directory: it stays hidden.
            overlay::set_opaque(&fd, namespace).context(|| "make the directory opaque")?;
        }
        self.places.implied.remove(path);
        // What an ACL of the parent gave it is no more asked for than what was there before.
        self.attributes(
            fd.as_fd(),
            path,
            entry,
            existing == Existing::Kept || !place.plain,
        )?;
        if existing != Existing::None {
            // It may be open already, and how files come to be in it has changed.
            self.places.forget();
        }
        Ok(())
    }

    /// Of directories; `strip`: it may have attributes already.
    fn attributes(
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

    fn file<R: BufRead>(
        &mut self,
        place: &Directory,
        name: &CStr,
        path: &[u8],
        entry: &Entry,
        data: &mut Reader<R>,
    ) -> Result<()> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(entry.mode & 0o777);
        let fd = self
            .make(place, name, path, || {
                rustix::fs::openat(&place.fd, name, flags, mode)
            })
            .context(|| "create the file")?;
        write_data(&fd, entry, data)?;
        self.own_fd(fd.as_fd(), entry, place.plain)?;
        for (name, value) in entry
            .xattrs
            .iter()
            .filter(|(name, _)| !overlay::is_private(name))
        {
            // After the owner: chown(2) drops file capabilities.
            self.count_refused(xattr::set(&fd, name, value))
                .context(|| attribute(name))?;
        }
        if !place.plain {
            drop_inherited_acl(&fd, entry)?;
        }
        if entry.mode & 0o7000 != 0 || !place.plain {
            rustix::fs::fchmod(&fd, Mode::from_raw_mode(entry.mode)).context(|| "set the mode")?;
        }
        rustix::fs::futimens(&fd, &times(entry.mtime)).context(|| "set the time")
    }

    fn hard_link(
        &mut self,
        place: &Directory,
        name: &CStr,
        path: &[u8],
        target: &[u8],
    ) -> Result<()> {
        let target = clean(target).map_err(|error| error.within("hard link"))?;
        let (directory, target_name) = split(&target);
        if target_name.is_empty() {
            return Err(Error::new(Code::InvalidArgument, "a hard link to the root"));
        }
        let target_name = CString::new(target_name).expect("was checked");
        let from = self.places.find(directory)?;
        let found = from.as_ref().map(|from| stat(from, &target_name));
        let (from, found) = match (from, found) {
            (Some(from), Some(Ok(found))) => (from, found),
            (None, _) | (_, Some(Err(Errno::NOENT)) | None) => {
                return self.link_below(place, name, path, target)
            }
            (_, Some(Err(error))) => return Err(Error::io(error, "look at the link's target")),
        };
        if self.layer.is_some()
            && overlay::is_whiteout(from.fd.as_fd(), &target_name, &found)
                .context(|| "look at the link's target")?
        {
            return Err(missing(&target));
        }
        if let Ok(there) = stat(place, name) {
            if (there.st_dev, there.st_ino) == (found.st_dev, found.st_ino) {
                return Ok(());
            }
        }
        // Removing what is at `path` must not take the target along.
        if target.starts_with(&[path, b"/"].concat()) {
            return Err(Error::new(
                Code::InvalidArgument,
                "a hard link to something below itself",
            ));
        }
        let linked = self.make(place, name, path, || {
            rustix::fs::linkat(&from.fd, &target_name, &place.fd, name, AtFlags::empty())
        });
        linked.context(|| format!("link to {}", as_path(&target).display()))
    }

    /// In a layer of its own the target may be in a lower one: that is for `adopt` to see.
    fn link_below(
        &mut self,
        place: &Directory,
        name: &CStr,
        path: &[u8],
        target: Vec<u8>,
    ) -> Result<()> {
        if self.layer.is_none() {
            return Err(missing(&target));
        }
        if let Ok(there) = stat(place, name) {
            self.clear(place, name, path, &there)?;
        }
        self.links.push(Implied::Link {
            path: path.to_vec(),
            target,
        });
        Ok(())
    }

    fn node(&mut self, place: &Directory, name: &CStr, path: &[u8], entry: &Entry) -> Result<()> {
        let kind = match entry.kind {
            Kind::CharDevice => FileType::CharacterDevice,
            Kind::BlockDevice => FileType::BlockDevice,
            _ => FileType::Fifo,
        };
        // To overlayfs this one is a whiteout.
        if kind == FileType::CharacterDevice && entry.device == (0, 0) {
            self.skipped.devices += 1;
            return Ok(());
        }
        let device = rustix::fs::makedev(entry.device.0, entry.device.1);
        let mode = Mode::from_raw_mode(entry.mode);
        match self.make(place, name, path, || {
            rustix::fs::mknodat(&place.fd, name, kind, mode, device)
        }) {
            Ok(()) => self.special(place, name, entry),
            Err(error)
                if error.raw_os_error() == Some(libc::EPERM)
                    && !self.options.strict_devices
                    && kind != FileType::Fifo =>
            {
                self.skipped.devices += 1;
                Ok(())
            }
            Err(error) => Err(Error::io(error, "create the node")),
        }
    }

    /// Attributes of what cannot be opened without doing something: links, devices, FIFOs.
    fn special(&mut self, place: &Directory, name: &CStr, entry: &Entry) -> Result<()> {
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

    fn own_fd(&self, fd: BorrowedFd<'_>, entry: &Entry, plain: bool) -> Result<()> {
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

    /// Makes something that must not exist yet; what does gives way. Most names are free: so try first, and look after.
    fn make<T>(
        &mut self,
        place: &Directory,
        name: &CStr,
        path: &[u8],
        make: impl Fn() -> rustix::io::Result<T>,
    ) -> std::io::Result<T> {
        match make() {
            Err(Errno::EXIST) => {
                let there = stat(place, name)?;
                self.clear(place, name, path, &there)?;
                Ok(make()?)
            }
            result => Ok(result?),
        }
    }

    pub(super) fn clear(
        &mut self,
        place: &Directory,
        name: &CStr,
        path: &[u8],
        there: &Stat,
    ) -> Result<()> {
        match FileType::from_raw_mode(there.st_mode) {
            FileType::Directory => remove_at(place.fd.as_fd(), name, as_path(path))?,
            _ => rustix::fs::unlinkat(&place.fd, name, AtFlags::empty())
                .context(|| "remove what is there")?,
        }
        self.forget_below(path);
        Ok(())
    }

    /// `path` and all below it are no longer what they were.
    fn forget_below(&mut self, path: &[u8]) {
        self.places.forget();
        let inside = [path, b"/"].concat();
        let below = |other: &[u8]| other == path || other.starts_with(&inside);
        self.listed.retain(|other| !below(other));
        self.directories.retain(|other, _| !below(other));
        self.places.implied.retain(|other| !below(other));
        self.links
            .retain(|link| !matches!(link, Implied::Link { path, .. } if below(path)));
    }

    /// File systems without attributes, and user namespaces without the privilege: a container can live without most.
    fn count_refused(&mut self, result: std::io::Result<()>) -> std::io::Result<()> {
        match result {
            Err(error) if matches!(error.raw_os_error(), Some(libc::EPERM | libc::EOPNOTSUPP)) => {
                self.skipped.xattrs += 1;
                Ok(())
            }
            result => result,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Existing {
    None,
    /// A directory, whose content stays.
    Kept,
    /// Something else, which is gone.
    Replaced,
}

pub(super) fn stat(place: &Directory, name: &CStr) -> rustix::io::Result<Stat> {
    rustix::fs::statat(&place.fd, name, AtFlags::SYMLINK_NOFOLLOW)
}

fn missing(target: &[u8]) -> Error {
    Error::new(
        Code::DataLoss,
        format!(
            "a hard link to {}, which does not exist",
            as_path(target).display()
        ),
    )
}

fn attribute(name: &[u8]) -> String {
    format!("attribute {}", String::from_utf8_lossy(name))
}

fn refused_owner(error: Errno, entry: &Entry) -> Error {
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

fn drop_inherited_acl(fd: &OwnedFd, entry: &Entry) -> Result<()> {
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
fn set_beside(
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

fn write_data<R: BufRead>(fd: &OwnedFd, entry: &Entry, data: &mut Reader<R>) -> Result<()> {
    let whole = [(0, entry.size)];
    for (offset, length) in entry.sparse.as_deref().unwrap_or(&whole) {
        let (mut at, end) = (*offset, offset + length);
        while at < end {
            let bytes = data.data()?;
            let take = bytes
                .len()
                .min(usize::try_from(end - at).unwrap_or(usize::MAX));
            let written = match rustix::io::pwrite(fd, &bytes[..take], at) {
                Err(Errno::INTR) => 0,
                result => result.context(|| "write the file")?,
            };
            data.consume(written);
            at += written as u64;
        }
    }
    match entry.sparse {
        Some(_) => rustix::fs::ftruncate(fd, entry.size).context(|| "set the file's size"),
        None => Ok(()),
    }
}
