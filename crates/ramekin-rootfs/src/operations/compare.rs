use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;

use ramekin_layer::{Diffed, Implied, Upper};
use ramekin_sys::mount::Mount;
use ramekin_sys::rooted::Root;
use ramekin_sys::{Code, Context, Error, Result};
use serde::{Deserialize, Serialize};

use super::trees::Done;
use crate::view::{Access, Stage, Tree};

#[derive(Deserialize)]
pub struct Diff {
    lower: Vec<Mount>,
    upper: Vec<Mount>,
    format: String,
    /// Only there to be mounted on.
    #[serde(default)]
    targets: Vec<PathBuf>,
}

pub fn diff(
    Diff {
        lower,
        upper,
        format,
        targets,
    }: Diff,
) -> Result<Diffed> {
    if format != "oci" {
        return Err(Error::new(
            Code::Unsupported,
            format!("diff: unknown format {format}"),
        ));
    }
    let stage = Stage::default();
    let tree = match ramekin_layer::upper_of(&lower, &upper) {
        Some(directory) => Upper::Layer(Root::open(&directory)?),
        None => Upper::Tree(stage.mount(&upper, Access::Read)?),
    };
    ramekin_layer::diff(
        &stage.mount(&lower, Access::Read)?,
        &tree,
        &targets,
        output()?,
    )
}

#[derive(Deserialize)]
pub struct Changes {
    /// An overlay's upper directory; or
    directory: Option<PathBuf>,
    /// a whole tree.
    upper: Option<Vec<Mount>>,
    lower: Vec<Mount>,
    /// Only there to be mounted on.
    #[serde(default)]
    targets: Vec<PathBuf>,
}

pub fn changes(
    Changes {
        directory,
        upper,
        lower,
        targets,
    }: Changes,
) -> Result<Done> {
    let stage = Stage::default();
    let upper = match (directory, upper) {
        (Some(directory), None) => Upper::Layer(Root::open(&directory)?),
        (None, Some(mounts)) => match ramekin_layer::upper_of(&lower, &mounts) {
            Some(directory) => Upper::Layer(Root::open(&directory)?),
            None => Upper::Tree(stage.mount(&mounts, Access::Read)?),
        },
        _ => {
            return Err(Error::new(
                Code::InvalidArgument,
                "what has changed is either a directory or mounts",
            ))
        }
    };
    let lower = stage.mount(&lower, Access::Read)?;
    ramekin_layer::changes(&lower, &upper, &targets, &mut BufWriter::new(output()?))?;
    Ok(Done {})
}

#[derive(Deserialize)]
pub struct Adopt {
    directory: PathBuf,
    lower: Vec<Mount>,
    implied: Vec<String>,
}

pub fn adopt(
    Adopt {
        directory,
        lower,
        implied,
    }: Adopt,
) -> Result<Done> {
    let implied = implied
        .iter()
        .map(|text| Implied::parse(text))
        // On nothing, directories stay as they were made; a link to nothing is still an error.
        .filter(|item| !lower.is_empty() || !matches!(item, Ok(Implied::Directory(_))))
        .collect::<Result<Vec<_>>>()?;
    let lower = Stage::default().mount(&lower, Access::Read)?;
    ramekin_layer::adopt(&Root::open(&directory)?, &lower, &implied)?;
    Ok(Done {})
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Read {
    #[serde(flatten)]
    tree: Tree,
    path: PathBuf,
    max_bytes: u64,
}

#[derive(Serialize)]
pub struct Size {
    size: u64,
}

pub fn read(
    Read {
        tree,
        path,
        max_bytes,
    }: Read,
) -> Result<Size> {
    let root = Stage::default().open(&tree, Access::Read)?;
    let bytes = root.read_file(&path, max_bytes)?;
    output()?
        .write_all(&bytes)
        .context(|| "write to standard output")?;
    Ok(Size {
        size: bytes.len() as u64,
    })
}

/// Without the line buffer of `std::io::stdout`.
pub fn output() -> Result<File> {
    let fd = std::io::stdout()
        .as_fd()
        .try_clone_to_owned()
        .context(|| "write to standard output")?;
    Ok(File::from(fd))
}
