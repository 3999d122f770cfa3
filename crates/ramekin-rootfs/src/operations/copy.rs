//! `cp` and what volumes need: files that go from one tree to another as a plain tar, or as they are.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::PathBuf;

use ramekin_layer::{Blob, Options};
use ramekin_sys::rooted::Root;
use ramekin_sys::tree::{copy_tree, own_tree, read_dir};
use ramekin_sys::userns::{IdMap, Maps};
use ramekin_sys::{passwd, Code, Context, Error, Result};
use rustix::fs::{FileType, OFlags};
use serde::{Deserialize, Serialize};

use super::compare::output;
use super::layers::confine;
use super::trees::Done;
use crate::view::{Access, Stage, Tree};

#[derive(Deserialize)]
pub struct Look {
    #[serde(flatten)]
    tree: Tree,
    path: PathBuf,
    /// A link in the last place, too.
    #[serde(default)]
    follow: bool,
}

#[derive(Serialize)]
pub struct Looked {
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<Found>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    kind: &'static str,
    size: u64,
    mode: u32,
    /// Of a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

pub fn look(Look { tree, path, follow }: Look) -> Result<Looked> {
    let stage = Stage::default();
    let root = stage.open(&tree, Access::Write)?;
    let found = ramekin_layer::look(&root, &path, follow)?;
    Ok(Looked {
        found: found.map(|(stat, target)| {
            let kind = FileType::from_raw_mode(stat.st_mode);
            Found {
                kind: match kind {
                    FileType::RegularFile => "file",
                    FileType::Directory => "directory",
                    FileType::Symlink => "link",
                    _ => "other",
                },
                size: stat.st_size as u64,
                mode: stat.st_mode & 0o7777,
                target: (kind == FileType::Symlink)
                    .then(|| String::from_utf8_lossy(&target).into_owned()),
            }
        }),
    })
}

#[derive(Deserialize)]
pub struct Pack {
    #[serde(flatten)]
    tree: Tree,
    path: PathBuf,
    #[serde(default)]
    follow: bool,
    /// What it is called in the archive; without, only what is in it comes.
    #[serde(default)]
    name: String,
}

pub fn pack(
    Pack {
        tree,
        path,
        follow,
        name,
    }: Pack,
) -> Result<Done> {
    let stage = Stage::default();
    let root = stage.open(&tree, Access::Write)?;
    ramekin_layer::pack(&root, &path, follow, &name, output()?)?;
    Ok(Done {})
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unpack {
    #[serde(flatten)]
    tree: Tree,
    /// A directory.
    path: PathBuf,
    /// Whose all of it will be, by name or number as the tree knows them.
    user: Option<String>,
    /// Whoever runs this owns it.
    #[serde(default)]
    ignore_ownership: bool,
}

pub fn unpack(
    Unpack {
        tree,
        path,
        user,
        ignore_ownership,
    }: Unpack,
) -> Result<Done> {
    let stage = Stage::default();
    let root = stage.open(&tree, Access::Write)?;
    let owner = match user {
        Some(user) => {
            let identity = passwd::resolve(&root, &user, &[])?;
            Some((identity.uid, identity.gid))
        }
        None => None,
    };
    let directory = Root::from_fd(root.open_dir(&path)?);
    // Whoever has no privileges has only files to lose that are theirs, and no name of the archive leads out as it is.
    match confine(directory.as_fd()) {
        Err(error) if error.code == Code::PermissionDenied => {}
        result => result?,
    }
    let archive = File::from(
        std::io::stdin()
            .as_fd()
            .try_clone_to_owned()
            .context(|| "read standard input")?,
    );
    let options = Options {
        ignore_ownership,
        verbatim: true,
        owner,
        ..Options::default()
    };
    ramekin_layer::apply(&directory, archive, &Blob::default(), options)?;
    Ok(Done {})
}

#[derive(Deserialize)]
pub struct Populate {
    #[serde(flatten)]
    tree: Tree,
    path: PathBuf,
    /// A directory; left alone unless it is empty.
    to: PathBuf,
    /// Of the container's user namespace: whose ids the owners become.
    ids: Option<Maps>,
}

#[derive(Serialize)]
pub struct Populated {
    copied: bool,
}

/// What the tree has at `path`, if that is a directory, with its owner and mode.
pub fn populate(
    Populate {
        tree,
        path,
        to,
        ids,
    }: Populate,
) -> Result<Populated> {
    let stage = Stage::default();
    let to = Root::open(&to)?;
    let filled = !read_dir(to.as_fd()).context(|| "list")?.is_empty();
    let from = stage.open(&tree, Access::Write)?.open_with(
        &path,
        OFlags::RDONLY | OFlags::DIRECTORY,
        rustix::fs::Mode::empty(),
    );
    if filled {
        return Ok(Populated { copied: false });
    }
    let target = || rustix::io::dup(to.as_fd()).context(|| "copy");
    let copied = from.is_ok();
    if let Ok(from) = from {
        copy_tree(from, target()?)?;
    }
    if let Some(ids) = ids {
        own_tree(target()?, |uid, gid| {
            (on_host(&ids.uids, uid), on_host(&ids.gids, gid))
        })
        .context(|| "give it to the container's ids")?;
    }
    Ok(Populated { copied })
}

/// What the container calls `id`; one that it has no name for stays.
fn on_host(map: &[IdMap], id: u32) -> u32 {
    let within = |range: &&IdMap| id >= range.container_id && id - range.container_id < range.size;
    map.iter()
        .find(within)
        .map_or(id, |range| range.host_id + (id - range.container_id))
}

#[derive(Deserialize)]
pub struct Chown {
    /// Where the user is looked up.
    #[serde(flatten)]
    tree: Tree,
    user: String,
    path: PathBuf,
    ids: Option<Maps>,
}

pub fn chown(
    Chown {
        tree,
        user,
        path,
        ids,
    }: Chown,
) -> Result<Done> {
    let stage = Stage::default();
    let identity = passwd::resolve(&stage.open(&tree, Access::Write)?, &user, &[])?;
    let target = rustix::fs::open(
        &path,
        OFlags::PATH | OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )
    .context(|| path.display().to_string())?;
    let owner = match &ids {
        Some(ids) => (
            on_host(&ids.uids, identity.uid),
            on_host(&ids.gids, identity.gid),
        ),
        None => (identity.uid, identity.gid),
    };
    own_tree(target, |_, _| owner).map_err(|error| {
        Error::new(
            Code::of(&error),
            format!("give {} to {}: {error}", path.display(), user),
        )
    })?;
    Ok(Done {})
}
