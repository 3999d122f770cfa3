//! Overlays of any depth.

use std::ffi::CString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{FsOpenFlags, MountFlags};

use super::options::Options;
use super::{explain, finish, Mount};
use crate::{Code, Context, Error, Result};

/// fsconfig(2) takes strings below this length.
const LONGEST_STRING: usize = 256;
/// mount(2) takes one page, its final NUL included.
const LONGEST_DATA: usize = 4095;

/// A detached mount; `None` when the kernel could only attach it at `target` at once.
pub fn create(mount: &Mount, options: &Options, target: &Path) -> Result<Option<OwnedFd>> {
    let lowers = options
        .data
        .iter()
        .filter(|(name, _)| *name == "lowerdir")
        .filter_map(|(_, value)| *value)
        .flat_map(split_layers)
        .collect::<Vec<_>>();
    match create_by_layers(mount, options, &lowers) {
        Ok(made) => Ok(Some(made)),
        // Kernels before 6.7 take `lowerdir+` like any other word, and say only at the end that it means nothing to them.
        Err((Errno::INVAL, error)) => match create_with_data(mount, options, &lowers, target) {
            Ok(()) => Ok(None),
            // A kernel that knows layers has said what is wrong with them.
            Err(other)
                if other.code == Code::Unsupported && !error.message.contains("overlay: ") =>
            {
                Err(other)
            }
            Err(_) => Err(error),
        },
        Err((_, error)) => Err(error),
    }
}

fn create_by_layers(
    mount: &Mount,
    options: &Options,
    lowers: &[String],
) -> std::result::Result<OwnedFd, (Errno, Error)> {
    let what = format!("mount an overlay of {} layers", lowers.len());
    let fs = rustix::mount::fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)
        .map_err(|error| (error, Error::io(error, &what)))?;
    let mut held = Vec::new();
    for lower in lowers {
        set_path(&fs, "lowerdir+", lower, &mut held)
            .map_err(|error| (error, explain(&fs, error, format!("{what}: layer {lower}"))))?;
    }
    configure(&fs, mount, options, &mut held)
        .and_then(|()| finish(&fs, options))
        .map_err(|error| (error, explain(&fs, error, what)))
}

fn configure(
    fs: &OwnedFd,
    mount: &Mount,
    options: &Options,
    held: &mut Vec<OwnedFd>,
) -> rustix::io::Result<()> {
    rustix::mount::fsconfig_set_string(fs, "source", mount.source.as_str())?;
    options
        .data
        .iter()
        .try_for_each(|(name, value)| match (*name, *value) {
            ("lowerdir", _) => Ok(()),
            ("upperdir" | "workdir", Some(path)) => set_path(fs, name, path, held),
            (name, Some(value)) => rustix::mount::fsconfig_set_string(fs, name, value),
            (name, None) => rustix::mount::fsconfig_set_flag(fs, name),
        })
}

