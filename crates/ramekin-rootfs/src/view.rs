//! Opening what `Mount[]` describes, seen by nobody else.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use ramekin_sys::mount::{mount_all, mount_one, unshare_namespace, Mount};
use ramekin_sys::rooted::Root;
use ramekin_sys::{Code, Context, Error, Result};
use serde::Deserialize;

/// Exists on every Linux, and nothing below it can be anybody's layer: trees are mounted over it, in our own mount
/// namespace, so that nothing has to be made or removed for it.
const STAGE: &str = "/sys";

/// A tree, by its directory or by its mounts.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Tree {
    pub directory: Option<PathBuf>,
    pub mounts: Option<Vec<Mount>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

/// Where trees of one process are mounted; the mounts end with it.
#[derive(Default)]
pub struct Stage {
    used: Cell<u32>,
}

impl Stage {
    pub fn open(&self, tree: &Tree, access: Access) -> Result<Root> {
        match (&tree.directory, &tree.mounts) {
            (Some(directory), None) => Root::open(directory),
            (None, Some(mounts)) => self.mount(mounts, access),
            _ => Err(Error::new(
                Code::InvalidArgument,
                "a tree is either a directory or mounts",
            )),
        }
    }

    /// No mounts at all are an empty tree.
    pub fn mount(&self, mounts: &[Mount], access: Access) -> Result<Root> {
        if let [only] = mounts {
            if let Some(source) = plain_directory(only, access) {
                return Root::open(source);
            }
        }
        let target = self.slot()?;
        mount_all(mounts, &target)?;
        Root::open(&target)
    }

    fn slot(&self) -> Result<PathBuf> {
        let number = self.used.replace(self.used.get() + 1);
        if number == 0 {
            unshare_namespace()?;
            let tmpfs = Mount {
                kind: "tmpfs".into(),
                source: "tmpfs".into(),
                options: vec!["mode=0700".into()],
            };
            mount_one(&tmpfs, Path::new(STAGE))?;
        }
        let target = Path::new(STAGE).join(number.to_string());
        std::fs::create_dir(&target).context(|| target.display().to_string())?;
        Ok(target)
    }
}

/// A bind mount of a directory shows what the directory shows: no need to make it.
fn plain_directory(mount: &Mount, access: Access) -> Option<&Path> {
    let is_bind = mount.kind == "bind"
        || mount
            .options
            .iter()
            .any(|option| option == "bind" || option == "rbind");
    let known = |option: &String| match option.as_str() {
        "bind" | "rbind" | "rw" => true,
        "ro" => access == Access::Read,
        _ => false,
    };
    (is_bind && mount.options.iter().all(known)).then(|| Path::new(&mount.source))
}
