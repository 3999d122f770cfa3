//! Mounts in which files belong to others than the disk says, mount_setattr(2), "ID-mapped mounts".

use std::fs;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::mount::OpenTreeFlags;

use crate::mount::{attach, split_layers, Mount};
use crate::userns::{pipe, write_maps, IdMap, Maps};
use crate::{Code, Context, Error, Result};

/// The same mounts, with the ids of their files on disk taken for ids of the user namespace that has these maps. What is needed
/// for that is mounted below `directory`. An overlay cannot be mapped, but its layers can (Linux 5.19).
pub fn mapped(mounts: &[Mount], maps: &Maps, directory: &Path) -> Result<Vec<Mount>> {
    let mut places = Places {
        namespace: namespace(&with_root(maps))?,
        directory,
        count: 0,
    };
    mounts.iter().map(|mount| places.mapped(mount)).collect()
}

struct Places<'a> {
    namespace: OwnedFd,
    directory: &'a Path,
    count: usize,
}

impl Places<'_> {
    fn mapped(&mut self, mount: &Mount) -> Result<Mount> {
        let mut made = mount.clone();
        match mount.kind.as_str() {
            "bind" => made.source = text(&self.place(Path::new(&mount.source))?),
            "overlay" => made.options = self.layers(&mount.options)?,
            _ => {}
        }
        Ok(made)
    }

    fn layers(&mut self, options: &[String]) -> Result<Vec<String>> {
        // The upper and the work directory have to be in one mount.
        let mut upper: Option<(PathBuf, PathBuf)> = None;
        let mut made = Vec::new();
        for option in options {
            match option.split_once('=') {
                Some(("lowerdir", layers)) => {
                    let placed = split_layers(layers)
                        .into_iter()
                        .map(|layer| Ok(escape(&text(&self.place(Path::new(&layer))?))))
                        .collect::<Result<Vec<_>>>()?;
                    made.push(format!("lowerdir={}", placed.join(":")));
                }
                Some((name @ ("upperdir" | "workdir"), path)) => {
                    let path = Path::new(path);
                    let parent = path.parent().unwrap_or(path);
                    let place = match &upper {
                        Some((known, place)) if known == parent => place.clone(),
                        _ => self.place(parent)?,
                    };
                    upper = Some((parent.into(), place.clone()));
                    let last = path.file_name().unwrap_or_default();
                    made.push(format!("{name}={}", text(&place.join(last))));
                }
                _ => made.push(option.clone()),
            }
        }
        Ok(made)
    }

    fn place(&mut self, source: &Path) -> Result<PathBuf> {
        let target = self.directory.join(self.count.to_string());
        self.count += 1;
        let what = || format!("map the ids of {}", source.display());
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        let tree = rustix::mount::open_tree(CWD, source, flags).context(what)?;
        map_ids(tree.as_fd(), self.namespace.as_fd()).map_err(|error| {
            match error.raw_os_error() {
                Some(libc::EINVAL) => Error::new(
                    Code::Unsupported,
                    format!(
                        "{}: its file system or this kernel has no id-mapped mounts",
                        what()
                    ),
                )
                .hint("keep the store on ext4, xfs, btrfs or tmpfs, and use Linux 5.19 or later"),
                _ => Error::io(error, what()),
            }
        })?;
        fs::create_dir_all(&target).context(|| target.display().to_string())?;
        attach(&tree, &target)?;
        Ok(target)
    }
}

/// An overlay's own work on its upper layer is done as whoever mounts it: root, who needs an id on that disk too. It is one that
/// nobody has.
fn with_root(maps: &Maps) -> Maps {
    let extended = |maps: &[IdMap]| {
        let covered = maps.iter().any(|map| map.host_id == 0);
        let spare = IdMap {
            container_id: u32::MAX - 1,
            host_id: 0,
            size: 1,
        };
        maps.iter()
            .cloned()
            .chain((!covered).then_some(spare))
            .collect()
    };
    Maps {
        uids: extended(&maps.uids),
        gids: extended(&maps.gids),
    }
}

