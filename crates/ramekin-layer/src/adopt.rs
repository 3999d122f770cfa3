//! A layer that was unpacked alone takes its place on others: what it took for granted is looked up there. Run again on
//! the same directory, it changes nothing.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use ramekin_sys::rooted::Root;
use ramekin_sys::tree::{copy_attributes, copy_file, read_dir, remove_at};
use ramekin_sys::{xattr, Code, Context, Error, Result};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::apply::names::split;
use crate::apply::place::as_path;
use crate::Implied;

/// `layer` is a layer's directory, `lower` the merged view that it will lie on.
pub fn adopt(layer: &Root, lower: &Root, implied: &[Implied]) -> Result<()> {
    let mut directories: BTreeSet<Vec<u8>> = BTreeSet::new();
    let adoption = Adoption { layer, lower };
    for item in implied {
        if let Implied::Directory(path) = item {
            adoption.follow(path, &mut directories)?;
        }
    }
    for item in implied {
        if let Implied::Link { path, target } = item {
            adoption.link(path, target, &mut directories)?;
        }
    }
    // Deepest first: nothing changes a directory's time any more once it is set.
    for path in directories.iter().rev() {
        adoption.attributes(path)?;
    }
    Ok(())
}

struct Adoption<'a> {
    layer: &'a Root,
    lower: &'a Root,
}

impl Adoption<'_> {
    /// Where a lower layer has a link, what the layer put behind it belongs to the link's target: unpacked in order, it
    /// would have gone there.
    fn follow(&self, path: &[u8], directories: &mut BTreeSet<Vec<u8>>) -> Result<()> {
        let what = || as_path(path).display().to_string();
        if path.is_empty() {
            directories.insert(Vec::new());
            return Ok(());
        }
        if open_plain(self.layer, path, OFlags::DIRECTORY).is_err() {
            return Ok(());
        }
        let real = self.real_path(path).map_err(|error| error.within(what()))?;
        if real != path {
            let from = open_plain(self.layer, path, OFlags::DIRECTORY).context(what)?;
            let to = self
                .layer
                .mkdir_all(as_path(&real), Mode::from_raw_mode(0o755))?;
            move_into(from.as_fd(), to.as_fd()).context(what)?;
            let (parent, name) = self.layer.parent_of(as_path(path))?;
            rustix::fs::unlinkat(parent, &name, AtFlags::REMOVEDIR).context(what)?;
        }
        directories.extend(prefixes(&real));
        Ok(())
    }

    /// `path` with the links of the lower tree resolved, as far as it exists there.
    fn real_path(&self, path: &[u8]) -> Result<Vec<u8>> {
        let mut real: Vec<u8> = Vec::new();
        let mut links = 0;
        let mut rest: Vec<Vec<u8>> = path
            .split(|byte| *byte == b'/')
            .rev()
            .map(<[u8]>::to_vec)
            .collect();
        while let Some(part) = rest.pop() {
            match part.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    real.truncate(split(&real).0.len());
                    continue;
                }
                _ => {}
            }
            let next = as_path(&real)
                .join(as_path(&part))
                .as_os_str()
                .as_bytes()
                .to_vec();
            match self
                .lower
                .stat(as_path(&next))?
                .map(|stat| FileType::from_raw_mode(stat.st_mode))
            {
                None | Some(FileType::Directory) => real = next,
                Some(FileType::Symlink) if links < 40 => {
                    links += 1;
                    let (parent, name) = self.lower.parent_of(as_path(&next))?;
                    let target = rustix::fs::readlinkat(parent, &name, Vec::new())
                        .context(|| "read the link")?;
                    if target.as_bytes().starts_with(b"/") {
                        real.clear();
                    }
                    rest.extend(
                        target
                            .as_bytes()
                            .split(|byte| *byte == b'/')
                            .rev()
                            .map(<[u8]>::to_vec),
                    );
                }
                Some(_) => {
                    return Err(Error::new(
                        Code::FailedPrecondition,
                        format!("{} is not a directory", as_path(&next).display()),
                    ));
                }
            }
        }
        Ok(real)
    }

    fn link(&self, path: &[u8], target: &[u8], directories: &mut BTreeSet<Vec<u8>>) -> Result<()> {
        let what = || {
            format!(
                "hard link {} to {}",
                as_path(path).display(),
                as_path(target).display()
            )
        };
        let (above, name) = split(target);
        let real = [self.real_path(above)?.as_slice(), name].join(&b"/"[..]);
        let real = real.strip_prefix(b"/").unwrap_or(&real);
        if self.layer.stat(as_path(real))?.is_none() {
            let missing =
                || Error::new(Code::DataLoss, format!("{}, which does not exist", what()));
            let (from, name) = self.lower.parent_of(as_path(real)).map_err(|_| missing())?;
            let stat = rustix::fs::statat(&from, &name, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|_| missing())?;
            let (above, _) = split(real);
            let to = self
                .layer
                .mkdir_all(as_path(above), Mode::from_raw_mode(0o755))?;
            directories.extend(prefixes(above));
            copy_file(from.as_fd(), to.as_fd(), &name, &stat).context(what)?;
        }
        let (above, name) = split(path);
        let place = self
            .layer
            .mkdir_all(as_path(&self.real_path(above)?), Mode::from_raw_mode(0o755))?;
        let name = CString::new(name).map_err(|_| Error::new(Code::InvalidArgument, what()))?;
        let (from, from_name) = self.layer.parent_of(as_path(real))?;
        match rustix::fs::linkat(from, &from_name, place, &name, AtFlags::empty()) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(Error::io(error, what())),
        }
    }

    /// Mode, owner, extended attributes and times of the lower directory; where there is none, it stays as it was made.
    fn attributes(&self, path: &[u8]) -> Result<()> {
        let what = || as_path(path).display().to_string();
        let below = match open_plain(self.lower, path, OFlags::DIRECTORY) {
            Ok(found) => found,
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(Error::io(error, what())),
        };
        let ours = open_plain(self.layer, path, OFlags::DIRECTORY).context(what)?;
        let stat = rustix::fs::fstat(&below).context(what)?;
        let attributes = xattr::list(&below).context(what)?;
        copy_attributes(
            ours.as_fd(),
            &stat,
            attributes
                .iter()
                .filter(|(name, _)| !crate::overlay::is_private(name)),
        )
        .context(what)
    }
}

