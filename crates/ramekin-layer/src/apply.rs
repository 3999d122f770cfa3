//! A layer's blob, written into a directory in one pass: verify, decompress, hash, create.

mod attributes;
mod links;
pub(crate) mod names;
mod pipeline;
pub(crate) mod place;
mod whiteout;
mod writer;

use std::io::Read;

use ramekin_sys::rooted::Root;
use ramekin_sys::{Code, Context, Result};
use serde::{Deserialize, Serialize};

use crate::overlay::Namespace;
use crate::tar::Reader;
use crate::Implied;
use writer::Writer;

/// What the blob must turn out to be; all unknown: uncompressed and unverified.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blob {
    pub media_type: Option<String>,
    pub digest: Option<String>,
    pub size: Option<u64>,
}

/// Beyond any of them, RESOURCE_EXHAUSTED.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Limits {
    /// Uncompressed bytes, and also bytes of files, holes included.
    pub size: Option<u64>,
    pub entries: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whiteouts {
    /// The directory is the merged view: they remove what they name.
    #[default]
    Delete,
    /// The directory is a layer of an overlay: they are kept, as overlayfs has them.
    Overlay,
    OverlayUser,
}

impl Whiteouts {
    fn namespace(self) -> Option<Namespace> {
        match self {
            Self::Delete => None,
            Self::Overlay => Some(Namespace::Trusted),
            Self::OverlayUser => Some(Namespace::User),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Options {
    pub whiteouts: Whiteouts,
    pub limits: Limits,
    /// Everything belongs to us: in a user namespace of one id nothing else can be said.
    pub ignore_ownership: bool,
    /// A device that may not be made is an error, instead of counted in `skipped`.
    pub strict_devices: bool,
    /// One syncfs(2) at the end.
    pub durable: bool,
    /// The archive is no layer: no name has a meaning, a directory takes no other's place nor gives its own up, and the
    /// root stays as it is.
    pub verbatim: bool,
    /// All of it is this user's and group's.
    pub owner: Option<(u32, u32)>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    #[serde(rename = "diffID")]
    pub diff_id: String,
    /// Uncompressed bytes.
    pub size: u64,
    pub entries: u64,
    #[serde(serialize_with = "as_text")]
    pub implied: Vec<Implied>,
    pub skipped: Skipped,
}

/// What could not be made here, and a container can mostly live without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Skipped {
    pub devices: u64,
    pub xattrs: u64,
}

fn as_text<S: serde::Serializer>(
    implied: &[Implied],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_seq(implied.iter().map(Implied::to_text))
}

/// The caller discards the directory on any error: it may hold half a layer.
pub fn apply(
    root: &Root,
    source: impl Read + Send + 'static,
    blob: &Blob,
    options: Options,
) -> Result<Applied> {
    let mut reader = Reader::new(pipeline::start(source, blob, options.limits.size)?);
    let mut writer = Writer::new(root, options)?;
    let mut seen = Seen::default();
    let written = write_all(&mut reader, &mut writer, &mut seen);
    if let Err(error) = written {
        return Err(match error.code {
            // A wrong digest explains better than whatever nonsense the wrong bytes held.
            Code::DataLoss | Code::InvalidArgument | Code::Unsupported => {
                reader.into_inner().finish().err().unwrap_or(error)
            }
            _ => error,
        });
    }
    let (diff_id, size) = reader.into_inner().finish()?;
    let (mut implied, skipped) = writer.finish()?;
    if options.whiteouts != Whiteouts::Delete && !seen.root {
        implied.insert(0, Implied::Directory(Vec::new()));
    }
    if options.durable {
        rustix::fs::syncfs(root.as_fd()).context(|| "sync the layer")?;
    }
    Ok(Applied {
        diff_id,
        size,
        entries: seen.entries,
        implied,
        skipped,
    })
}

#[derive(Default)]
struct Seen {
    entries: u64,
    /// Whether the root directory has an entry of its own; else it is implied like any other.
    root: bool,
}

fn write_all(
    reader: &mut Reader<pipeline::Chunks>,
    writer: &mut Writer<'_>,
    seen: &mut Seen,
) -> Result<()> {
    while let Some(mut entry) = reader.next_entry()? {
        (entry.uid, entry.gid) = writer.options.owner.unwrap_or((entry.uid, entry.gid));
        seen.entries += 1;
        seen.root = seen.root || names::clean(&entry.path).is_ok_and(|path| path.is_empty());
        let written = writer
            .check(&entry, seen.entries)
            .and_then(|()| writer.write(&entry, reader));
        written.map_err(|error| match writer.options.verbatim {
            true => error.within(entry.name()),
            false => error.within(format!("layer entry {}", entry.name())),
        })?;
    }
    Ok(())
}