/// A user namespace with these maps that nobody lives in. The caller must have one thread.
pub fn namespace(maps: &Maps) -> Result<OwnedFd> {
    let (ready, go) = (pipe()?, pipe()?);
    // SAFETY: the process has one thread, so the child may do whatever its parent could.
    let child = match unsafe { libc::fork() } {
        -1 => {
            return Err(Error::io(
                std::io::Error::last_os_error(),
                "fork for a user namespace",
            ))
        }
        0 => {
            drop((ready.0, go.1));
            // SAFETY: touches no memory; no Rust frame above this one may go on in the child.
            unsafe {
                if libc::unshare(libc::CLONE_NEWUSER) == 0 {
                    let _ = fs::File::from(ready.1).write_all(b"!");
                    let _ = fs::File::from(go.0).read(&mut [0]);
                }
                libc::_exit(0)
            }
        }
        pid => pid,
    };
    drop((ready.1, go.0));
    let made = fs::File::from(ready.0)
        .read_exact(&mut [0])
        .context(|| "create a user namespace")
        .and_then(|()| write_maps(child, "uid", &maps.uids))
        .and_then(|()| write_maps(child, "gid", &maps.gids))
        .and_then(|()| {
            fs::File::open(format!("/proc/{child}/ns/user")).context(|| "open a user namespace")
        });
    drop(go.1);
    // SAFETY: waits for our own child; a null status is allowed.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    Ok(made?.into())
}

fn map_ids(mount: BorrowedFd<'_>, namespace: BorrowedFd<'_>) -> std::io::Result<()> {
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_IDMAP,
        attr_clr: 0,
        propagation: 0,
        userns_fd: namespace.as_raw_fd() as u64,
    };
    // SAFETY: an empty path, and a structure that outlives the call, with its own size.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            &attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// What `work` makes belongs to the root of these maps, not to ours, whose id they may not have. The capabilities stay: they would
/// go with the id, were it not for the securebit (capabilities(7)).
pub fn as_root_of<T>(maps: &Maps, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let root = |maps: &[IdMap]| {
        maps.iter()
            .find(|map| map.container_id == 0)
            .map(|map| map.host_id)
    };
    let (Some(uid), Some(gid)) = (root(&maps.uids), root(&maps.gids)) else {
        return work();
    };
    // SAFETY: plain system calls on this thread, undone below.
    let (before, kept) = unsafe {
        let before = libc::prctl(libc::PR_GET_SECUREBITS);
        (
            before,
            libc::prctl(libc::PR_SET_SECUREBITS, before | NO_SETUID_FIXUP),
        )
    };
    // Refused without CAP_SETPCAP, and then nothing has changed.
    if before < 0 || kept != 0 {
        return Err(Error::io(
            std::io::Error::last_os_error(),
            "keep capabilities as another user",
        ));
    }
    // SAFETY: as above; these cannot fail for who has CAP_SETUID and CAP_SETGID.
    unsafe {
        libc::setfsgid(gid);
        libc::setfsuid(uid);
    }
    let result = work();
    // SAFETY: as above.
    unsafe {
        libc::setfsuid(0);
        libc::setfsgid(0);
        libc::prctl(libc::PR_SET_SECUREBITS, before);
    }
    result
}

/// SECBIT_NO_SETUID_FIXUP, linux/securebits.h.
const NO_SETUID_FIXUP: libc::c_int = 1 << 2;

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn escape(layer: &str) -> String {
    layer.replace('\\', "\\\\").replace(':', "\\:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(container_id: u32, host_id: u32, size: u32) -> IdMap {
        IdMap {
            container_id,
            host_id,
            size,
        }
    }

    #[test]
    fn root_has_an_id_of_its_own_unless_the_maps_have_one() {
        let plain = Maps {
            uids: vec![map(0, 100_000, 65_536)],
            gids: vec![map(0, 0, 10)],
        };
        let extended = with_root(&plain);
        assert_eq!(
            extended.uids,
            [map(0, 100_000, 65_536), map(u32::MAX - 1, 0, 1)]
        );
        assert_eq!(extended.gids, plain.gids);
    }

    #[test]
    fn a_layer_with_a_colon_stays_one() {
        assert_eq!(split_layers(&escape(r"/a:b\c")), [r"/a:b\c"]);
    }
}
