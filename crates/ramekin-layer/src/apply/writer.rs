//! Entries to files.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, CString};
use std::io::BufRead;
use std::os::fd::{AsFd, OwnedFd};

use ramekin_sys::rooted::Root;
use ramekin_sys::tree::remove_at;
use ramekin_sys::{write_back, xattr, Code, Context, Error, Result};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::attributes::{attribute, drop_inherited_acl, times, DEFAULT_ACL};
use super::names::{clean, meaning, split, Meaning};
use super::place::{as_path, open_directory, Directory, Places};
use super::{Options, Skipped, Whiteouts};
use crate::overlay::{self, Namespace};
use crate::tar::{Entry, Kind, Reader};
use crate::Implied;

/// From here on the disk gets a file while the next ones are decoded, instead of all of them at the sync that ends the work.
const LARGE: u64 = 1 << 20;

pub struct Writer<'a> {
    pub(super) root: &'a Root,
    pub(super) places: Places<'a>,
    pub(super) layer: Option<Namespace>,
    pub(super) options: Options,
    /// Who creates our files.
    pub(super) own: (u32, u32),
    /// What this layer has put where: its whiteouts leave that alone, whatever the order.
    pub(super) listed: BTreeSet<Vec<u8>>,
    /// Times and default ACLs wait until nothing is created in the directory any more.
    pub(super) directories: BTreeMap<Vec<u8>, Deferred>,
    pub(super) links: Vec<Implied>,
    pub(super) skipped: Skipped,
    /// Bytes of files, holes included.
    written: u64,
}

pub(super) struct Deferred {
    pub(super) mtime: (i64, u32),
    pub(super) default_acl: Option<Vec<u8>>,
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
            if self.options.verbatim {
                return Ok(());
            }
            return self.root_entry(entry);
        }
        let (parent, name) = split(&path);
        let meaning = match self.options.verbatim {
            true => Meaning::Plain,
            false => meaning(&path)?,
        };
        match meaning {
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
                } else if self.options.verbatim {
                    return Err(Error::new(
                        Code::FailedPrecondition,
                        "cannot overwrite non-directory with directory",
                    ));
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
        if entry.size >= LARGE {
            write_back::begin(fd.as_fd());
        }
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

    /// Makes something that must not exist yet; what does gives way. Most names are free: so try first, and look after.
    pub(super) fn make<T>(
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
            FileType::Directory if self.options.verbatim => {
                return Err(Error::new(
                    Code::FailedPrecondition,
                    "cannot overwrite directory with non-directory",
                ))
            }
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
