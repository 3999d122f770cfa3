//! Performing `Mount[]`, the seam between storage and isolation (core's `Mount`; OCI runtime spec, "Mounts").
//!
//! All through the new mount API (fsopen(2), open_tree(2), mount_setattr(2)): every mount is made detached and complete, with
//! its flags, and only then attached. An overlay's layers are passed one by one, so neither their number nor colons and
//! commas in their paths matter; `overlay` has the fallback for kernels before 6.7.

mod foreign;
mod options;
mod overlay;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::CWD;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags,
    OpenTreeFlags, UnmountFlags,
};
use serde::Deserialize;

use crate::{Code, Context, Error, Result};
pub use foreign::mount_from;
use options::Options;
pub(crate) use overlay::split_layers;

/// Options are those of mount(8), one per element, `ro`, `rbind`, `nosuid`, `rslave` … among them; what is none of these
/// is the file system's own. In `lowerdir=a:b`, `\:` is a colon and `\\` a backslash of a path.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Mount {
    #[serde(rename = "type")]
    pub kind: String,
    pub source: String,
    #[serde(default)]
    pub options: Vec<String>,
}

/// One over the other at `target`. When one fails, those before it are undone.
pub fn mount_all(mounts: &[Mount], target: &Path) -> Result<()> {
    for (done, mount) in mounts.iter().enumerate() {
        if let Err(error) = mount_one(mount, target) {
            for _ in 0..done {
                let _ = rustix::mount::unmount(target, UnmountFlags::DETACH);
            }
            return Err(error);
        }
    }
    Ok(())
}

pub fn mount_one(mount: &Mount, target: &Path) -> Result<()> {
    let options = Options::parse(&mount.options)?;
    let made = match (mount.kind.as_str(), options.bind) {
        ("bind", _) | (_, true) => Some(clone_tree(&mount.source, &options)?),
        ("overlay", _) => overlay::create(mount, &options, target)?,
        _ => Some(create(mount, &options)?),
    };
    if let Some(made) = made {
        attach(&made, target)?;
    }
    match options.propagation {
        Some(propagation) => rustix::mount::mount_change(target, propagation)
            .context(|| format!("change the propagation of {}", target.display())),
        None => Ok(()),
    }
}

/// A bind mount on what a descriptor names, whatever its path has become.
pub fn bind_on(mount: &Mount, target: BorrowedFd<'_>) -> Result<()> {
    let made = clone_tree(&mount.source, &Options::parse(&mount.options)?)?;
    rustix::mount::move_mount(
        &made,
        "",
        target,
        "",
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH,
    )
    .context(|| format!("bind {}", mount.source))
}

/// Unmounts everything stacked at `target`, detached if busy. Nothing mounted there, or nothing there at all, is success.
pub fn unmount_all(target: &Path) -> Result<()> {
    loop {
        match rustix::mount::unmount(target, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
            Ok(()) => {}
            Err(
                rustix::io::Errno::INVAL | rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR,
            ) => return Ok(()),
            Err(error) => return Err(Error::io(error, format!("unmount {}", target.display()))),
        }
    }
}

/// A mount namespace of our own that still sees what the host mounts later, and that the host never sees into.
pub fn unshare_namespace() -> Result<()> {
    // SAFETY: touches no memory; a process of one thread moves as a whole.
    if unsafe { libc::unshare(libc::CLONE_NEWNS) } != 0 {
        return Err(Error::io(
            std::io::Error::last_os_error(),
            "create a mount namespace",
        ));
    }
    make_slave()
}

/// In a mount namespace that is ours already.
pub fn make_slave() -> Result<()> {
    rustix::mount::mount_change(
        "/",
        MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC,
    )
    .context(|| "make the mounts of the new namespace slaves")
}

/// A detached, read-only mount of one file: what runs from it cannot be written through /proc/PID/exe (CVE-2019-5736).
pub fn sealed_clone(file: &Path) -> std::io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = rustix::mount::open_tree(CWD, file, flags)?;
    set_attributes(tree.as_fd(), libc::MOUNT_ATTR_RDONLY, 0, false)?;
    Ok(tree)
}

pub(crate) fn attach(made: &OwnedFd, target: &Path) -> Result<()> {
    rustix::mount::move_mount(
        made,
        "",
        CWD,
        target,
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
    )
    .context(|| format!("mount at {}", target.display()))
}

fn clone_tree(source: &str, options: &Options) -> Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if options.recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    let tree = rustix::mount::open_tree(CWD, source, flags).context(|| format!("bind {source}"))?;
    // A bind mount has no file system to configure: what is left over is what nobody understood.
    if let Some((name, _)) = options.data.first() {
        return Err(Error::new(
            Code::InvalidArgument,
            format!("bind {source}: unknown option {name}"),
        ));
    }
    set_attributes(tree.as_fd(), options.set, options.clear, false)
        .context(|| format!("bind {source}: set its flags"))?;
    Ok(tree)
}

fn create(mount: &Mount, options: &Options) -> Result<OwnedFd> {
    let what = || format!("mount {} of type {}", mount.source, mount.kind);
    let fs =
        rustix::mount::fsopen(mount.kind.as_str(), FsOpenFlags::FSOPEN_CLOEXEC).context(what)?;
    configure(&fs, &mount.source, options).map_err(|error| explain(&fs, error, what()))?;
    finish(&fs, options).map_err(|error| explain(&fs, error, what()))
}

fn configure(fs: &OwnedFd, source: &str, options: &Options) -> rustix::io::Result<()> {
    if !source.is_empty() {
        rustix::mount::fsconfig_set_string(fs, "source", source)?;
    }
    if options.set & libc::MOUNT_ATTR_RDONLY != 0 {
        rustix::mount::fsconfig_set_flag(fs, "ro")?;
    }
    options
        .data
        .iter()
        .try_for_each(|(name, value)| match value {
            Some(value) => rustix::mount::fsconfig_set_string(fs, *name, *value),
            None => rustix::mount::fsconfig_set_flag(fs, *name),
        })
}

fn finish(fs: &OwnedFd, options: &Options) -> rustix::io::Result<OwnedFd> {
    rustix::mount::fsconfig_create(fs)?;
    let attributes = MountAttrFlags::from_bits_retain(options.set as u32);
    rustix::mount::fsmount(fs, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

/// The kernel says more than an errno: lines `e overlay: …` wait on the descriptor.
fn explain(fs: &OwnedFd, error: rustix::io::Errno, what: String) -> Error {
    let mut said = String::new();
    let mut line = [0; 512];
    while let Ok(length @ 1..) = rustix::io::read(fs, &mut line) {
        let text = String::from_utf8_lossy(&line[..length]);
        said.push_str(": ");
        said.push_str(text.get(2..).unwrap_or("").trim());
    }
    Error::io(error, format!("{what}{said}"))
}

/// mount_setattr(2), which rustix has not.
fn set_attributes(
    mount: BorrowedFd<'_>,
    set: u64,
    clear: u64,
    recursive: bool,
) -> std::io::Result<()> {
    if set == 0 && clear == 0 {
        return Ok(());
    }
    // An access-time mode replaces the one there is: the kernel wants the old one cleared with it.
    let clear = if set & libc::MOUNT_ATTR__ATIME != 0 || clear & libc::MOUNT_ATTR__ATIME != 0 {
        clear | libc::MOUNT_ATTR__ATIME
    } else {
        clear
    };
    let attributes = libc::mount_attr {
        attr_set: set,
        attr_clr: clear,
        propagation: 0,
        userns_fd: 0,
    };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: an empty path, and a structure that outlives the call, with its own size.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}
