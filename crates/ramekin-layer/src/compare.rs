//! What one tree has changed over another.

use std::collections::{BTreeSet, HashMap};
use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use ramekin_sys::rooted::Root;
use ramekin_sys::tree::read_dir;
use ramekin_sys::{Context, Result};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::apply::place::as_path;
use crate::overlay;
use crate::same::{same_attributes, same_file};
use crate::targets::Targets;

/// The newer of two trees.
pub enum Upper {
    /// All of it is there.
    Tree(Root),
    /// The writable layer of an overlay on the lower tree: what is not there has not changed. The answer is the same as
    /// for the overlay as a whole, without a look at most of it.
    Layer(Root),
}

impl Upper {
    pub fn root(&self) -> &Root {
        match self {
            Self::Tree(root) | Self::Layer(root) => root,
        }
    }

    fn is_layer(&self) -> bool {
        matches!(self, Self::Layer(_))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Added,
    Modified,
    Deleted,
}

/// Relative path, empty for the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub path: Vec<u8>,
    pub kind: Kind,
}

/// Parents before children, siblings by the bytes of their names. A change makes all directories above it `Modified`.
/// `targets`, absolute, are there to be mounted on: where they are new and empty they do not count, nor do directories that
/// were only made or touched for them.
pub fn compare(lower: &Root, upper: &Upper, targets: &[PathBuf]) -> Result<Vec<Difference>> {
    let mut comparison = Comparison {
        lower,
        upper,
        targets: Targets::new(targets),
        found: Vec::new(),
        unchanged: HashMap::new(),
        pending: Vec::new(),
    };
    comparison.run()?;
    let Comparison {
        mut found,
        unchanged,
        targets,
        ..
    } = comparison;
    targets.forget(&mut found);
    keep_links_whole(upper, &mut found, &unchanged)?;
    add_parents(&mut found);
    found.sort_by(|one, other| by_component(&one.path, &other.path));
    Ok(found)
}

fn by_component(one: &[u8], other: &[u8]) -> std::cmp::Ordering {
    one.split(|byte| *byte == b'/')
        .cmp(other.split(|byte| *byte == b'/'))
}

struct Comparison<'a> {
    lower: &'a Root,
    upper: &'a Upper,
    targets: Targets,
    found: Vec<Difference>,
    /// Files with several names that have not changed, by inode: a new name may belong to one of them.
    unchanged: HashMap<(u64, u64), Vec<Vec<u8>>>,
    pending: Vec<Pending>,
}

/// A directory of the upper tree.
struct Pending {
    path: Vec<u8>,
    /// There is a directory below it to compare with.
    has_lower: bool,
    /// What the upper directory does not list is gone, rather than unchanged.
    whole: bool,
}

