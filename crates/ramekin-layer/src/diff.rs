//! A layer out of two trees: deterministic, so that the same change always has the same diff id.

use std::collections::HashMap;
use std::io::{BufWriter, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use ramekin_codec::{Algorithm, Hasher};
use ramekin_sys::rooted::Root;
use ramekin_sys::{Code, Context, Error, Result};
use rustix::fs::{FileType, Mode, OFlags, Stat};
use serde::Serialize;

use crate::apply::place::as_path;
use crate::compare::{compare, Difference, Kind, Upper};
use crate::same::visible_xattrs;
use crate::tar::{self, Writer};

#[derive(Debug, Serialize)]
pub struct Diffed {
    #[serde(rename = "diffID")]
    pub diff_id: String,
    pub size: u64,
}

/// Writes the uncompressed layer of what `upper` has changed over `lower`; for `targets`, see `compare`.
pub fn diff(lower: &Root, upper: &Upper, targets: &[PathBuf], sink: impl Write) -> Result<Diffed> {
    let differences = compare(lower, upper, targets)?;
    let sum = Summed {
        sink,
        hasher: Hasher::new(Algorithm::Sha256),
        size: 0,
    };
    let mut layer = Layer {
        root: upper.root(),
        tar: Writer::new(BufWriter::with_capacity(256 << 10, sum)),
        first_names: HashMap::new(),
    };
    for difference in &differences {
        layer
            .add(difference)
            .map_err(|error| error.within(as_path(&difference.path).display()))?;
    }
    let sum = layer
        .tar
        .finish()
        .and_then(|buffer| Ok(buffer.into_inner()?))
        .context(|| "write the layer")?;
    Ok(Diffed {
        diff_id: sum.hasher.finish(),
        size: sum.size,
    })
}

struct Layer<'a, W: Write> {
    root: &'a Root,
    tar: Writer<BufWriter<Summed<W>>>,
    /// Of files with several.
    first_names: HashMap<(u64, u64), Vec<u8>>,
}

impl<W: Write> Layer<'_, W> {
    fn add(&mut self, difference: &Difference) -> Result<()> {
        let path = &difference.path;
        if difference.kind == Kind::Deleted {
            return self
                .tar
                .header(&whiteout(path))
                .context(|| "write the layer");
        }
        if as_path(path)
            .file_name()
            .is_some_and(|name| name.as_bytes().starts_with(b".wh."))
        {
            return Err(Error::new(
                Code::Unsupported,
                "a layer cannot hold a file whose name begins with .wh.",
            ));
        }
        let handle = self
            .root
            .open_with(
                as_path(path),
                OFlags::PATH | OFlags::NOFOLLOW,
                Mode::empty(),
            )
            .context(|| "open")?;
        let stat = rustix::fs::fstat(&handle).context(|| "open")?;
        let Some(kind) = kind(&stat) else {
            return Ok(());
        };
        let mut entry = entry(path, kind, &stat);
        if kind != tar::Kind::Directory && stat.st_nlink > 1 {
            if let Some(first) = self.first_names.get(&(stat.st_dev, stat.st_ino)) {
                entry = tar::Entry {
                    kind: tar::Kind::HardLink,
                    target: first.clone(),
                    size: 0,
                    device: (0, 0),
                    ..entry
                };
                return self.tar.header(&entry).context(|| "write the layer");
            }
            self.first_names
                .insert((stat.st_dev, stat.st_ino), path.clone());
        }
        entry.xattrs = visible_xattrs(&handle).context(|| "list attributes")?;
        match kind {
            tar::Kind::File => return self.file(&entry),
            tar::Kind::Symlink => {
                entry.target = rustix::fs::readlinkat(&handle, c"", Vec::new())
                    .context(|| "read the link")?
                    .into_bytes();
            }
            tar::Kind::Directory => entry.path.push(b'/'),
            _ => {}
        }
        self.tar.header(&entry).context(|| "write the layer")
    }

    fn file(&mut self, entry: &tar::Entry) -> Result<()> {
        let file = self.root.open_file(as_path(&entry.path))?;
        self.tar.header(entry).context(|| "write the layer")?;
        let mut left = entry.size;
        let mut buffer = vec![0; 256 << 10];
        while left > 0 {
            let want = buffer
                .len()
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            let length = (&file).read(&mut buffer[..want]).context(|| "read")?;
            if length == 0 {
                return Err(
                    Error::new(Code::Aborted, "the file was cut short while it was read")
                        .hint("pause the container first"),
                );
            }
            self.tar
                .data(&buffer[..length])
                .context(|| "write the layer")?;
            left -= length as u64;
        }
        self.tar.end_data(entry.size).context(|| "write the layer")
    }
}

/// Sockets are names of processes, which no archive carries.
pub(crate) fn kind(stat: &Stat) -> Option<tar::Kind> {
    Some(match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => tar::Kind::File,
        FileType::Directory => tar::Kind::Directory,
        FileType::Symlink => tar::Kind::Symlink,
        FileType::CharacterDevice => tar::Kind::CharDevice,
        FileType::BlockDevice => tar::Kind::BlockDevice,
        FileType::Fifo => tar::Kind::Fifo,
        _ => return None,
    })
}

pub(crate) fn entry(path: &[u8], kind: tar::Kind, stat: &Stat) -> tar::Entry {
    let is_device = matches!(kind, tar::Kind::CharDevice | tar::Kind::BlockDevice);
    tar::Entry {
        // The root is called so by every tar.
        path: if path.is_empty() {
            b".".to_vec()
        } else {
            path.to_vec()
        },
        target: Vec::new(),
        kind,
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        mtime: (stat.st_mtime, stat.st_mtime_nsec as u32),
        size: if kind == tar::Kind::File {
            stat.st_size as u64
        } else {
            0
        },
        device: if is_device {
            (
                rustix::fs::major(stat.st_rdev),
                rustix::fs::minor(stat.st_rdev),
            )
        } else {
            (0, 0)
        },
        xattrs: Vec::new(),
        sparse: None,
    }
}

/// Without time or owner: there is nothing left that had them.
fn whiteout(path: &[u8]) -> tar::Entry {
    let at = path
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |slash| slash + 1);
    tar::Entry {
        path: [&path[..at], b".wh.", &path[at..]].concat(),
        target: Vec::new(),
        kind: tar::Kind::File,
        mode: 0,
        uid: 0,
        gid: 0,
        mtime: (0, 0),
        size: 0,
        device: (0, 0),
        xattrs: Vec::new(),
        sparse: None,
    }
}

struct Summed<W> {
    sink: W,
    hasher: Hasher,
    size: u64,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let length = self.sink.write(bytes)?;
        self.hasher.update(&bytes[..length]);
        self.size += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.sink.flush()
    }
}