/// Directories on the way to `path`, itself included.
fn prefixes(path: &[u8]) -> Vec<Vec<u8>> {
    let ends = path
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'/')
        .map(|(at, _)| at)
        .chain([path.len()]);
    ends.filter(|end| *end > 0)
        .map(|end| path[..end].to_vec())
        .collect()
}

/// No link anywhere on the way.
fn open_plain(root: &Root, path: &[u8], flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS;
    let path = if path.is_empty() { b"." } else { path };
    loop {
        match rustix::fs::openat2(
            root.as_fd(),
            as_path(path),
            OFlags::RDONLY | OFlags::CLOEXEC | flags,
            Mode::empty(),
            resolve,
        ) {
            Err(Errno::AGAIN | Errno::INTR) => continue,
            result => return result,
        }
    }
}

/// What has the same name in both: directories are merged, else the newcomer wins.
fn move_into(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> std::io::Result<()> {
    for entry in read_dir(from)? {
        let there = match rustix::fs::statat(to, &entry.name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => None,
            result => Some(FileType::from_raw_mode(result?.st_mode) == FileType::Directory),
        };
        if entry.is_dir && there == Some(true) {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let open = |parent| rustix::fs::openat(parent, &entry.name, flags, Mode::empty());
            move_into(open(from)?.as_fd(), open(to)?.as_fd())?;
            rustix::fs::unlinkat(from, &entry.name, AtFlags::REMOVEDIR)?;
            continue;
        }
        if there.is_some() {
            remove_at(to, &entry.name, as_path(entry.name.as_bytes()))?;
        }
        rustix::fs::renameat(from, &entry.name, to, &entry.name)?;
    }
    Ok(())
}