impl Comparison<'_> {
    fn run(&mut self) -> Result<()> {
        let attributes = [self.lower.as_fd(), self.upper.root().as_fd()];
        let [below, above] = attributes.map(|fd| rustix::fs::fstat(fd).context(|| "/"));
        if !same_attributes(attributes[0], &below?, attributes[1], &above?).context(|| "/")? {
            self.push(Vec::new(), Kind::Modified);
        }
        self.pending.push(Pending {
            path: Vec::new(),
            has_lower: true,
            whole: !self.upper.is_layer(),
        });
        while let Some(next) = self.pending.pop() {
            self.directory(&next)
                .context(|| as_path(&next.path).display().to_string())?;
        }
        Ok(())
    }

    fn directory(
        &mut self,
        Pending {
            path,
            has_lower,
            whole,
        }: &Pending,
    ) -> std::io::Result<()> {
        let upper = open(self.upper.root(), path)?;
        let lower = if *has_lower {
            Some(open(self.lower, path)?)
        } else {
            None
        };
        let whole = *whole || (self.upper.is_layer() && overlay::is_opaque(&upper)?);
        let mut names = BTreeSet::new();
        for entry in read_dir(upper.as_fd())? {
            let child = joined(path, entry.name.as_bytes());
            let above = rustix::fs::statat(&upper, &entry.name, AtFlags::SYMLINK_NOFOLLOW)?;
            let below = stat_if_there(lower.as_ref(), &entry.name)?;
            if self.upper.is_layer() && overlay::is_whiteout(upper.as_fd(), &entry.name, &above)? {
                if below.is_some() && !whole {
                    self.push(child, Kind::Deleted);
                    names.insert(entry.name);
                }
                continue;
            }
            self.entry(
                child,
                whole,
                &entry.name,
                (lower.as_ref(), below.as_ref()),
                (&upper, &above),
            )?;
            names.insert(entry.name);
        }
        if let Some(lower) = lower.filter(|_| whole) {
            for entry in read_dir(lower.as_fd())? {
                if !names.contains(&entry.name) {
                    self.push(joined(path, entry.name.as_bytes()), Kind::Deleted);
                }
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        path: Vec<u8>,
        whole: bool,
        name: &CStr,
        (lower, below): (Option<&OwnedFd>, Option<&Stat>),
        (upper, above): (&OwnedFd, &Stat),
    ) -> std::io::Result<()> {
        let is_directory =
            |stat: &Stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        let (Some(lower), Some(below)) = (lower, below) else {
            if self.targets.covers(&path, upper, name, above)? {
                return Ok(());
            }
            if is_directory(above) {
                self.pending.push(Pending {
                    path: path.clone(),
                    has_lower: false,
                    whole,
                });
            }
            self.push(path, Kind::Added);
            return Ok(());
        };
        let changed = if is_directory(above) {
            let has_lower = is_directory(below);
            self.pending.push(Pending {
                path: path.clone(),
                has_lower,
                whole,
            });
            match has_lower {
                false => true,
                true => match same_directory(lower, upper, name, below, above)? {
                    Same::Yes => false,
                    Same::ButTime => {
                        self.targets.touched.insert(path.clone());
                        true
                    }
                    Same::No => true,
                },
            }
        } else {
            !same_file(lower, below, upper, above, name)?
        };
        if changed {
            self.push(path, Kind::Modified);
        } else if !is_directory(above) && above.st_nlink > 1 {
            self.unchanged
                .entry((above.st_dev, above.st_ino))
                .or_default()
                .push(path);
        }
        Ok(())
    }

    fn push(&mut self, path: Vec<u8>, kind: Kind) {
        self.found.push(Difference { path, kind });
    }
}

enum Same {
    Yes,
    ButTime,
    No,
}

fn same_directory(
    lower: &OwnedFd,
    upper: &OwnedFd,
    name: &CStr,
    below: &Stat,
    above: &Stat,
) -> std::io::Result<Same> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = |parent: &OwnedFd| rustix::fs::openat(parent, name, flags, Mode::empty());
    let same = same_attributes(open(lower)?.as_fd(), below, open(upper)?.as_fd(), above)?;
    let time = |stat: &Stat| (stat.st_mtime, stat.st_mtime_nsec);
    Ok(match (same, time(below) == time(above)) {
        (true, true) => Same::Yes,
        (true, false) => Same::ButTime,
        (false, _) => Same::No,
    })
}

/// A new name for an unchanged file makes a hard link only if the file is in the layer as well.
fn keep_links_whole(
    upper: &Upper,
    found: &mut Vec<Difference>,
    unchanged: &HashMap<(u64, u64), Vec<Vec<u8>>>,
) -> Result<()> {
    if unchanged.is_empty() {
        return Ok(());
    }
    let mut more = BTreeSet::new();
    for difference in found
        .iter()
        .filter(|difference| difference.kind != Kind::Deleted)
    {
        if let Some(stat) = upper.root().stat(as_path(&difference.path))? {
            more.extend(
                unchanged
                    .get(&(stat.st_dev, stat.st_ino))
                    .into_iter()
                    .flatten(),
            );
        }
    }
    found.extend(more.into_iter().map(|path| Difference {
        path: path.clone(),
        kind: Kind::Modified,
    }));
    Ok(())
}

fn add_parents(found: &mut Vec<Difference>) {
    let known: BTreeSet<Vec<u8>> = found
        .iter()
        .map(|difference| difference.path.clone())
        .collect();
    let mut parents = BTreeSet::new();
    for path in &known {
        let mut rest = path.as_slice();
        while let Some(slash) = rest.iter().rposition(|byte| *byte == b'/') {
            rest = &rest[..slash];
            if known.contains(rest) || !parents.insert(rest.to_vec()) {
                break;
            }
        }
    }
    found.extend(parents.into_iter().map(|path| Difference {
        path,
        kind: Kind::Modified,
    }));
}

fn open(root: &Root, path: &[u8]) -> rustix::io::Result<OwnedFd> {
    root.open_with(
        as_path(path),
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW,
        Mode::empty(),
    )
}

fn stat_if_there(parent: Option<&OwnedFd>, name: &CStr) -> rustix::io::Result<Option<Stat>> {
    let Some(parent) = parent else {
        return Ok(None);
    };
    match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => Ok(None),
        result => result.map(Some),
    }
}

fn joined(parent: &[u8], name: &[u8]) -> Vec<u8> {
    as_path(parent)
        .join(as_path(name))
        .as_os_str()
        .as_bytes()
        .to_vec()
}