/// By name where that is possible, since the name is what /proc/mounts shows. A path that is too long, or whose backslash
/// the kernel would take for an escape, goes by descriptor; `held` keeps those until the mount is made.
fn set_path(
    fs: &OwnedFd,
    key: &str,
    path: &str,
    held: &mut Vec<OwnedFd>,
) -> rustix::io::Result<()> {
    if path.len() < LONGEST_STRING && !path.contains('\\') {
        return rustix::mount::fsconfig_set_string(fs, key, path);
    }
    let directory = rustix::fs::open(
        path,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let name = format!("/proc/self/fd/{}", directory.as_raw_fd());
    held.push(directory);
    rustix::mount::fsconfig_set_string(fs, key, name.as_str())
}

/// Kernels before 6.7: one page of options. Names relative to the layers' common parent make the most of it.
fn create_with_data(
    mount: &Mount,
    options: &Options,
    lowers: &[String],
    target: &Path,
) -> Result<()> {
    let full = data(options, lowers, "");
    let parent = common_parent(lowers);
    let (data, from) = if full.len() <= LONGEST_DATA {
        (full, None)
    } else {
        (data(options, lowers, parent), Some(parent))
    };
    if data.len() > LONGEST_DATA {
        let message = format!("an overlay of {} layers needs {} bytes of options, and this kernel takes {LONGEST_DATA}", lowers.len(), data.len());
        return Err(Error::new(Code::Unsupported, message)
            .hint("Linux 6.7 and later take any number of layers; or use the storage driver vfs"));
    }
    let what = || {
        format!(
            "mount an overlay of {} layers at {}",
            lowers.len(),
            target.display()
        )
    };
    let home = rustix::fs::open(
        ".",
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .context(what)?;
    if let Some(from) = from {
        rustix::process::chdir(from).context(what)?;
    }
    let data = CString::new(data)
        .map_err(|_| Error::new(Code::InvalidArgument, "a mount option with a NUL"))?;
    let flags = MountFlags::from_bits_retain(legacy_flags(options.set));
    let mounted = rustix::mount::mount(
        mount.source.as_str(),
        target,
        "overlay",
        flags,
        data.as_c_str(),
    );
    rustix::process::fchdir(&home).context(what)?;
    mounted.context(what)
}

fn data(options: &Options, lowers: &[String], parent: &str) -> String {
    let layers: Vec<String> = lowers
        .iter()
        .map(|lower| escape(&lower[parent.len()..], true))
        .collect();
    let mut parts = vec![format!("lowerdir={}", layers.join(":"))];
    parts.extend(
        options
            .data
            .iter()
            .filter(|(name, _)| *name != "lowerdir")
            .map(|(name, value)| match value {
                Some(value) => format!("{name}={}", escape(value, false)),
                None => name.to_string(),
            }),
    );
    parts.join(",")
}

fn escape(path: &str, colons: bool) -> String {
    path.chars().fold(String::new(), |mut escaped, letter| {
        if matches!(letter, '\\' | ',') || (colons && letter == ':') {
            escaped.push('\\');
        }
        escaped.push(letter);
        escaped
    })
}

/// With its final slash; empty when there is none to speak of.
fn common_parent(paths: &[String]) -> &str {
    let Some((first, rest)) = paths.split_first() else {
        return "";
    };
    let shared = rest.iter().fold(first.len(), |length, path| {
        first
            .bytes()
            .zip(path.bytes())
            .take(length)
            .take_while(|(a, b)| a == b)
            .count()
    });
    let end = first.as_bytes()[..shared.min(first.len())]
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |slash| slash + 1);
    &first[..end]
}

pub(crate) fn split_layers(value: &str) -> Vec<String> {
    let mut layers = vec![String::new()];
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        let layer = layers.last_mut().expect("never empty");
        match letter {
            '\\' => layer.extend(letters.next()),
            ':' => layers.push(String::new()),
            _ => layer.push(letter),
        }
    }
    layers.retain(|layer| !layer.is_empty());
    layers
}

/// MOUNT_ATTR_* as MS_*: the low flags agree, the access time does not.
fn legacy_flags(attributes: u64) -> u32 {
    let pairs = [
        (libc::MOUNT_ATTR_RDONLY, libc::MS_RDONLY),
        (libc::MOUNT_ATTR_NOSUID, libc::MS_NOSUID),
        (libc::MOUNT_ATTR_NODEV, libc::MS_NODEV),
        (libc::MOUNT_ATTR_NOEXEC, libc::MS_NOEXEC),
        (libc::MOUNT_ATTR_NOATIME, libc::MS_NOATIME),
        (libc::MOUNT_ATTR_NODIRATIME, libc::MS_NODIRATIME),
    ];
    pairs
        .iter()
        .filter(|(attribute, _)| attributes & attribute != 0)
        .fold(0, |flags, (_, flag)| flags | *flag as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_colons_belong_to_the_path() {
        assert_eq!(split_layers(r"/a\:b:/c\\d:/e,f"), ["/a:b", r"/c\d", "/e,f"]);
    }

    #[test]
    fn the_common_parent_ends_at_a_slash() {
        let paths = |list: &[&str]| list.iter().map(|path| path.to_string()).collect::<Vec<_>>();
        assert_eq!(common_parent(&paths(&["/s/ab/fs", "/s/ac/fs"])), "/s/");
        assert_eq!(common_parent(&paths(&["/s/a/fs"])), "/s/a/");
        assert_eq!(common_parent(&[]), "");
    }

    #[test]
    fn old_kernels_get_one_escaped_string() {
        let given = [
            "lowerdir=/s/a,b:/s/c".to_owned(),
            "upperdir=/u".to_owned(),
            "volatile".to_owned(),
        ];
        let options = Options::parse(&given).unwrap();
        let lowers = ["/s/a,b".to_owned(), "/s/c".to_owned()];
        assert_eq!(
            data(&options, &lowers, "/s/"),
            r"lowerdir=a\,b:c,upperdir=/u,volatile"
        );
    }
}
