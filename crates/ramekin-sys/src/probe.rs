//! What the file system of a directory, and the kernel, can do for root file systems: tried, not guessed.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags};
use serde::Serialize;

use crate::rooted::Root;
use crate::{Context, Error, Result};

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FilesystemSupport {
    /// Writable overlays here, `trusted.overlay.*` attributes.
    pub overlay: bool,
    /// The same with `userxattr`, as user namespaces need it.
    pub overlay_user: bool,
    /// Layers one by one, without limit of length (kernel 6.7).
    pub lowerdir_plus: bool,
    pub reflink: bool,
    pub xattr_user: bool,
    /// Why not, by the names above.
    pub reasons: BTreeMap<&'static str, String>,
}

/// Leaves nothing behind: files go into a directory of their own, mounts into a mount namespace that ends with this call.
pub fn probe(directory: &Path) -> Result<FilesystemSupport> {
    let scratch = directory.join(format!(".probe-{}", std::process::id()));
    std::fs::create_dir(&scratch).context(|| format!("probe {}", directory.display()))?;
    let mut support = FilesystemSupport::default();
    let mut note = |name, result: Result<()>| match result {
        Ok(()) => true,
        Err(error) => {
            support.reasons.insert(name, error.message);
            false
        }
    };
    let reflink = note("reflink", try_reflink(&scratch));
    let xattr_user = note("xattrUser", try_user_xattr(&scratch));
    let overlay = note(
        "overlay",
        try_mounting(&scratch, "trusted", |dirs| try_overlay(dirs, "")),
    );
    let overlay_user = note(
        "overlayUser",
        try_mounting(&scratch, "user", |dirs| try_overlay(dirs, ",userxattr")),
    );
    let lowerdir_plus = note(
        "lowerdirPlus",
        try_mounting(&scratch, "plus", try_lowerdir_plus),
    );
    support = FilesystemSupport {
        overlay,
        overlay_user,
        lowerdir_plus,
        reflink,
        xattr_user,
        reasons: support.reasons,
    };
    let root = Root::open(directory)?;
    crate::tree::remove_tree(&root, Path::new(scratch.file_name().expect("was joined")))?;
    Ok(support)
}

fn try_reflink(scratch: &Path) -> Result<()> {
    std::fs::write(scratch.join("original"), [1; 8192]).context(|| "write a file")?;
    let original = File::open(scratch.join("original")).context(|| "open a file")?;
    let clone = File::create(scratch.join("clone")).context(|| "create a file")?;
    rustix::fs::ioctl_ficlone(&clone, &original).context(|| "clone a file")
}

fn try_user_xattr(scratch: &Path) -> Result<()> {
    let file = File::create(scratch.join("attributes")).context(|| "create a file")?;
    crate::xattr::set(&file, b"user.ramekin", b"1").context(|| "set an extended attribute")
}

/// The directories of one trial overlay.
struct Dirs {
    lower: PathBuf,
    upper: PathBuf,
    work: PathBuf,
    merged: PathBuf,
}

/// On a thread of its own, since unshare(2) concerns only the calling thread and the namespace ends with it.
fn try_mounting(scratch: &Path, name: &str, trial: fn(&Dirs) -> Result<()>) -> Result<()> {
    let base = scratch.join(name);
    let at = |part: &str| base.join(part);
    let dirs = Dirs {
        lower: at("lower"),
        upper: at("upper"),
        work: at("work"),
        merged: at("merged"),
    };
    for dir in [&dirs.lower, &dirs.upper, &dirs.work, &dirs.merged] {
        std::fs::create_dir_all(dir).context(|| dir.display().to_string())?;
    }
    std::fs::create_dir(dirs.lower.join("dir")).context(|| "make a directory")?;
    let run = move || {
        // SAFETY: touches no memory; affects this thread only.
        if unsafe { libc::unshare(libc::CLONE_NEWNS) } != 0 {
            return Err(Error::io(
                std::io::Error::last_os_error(),
                "create a mount namespace",
            ));
        }
        rustix::mount::mount_change(
            "/",
            MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
        )
        .context(|| "make mounts private")?;
        trial(&dirs)
    };
    std::thread::spawn(run)
        .join()
        .unwrap_or_else(|_| Err(Error::new(crate::Code::Internal, "the probe died")))
}

/// Mounting alone proves little: replacing a lower directory needs a whiteout and the opaque attribute.
fn try_overlay(dirs: &Dirs, more: &str) -> Result<()> {
    let options = format!(
        "lowerdir={},upperdir={},workdir={}{more}",
        dirs.lower.display(),
        dirs.upper.display(),
        dirs.work.display()
    );
    let options = crate::xattr::cstring(options.as_bytes()).context(|| "overlay options")?;
    rustix::mount::mount(
        "overlay",
        &dirs.merged,
        "overlay",
        MountFlags::empty(),
        options.as_c_str(),
    )
    .context(|| "mount an overlay")?;
    std::fs::remove_dir(dirs.merged.join("dir")).context(|| "make a whiteout")?;
    std::fs::create_dir(dirs.merged.join("dir")).context(|| "make an opaque directory")?;
    Ok(())
}

fn try_lowerdir_plus(dirs: &Dirs) -> Result<()> {
    let fs = rustix::mount::fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)
        .context(|| "open the overlay file system")?;
    for layer in [&dirs.upper, &dirs.lower] {
        rustix::mount::fsconfig_set_string(&fs, "lowerdir+", layer).context(|| "add a layer")?;
    }
    rustix::mount::fsconfig_create(&fs).context(|| "create an overlay")?;
    rustix::mount::fsmount(&fs, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
        .context(|| "mount an overlay")?;
    Ok(())
}
