//! How overlayfs keeps what tar says by whiteouts (kernel documentation, filesystems/overlayfs).

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use ramekin_sys::mount::Mount;
use ramekin_sys::xattr;
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

/// Where overlayfs keeps its attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    Trusted,
    /// Mounted with `userxattr`: user namespaces may not write trusted ones.
    User,
}

impl Namespace {
    pub fn opaque(self) -> &'static str {
        match self {
            Self::Trusted => "trusted.overlay.opaque",
            Self::User => "user.overlay.opaque",
        }
    }
}

/// Attributes that are overlayfs's own: never taken from a layer, never put into one.
pub fn is_private(name: &[u8]) -> bool {
    name.starts_with(b"trusted.overlay.") || name.starts_with(b"user.overlay.")
}

/// Makes a name disappear. A character device 0:0, which user namespaces may make since Linux 5.8; where even that is
/// refused, the attribute that `userxattr` mounts know instead (6.7).
pub fn make_whiteout(
    parent: BorrowedFd<'_>,
    name: &CStr,
    namespace: Namespace,
) -> std::io::Result<()> {
    match rustix::fs::mknodat(parent, name, FileType::CharacterDevice, Mode::empty(), 0) {
        Err(Errno::PERM) if namespace == Namespace::User => {}
        result => return Ok(result?),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(parent, name, flags, Mode::empty())?;
    xattr::set(&file, b"user.overlay.whiteout", b"y")?;
    if !is_opaque(parent)? {
        xattr::set(parent, Namespace::User.opaque().as_bytes(), b"x")?;
    }
    Ok(())
}

pub fn is_whiteout(parent: BorrowedFd<'_>, name: &CStr, stat: &Stat) -> std::io::Result<bool> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice => Ok(stat.st_rdev == 0),
        FileType::RegularFile if stat.st_size == 0 => {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let file = match rustix::fs::openat(parent, name, flags, Mode::empty()) {
                Err(Errno::NOENT | Errno::LOOP) => return Ok(false),
                result => result?,
            };
            Ok(xattr::get(&file, "user.overlay.whiteout")?.is_some()
                || xattr::get(&file, "trusted.overlay.whiteout")?.is_some())
        }
        _ => Ok(false),
    }
}

pub fn set_opaque(directory: impl AsFd, namespace: Namespace) -> std::io::Result<()> {
    xattr::set(directory, namespace.opaque().as_bytes(), b"y")
}

pub fn is_opaque(directory: impl AsFd) -> std::io::Result<bool> {
    for namespace in [Namespace::Trusted, Namespace::User] {
        if xattr::get(directory.as_fd(), namespace.opaque())?.as_deref() == Some(b"y") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The writable layer of `upper`, when `upper` is an overlay on exactly what `lower` shows: then what it has changed is
/// all in there. `None`: compare the trees.
pub fn upper_of(lower: &[Mount], upper: &[Mount]) -> Option<PathBuf> {
    let [Mount { kind, options, .. }] = upper else {
        return None;
    };
    let (below, above) = (layers(lower)?, lower_directories(options));
    let same = kind == "overlay" && below == above;
    let directory = options
        .iter()
        .find_map(|option| option.strip_prefix("upperdir="))?;
    same.then(|| PathBuf::from(directory))
}

fn layers(mounts: &[Mount]) -> Option<Vec<String>> {
    match mounts {
        [] => Some(Vec::new()),
        [Mount { kind, options, .. }]
            if kind == "overlay"
                && !options.iter().any(|option| option.starts_with("upperdir=")) =>
        {
            Some(lower_directories(options))
        }
        [Mount {
            source, options, ..
        }] if options
            .iter()
            .any(|option| option == "bind" || option == "rbind") =>
        {
            Some(vec![source.clone()])
        }
        _ => None,
    }
}

/// Topmost first, in either spelling; paths with escapes are compared as they are written.
fn lower_directories(options: &[String]) -> Vec<String> {
    let values = options.iter().filter_map(|option| {
        option
            .strip_prefix("lowerdir+=")
            .or_else(|| option.strip_prefix("lowerdir="))
    });
    values
        .flat_map(|value| value.split(':'))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(kind: &str, source: &str, options: &[&str]) -> Mount {
        Mount {
            kind: kind.into(),
            source: source.into(),
            options: options.iter().map(|option| option.to_string()).collect(),
        }
    }

    #[test]
    fn an_upper_directory_counts_only_over_the_same_layers() {
        let upper = [mount(
            "overlay",
            "overlay",
            &["lowerdir=/b:/a", "upperdir=/u", "workdir=/w"],
        )];
        let plus = [mount(
            "overlay",
            "overlay",
            &["lowerdir+=/b", "lowerdir+=/a"],
        )];
        assert_eq!(upper_of(&plus, &upper), Some("/u".into()));
        let other = [mount("overlay", "overlay", &["lowerdir=/c:/a"])];
        assert_eq!(upper_of(&other, &upper), None);
        let bind = [mount("bind", "/a", &["rbind", "ro"])];
        let single = [mount(
            "overlay",
            "overlay",
            &["lowerdir=/a", "upperdir=/u", "workdir=/w"],
        )];
        assert_eq!(upper_of(&bind, &single), Some("/u".into()));
        assert_eq!(upper_of(&bind, &upper), None);
        assert_eq!(upper_of(&bind, &bind), None);
    }
}
