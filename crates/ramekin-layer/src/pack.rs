//! A file, or a directory with all that is in it, as a tar to be carried elsewhere: no layer, so every name means only itself.

use std::collections::HashMap;
use std::io::{BufWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use ramekin_sys::rooted::Root;
use ramekin_sys::tree::read_dir;
use ramekin_sys::{Context, Error, Result};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::apply::place::as_path;
use crate::diff::{entry, kind};
use crate::same::visible_xattrs;
use crate::tar::{self, Writer};

/// Writes what `path` leads to, a link in the last place only with `follow`. It is called `name` in the archive, and what is
/// below it follows; without a name, only what is below it comes. What goes away meanwhile is left out.
pub fn pack(root: &Root, path: &Path, follow: bool, name: &str, sink: impl Write) -> Result<()> {
    let flags = OFlags::PATH
        | if follow {
            OFlags::empty()
        } else {
            OFlags::NOFOLLOW
        };
    let handle = root
        .open_with(path, flags, Mode::empty())
        .context(|| path.display().to_string())?;
    let stat = rustix::fs::fstat(&handle).context(|| path.display().to_string())?;
    let mut packing = Packing {
        tar: Writer::new(BufWriter::with_capacity(256 << 10, sink)),
        first_names: HashMap::new(),
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => packing.tree(&handle, name.as_bytes())?,
        _ => packing.add(&handle, &stat, name.as_bytes().to_vec())?,
    }
    packing.tar.finish().context(|| "write the archive")?;
    Ok(())
}

struct Packing<W: Write> {
    tar: Writer<BufWriter<W>>,
    /// Of files with several.
    first_names: HashMap<(u64, u64), Vec<u8>>,
}

impl<W: Write> Packing<W> {
    /// Found again from its own descriptor, whatever its path has become; never through a link.
    fn tree(&mut self, handle: &OwnedFd, name: &[u8]) -> Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(handle, ".", flags, Mode::empty())
            .context(|| as_path(name).display().to_string())?;
        let base = Root::from_fd(fd);
        let mut pending: Vec<Vec<u8>> = vec![Vec::new()];
        while let Some(path) = pending.pop() {
            let below = self
                .directory_or_file(&base, &path, name)
                .map_err(|error| error.within(as_path(&path).display()))?;
            // The last is taken first.
            pending.extend(below.into_iter().rev());
        }
        Ok(())
    }

    /// Resolves with what is in it, in the order of names.
    fn directory_or_file(&mut self, base: &Root, path: &[u8], name: &[u8]) -> Result<Vec<Vec<u8>>> {
        let handle = match base.open_with(
            as_path(path),
            OFlags::PATH | OFlags::NOFOLLOW,
            Mode::empty(),
        ) {
            Err(Errno::NOENT) => return Ok(Vec::new()),
            result => result.context(|| "open")?,
        };
        let stat = rustix::fs::fstat(&handle).context(|| "open")?;
        let shown = match (name.is_empty(), path.is_empty()) {
            (true, _) => path.to_vec(),
            (false, true) => name.to_vec(),
            (false, false) => [name, b"/", path].concat(),
        };
        self.add(&handle, &stat, shown)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            return Ok(Vec::new());
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&handle, ".", flags, Mode::empty()).context(|| "open")?;
        let mut names: Vec<Vec<u8>> = read_dir(opened.as_fd())
            .context(|| "list")?
            .into_iter()
            .map(|entry| match path.is_empty() {
                true => entry.name.into_bytes(),
                false => [path, b"/", entry.name.as_bytes()].concat(),
            })
            .collect();
        names.sort();
        Ok(names)
    }

    fn add(&mut self, handle: &OwnedFd, stat: &Stat, path: Vec<u8>) -> Result<()> {
        // Sockets are names of processes, which no archive carries.
        let Some(kind) = kind(stat) else {
            return Ok(());
        };
        let mut entry = entry(&path, kind, stat);
        if kind != tar::Kind::Directory && stat.st_nlink > 1 {
            if let Some(first) = self.first_names.get(&(stat.st_dev, stat.st_ino)) {
                entry.kind = tar::Kind::HardLink;
                entry.target.clone_from(first);
                (entry.size, entry.device) = (0, (0, 0));
                return self.tar.header(&entry).context(|| "write the archive");
            }
            self.first_names.insert((stat.st_dev, stat.st_ino), path);
        }
        entry.xattrs = visible_xattrs(handle).context(|| "list attributes")?;
        match kind {
            tar::Kind::File => return self.file(handle, &entry),
            tar::Kind::Symlink => {
                entry.target = rustix::fs::readlinkat(handle, c"", Vec::new())
                    .context(|| "read the link")?
                    .into_bytes();
            }
            tar::Kind::Directory => entry.path.push(b'/'),
            _ => {}
        }
        self.tar.header(&entry).context(|| "write the archive")
    }

    /// As long as it was when we looked: what is cut off meanwhile comes as zeros, as from tar(1).
    fn file(&mut self, handle: &OwnedFd, entry: &tar::Entry) -> Result<()> {
        let mut file = reopen(handle).map_err(|error| error.within(entry.name()))?;
        self.tar.header(entry).context(|| "write the archive")?;
        let mut left = entry.size;
        let mut buffer = vec![0; 256 << 10];
        while left > 0 {
            let want = buffer
                .len()
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            let mut length = file.read(&mut buffer[..want]).context(|| "read")?;
            if length == 0 {
                length = want;
                buffer[..length].fill(0);
            }
            self.tar
                .data(&buffer[..length])
                .context(|| "write the archive")?;
            left -= length as u64;
        }
        self.tar
            .end_data(entry.size)
            .context(|| "write the archive")
    }
}

/// The very file that was looked at, regular as it is: nothing can have taken its place.
fn reopen(handle: &OwnedFd) -> Result<std::fs::File> {
    use std::os::fd::AsRawFd;
    std::fs::File::open(format!("/proc/self/fd/{}", handle.as_raw_fd()))
        .map_err(|error| Error::io(error, "open"))
}

/// What a path leads to.
pub fn look(root: &Root, path: &Path, follow: bool) -> Result<Option<(Stat, Vec<u8>)>> {
    let flags = OFlags::PATH
        | if follow {
            OFlags::empty()
        } else {
            OFlags::NOFOLLOW
        };
    let handle = match root.open_with(path, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        result => result.context(|| path.display().to_string())?,
    };
    let stat = rustix::fs::statat(&handle, c"", AtFlags::EMPTY_PATH)
        .context(|| path.display().to_string())?;
    let target = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => rustix::fs::readlinkat(&handle, c"", Vec::new())
            .context(|| path.display().to_string())?
            .as_bytes()
            .to_vec(),
        _ => Vec::new(),
    };
    Ok(Some((stat, target)))
}
