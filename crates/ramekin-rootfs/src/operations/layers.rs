use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};

use ramekin_layer::{Applied, Blob, Options};
use ramekin_sys::{Context, Result};
use serde::Deserialize;

use crate::view::{Access, Stage, Tree};

#[derive(Deserialize)]
pub struct Apply {
    #[serde(flatten)]
    tree: Tree,
    #[serde(flatten)]
    blob: Blob,
    #[serde(flatten)]
    options: Options,
}

pub fn apply(
    Apply {
        tree,
        blob,
        options,
    }: Apply,
) -> Result<Applied> {
    let root = Stage::default().open(&tree, Access::Write)?;
    confine(root.as_fd())?;
    let blob_file = File::from(
        std::io::stdin()
            .as_fd()
            .try_clone_to_owned()
            .context(|| "read standard input")?,
    );
    // The kernel may read further ahead; a pipe refuses, and does not matter.
    let _ = rustix::fs::fadvise(&blob_file, 0, None, rustix::fs::Advice::Sequential);
    ramekin_layer::apply(&root, blob_file, &blob, options)
}

/// The second fence: even a mistake of ours in resolving names has nowhere else to go.
pub fn confine(root: BorrowedFd<'_>) -> Result<()> {
    rustix::process::fchdir(root).context(|| "enter the directory")?;
    rustix::process::chroot(".").context(|| "confine to the directory")
}
