//! Where entries go: open directories, and the ones that the archive forgot.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

use ramekin_sys::rooted::Root;
use ramekin_sys::{xattr, Code, Context, Error, Result};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::names::split;
use crate::overlay::{self, Namespace};

/// Archives go directory by directory: a few are enough.
const CACHED: usize = 256;
const MAX_LINKS: u32 = 40;

pub struct Directory {
    pub fd: OwnedFd,
    /// New files get exactly the mode and group that we ask for: it has no default ACL and no set-group-id bit.
    pub plain: bool,
}

pub struct Places<'a> {
    root: &'a Root,
    /// Set when the directory is a layer of an overlay.
    layer: Option<Namespace>,
    open: HashMap<Vec<u8>, Rc<Directory>>,
    /// Made because something is in them; until the archive lists them.
    pub implied: BTreeSet<Vec<u8>>,
}

impl<'a> Places<'a> {
    pub fn new(root: &'a Root, layer: Option<Namespace>) -> Self {
        Self {
            root,
            layer,
            open: HashMap::new(),
            implied: BTreeSet::new(),
        }
    }

    /// After something was removed or replaced that may have been a directory, or a link to one.
    pub fn forget(&mut self) {
        self.open.clear();
    }

    pub fn find(&mut self, path: &[u8]) -> Result<Option<Rc<Directory>>> {
        if let Some(known) = self.open.get(path) {
            return Ok(Some(known.clone()));
        }
        match self.root.open_with(
            as_path(path),
            OFlags::RDONLY | OFlags::DIRECTORY,
            Mode::empty(),
        ) {
            Ok(fd) => Ok(Some(self.remember(path, fd)?)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(Error::io(error, as_path(path).display())),
        }
    }

    pub fn find_or_make(&mut self, path: &[u8]) -> Result<Rc<Directory>> {
        match self.find(path)? {
            Some(found) => Ok(found),
            None => self.make(path, MAX_LINKS),
        }
    }

    fn remember(&mut self, path: &[u8], fd: OwnedFd) -> Result<Rc<Directory>> {
        let what = || as_path(path).display().to_string();
        let mode = Mode::from_raw_mode(rustix::fs::fstat(&fd).context(what)?.st_mode);
        let plain = !mode.contains(Mode::SGID)
            && xattr::get(&fd, "system.posix_acl_default")
                .context(what)?
                .is_none();
        let directory = Rc::new(Directory { fd, plain });
        if self.open.len() == CACHED {
            self.open.clear();
        }
        self.open.insert(path.to_vec(), directory.clone());
        Ok(directory)
    }

    /// From the deepest directory that is there, down. Not by recursion: a path may have two thousand components.
    fn make(&mut self, path: &[u8], links: u32) -> Result<Rc<Directory>> {
        let mut missing = vec![path];
        let mut place = loop {
            let (above, _) = split(missing.last().expect("never empty"));
            match self.find(above)? {
                Some(found) => break found,
                None => missing.push(above),
            }
        };
        while let Some(next) = missing.pop() {
            place = self.make_one(&place, next, links)?;
        }
        Ok(place)
    }

    /// A link whose target is missing gets the target made, inside of the root: in a layer the target may well be in a
    /// lower one.
    fn make_one(&mut self, parent: &Directory, path: &[u8], links: u32) -> Result<Rc<Directory>> {
        let what = || as_path(path).display().to_string();
        let (above, name) = split(path);
        let name = xattr::cstring(name).context(what)?;
        match rustix::fs::statat(&parent.fd, &name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => {
                self.implied.insert(path.to_vec());
                make_directory(parent, &name).context(what)?;
            }
            Err(error) => return Err(Error::io(error, what())),
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink && links > 0 => {
                let target = rustix::fs::readlinkat(&parent.fd, &name, Vec::new()).context(what)?;
                let target = inside(above, target.as_bytes());
                return match self.find(&target)? {
                    Some(found) => Ok(found),
                    None => self.make(&target, links - 1),
                };
            }
            Ok(stat) => match self.layer {
                // An earlier entry removed what lower layers have here: none of it may show through.
                Some(namespace)
                    if overlay::is_whiteout(parent.fd.as_fd(), &name, &stat).context(what)? =>
                {
                    rustix::fs::unlinkat(&parent.fd, &name, AtFlags::empty()).context(what)?;
                    make_directory(parent, &name).context(what)?;
                    overlay::set_opaque(open_directory(parent, &name).context(what)?, namespace)
                        .context(what)?;
                }
                _ => {
                    return Err(Error::new(
                        Code::FailedPrecondition,
                        format!("{} is not a directory", what()),
                    ))
                }
            },
        }
        let fd = open_directory(parent, &name).context(what)?;
        self.remember(path, fd)
    }
}

fn make_directory(parent: &Directory, name: &CStr) -> rustix::io::Result<()> {
    let mode = Mode::from_raw_mode(0o755);
    rustix::fs::mkdirat(&parent.fd, name, mode)?;
    match parent.plain {
        true => Ok(()),
        false => rustix::fs::chmodat(&parent.fd, name, mode, AtFlags::empty()),
    }
}

pub fn open_directory(parent: &Directory, name: &CStr) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(&parent.fd, name, flags, Mode::empty())
}

/// A link's target as seen from the root; `..` at the root stays there, as for the kernel.
fn inside(directory: &[u8], target: &[u8]) -> Vec<u8> {
    let base = if target.starts_with(b"/") {
        &b""[..]
    } else {
        directory
    };
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in base
        .split(|byte| *byte == b'/')
        .chain(target.split(|byte| *byte == b'/'))
    {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join(&b'/')
}

pub fn as_path(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}
