//! Trees that somebody else filled: too deep, full of links, with other file systems inside.

use std::os::fd::OwnedFd;
use std::os::unix::fs::{symlink, FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use ramekin_sys::mount::{mount_one, unshare_namespace, Mount};
use ramekin_sys::rooted::Root;
use ramekin_sys::tree::{copy_tree, remove_tree, usage};
use rustix::fs::{Mode, OFlags};

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let base = std::env::temp_dir().join(format!("ramekin-tree-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&base).unwrap();
        Self(base)
    }

    fn dir(&self, name: &str) -> PathBuf {
        std::fs::create_dir(self.0.join(name)).unwrap();
        self.0.join(name)
    }

    fn remove(&self, path: &str) -> ramekin_sys::Result<()> {
        remove_tree(&Root::open(&self.0).unwrap(), Path::new(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open(path: &Path) -> OwnedFd {
    rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap()
}

/// Deeper than PATH_MAX, and than a process may have open files.
fn dig(directory: &Path, depth: u32) {
    let mut at = open(directory);
    for _ in 0..depth {
        rustix::fs::mkdirat(&at, "deep-enough", Mode::RWXU).unwrap();
        at = rustix::fs::openat(
            &at,
            "deep-enough",
            OFlags::RDONLY | OFlags::DIRECTORY,
            Mode::empty(),
        )
        .unwrap();
    }
}

#[test]
fn no_tree_is_too_deep() {
    let scratch = Scratch::new("deep");
    let (from, to) = (scratch.dir("from"), scratch.dir("to"));
    dig(&from, 1500);
    assert_eq!(copy_tree(open(&from), open(&to)).unwrap().entries, 1500);
    assert_eq!(usage(&to).unwrap().inodes, 1501);
    for name in ["from", "to"] {
        scratch.remove(name).unwrap();
        assert!(!scratch.0.join(name).exists());
    }
}

#[test]
fn two_may_remove_the_same_tree() {
    let scratch = Scratch::new("race");
    for round in 0..20 {
        let name = format!("tree-{round}");
        let tree = scratch.dir(&name);
        for folder in 0..20 {
            let folder = tree.join(folder.to_string());
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join("file"), "").unwrap();
        }
        std::thread::scope(|scope| {
            let others = [0, 1].map(|_| scope.spawn(|| scratch.remove(&name)));
            for other in others {
                other.join().unwrap().unwrap();
            }
        });
        assert!(!tree.exists());
    }
}

#[test]
fn removal_follows_no_link_and_needs_nothing_there() {
    let scratch = Scratch::new("remove");
    let (tree, kept) = (scratch.dir("tree"), scratch.dir("kept"));
    std::fs::write(kept.join("file"), "").unwrap();
    symlink(&kept, tree.join("link")).unwrap();
    symlink(&kept, scratch.0.join("top")).unwrap();
    std::fs::create_dir(tree.join("closed")).unwrap();
    std::fs::write(tree.join("closed/file"), "").unwrap();
    std::fs::set_permissions(
        tree.join("closed"),
        std::os::unix::fs::PermissionsExt::from_mode(0o000),
    )
    .unwrap();
    for name in ["tree", "tree", "top", "absent/below"] {
        scratch.remove(name).unwrap();
    }
    assert!(!tree.exists() && !scratch.0.join("top").exists() && kept.join("file").exists());
    for bad in ["..", ".", ""] {
        assert!(scratch.remove(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn removal_stops_at_mounts_and_goes_on_beside_them() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: mounting needs root");
        return;
    }
    let scratch = Scratch::new("mounted");
    let tree = scratch.dir("tree");
    let mounted = tree.join("mounted");
    std::fs::create_dir(&mounted).unwrap();
    std::fs::write(tree.join("beside"), "").unwrap();
    // A thread of its own: the mount ends with its namespace.
    let run = || {
        unshare_namespace().unwrap();
        let tmpfs = Mount {
            kind: "tmpfs".into(),
            source: "tmpfs".into(),
            options: Vec::new(),
        };
        mount_one(&tmpfs, &mounted).unwrap();
        std::fs::write(mounted.join("precious"), "").unwrap();
        let error = scratch.remove("tree").unwrap_err();
        assert!(
            error.message.contains("mounted") && error.hint.is_some(),
            "{error:?}"
        );
        assert!(mounted.join("precious").exists() && !tree.join("beside").exists());
    };
    std::thread::scope(|scope| scope.spawn(run).join()).unwrap();
    scratch.remove("tree").unwrap();
    assert!(!tree.exists());
}

#[test]
fn a_copy_keeps_holes_links_attributes_and_times() {
    let scratch = Scratch::new("copy");
    let (from, to) = (scratch.dir("from"), scratch.dir("to"));
    let sparse = std::fs::File::create(from.join("sparse")).unwrap();
    sparse.set_len(50 << 20).unwrap();
    sparse.write_all_at(b"start", 0).unwrap();
    sparse.write_all_at(b"middle", 20 << 20).unwrap();
    std::fs::hard_link(from.join("sparse"), from.join("again")).unwrap();
    ramekin_sys::xattr::set(&sparse, b"user.note", b"kept").unwrap();
    symlink("nowhere", from.join("link")).unwrap();
    std::fs::create_dir(from.join("dir")).unwrap();
    std::fs::write(from.join("dir/file"), "x").unwrap();
    let old = std::time::UNIX_EPOCH + std::time::Duration::new(1_000_000_000, 123);
    for path in ["dir/file", "dir"] {
        std::fs::File::open(from.join(path))
            .unwrap()
            .set_modified(old)
            .unwrap();
    }
    std::fs::set_permissions(
        from.join("dir"),
        std::os::unix::fs::PermissionsExt::from_mode(0o1555),
    )
    .unwrap();

    let copied = copy_tree(open(&from), open(&to)).unwrap();
    assert_eq!((copied.entries, copied.bytes), (5, (50 << 20) + 1));
    let copy = to.join("sparse").metadata().unwrap();
    assert_eq!(copy.len(), 50 << 20);
    assert!(copy.blocks() * 512 < 1 << 20, "holes stay holes");
    assert_eq!(
        std::fs::read(from.join("sparse")).unwrap(),
        std::fs::read(to.join("sparse")).unwrap()
    );
    assert_eq!(copy.ino(), to.join("again").metadata().unwrap().ino());
    let file = std::fs::File::open(to.join("sparse")).unwrap();
    assert_eq!(
        ramekin_sys::xattr::get(&file, "user.note")
            .unwrap()
            .unwrap(),
        b"kept"
    );
    assert_eq!(
        std::fs::read_link(to.join("link")).unwrap(),
        Path::new("nowhere")
    );
    let dir = to.join("dir").metadata().unwrap();
    assert_eq!(
        (dir.mode() & 0o7777, dir.modified().unwrap()),
        (0o1555, old)
    );
    // Copying did not change what was copied.
    assert_eq!(
        from.join("dir").metadata().unwrap().modified().unwrap(),
        old
    );
}

#[test]
fn usage_counts_each_inode_once() {
    let scratch = Scratch::new("usage");
    let tree = scratch.dir("tree");
    std::fs::write(tree.join("one"), vec![1; 100_000]).unwrap();
    std::fs::hard_link(tree.join("one"), tree.join("two")).unwrap();
    let found = usage(&tree).unwrap();
    assert_eq!(found.inodes, 2);
    let blocks = |path: &Path| path.metadata().unwrap().blocks() * 512;
    assert_eq!(found.size, blocks(&tree) + blocks(&tree.join("one")));
}
