//! Archives to order, and trees to look at.
#![allow(dead_code)]

use std::io::Cursor;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use ramekin_layer::tar::{Entry, Kind, Writer};
use ramekin_layer::{apply, Applied, Blob, Options, Whiteouts};
use ramekin_sys::rooted::Root;
use ramekin_sys::{Error, Result};

/// Removed when dropped. `canary` lies beside `root`, where a layer that breaks out would get at it.
pub struct Scratch {
    pub base: PathBuf,
    pub root: PathBuf,
}

impl Scratch {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "ramekin-layer-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let base = std::env::temp_dir().join(name);
        let root = base.join("root");
        std::fs::create_dir_all(&root).unwrap();
        std::fs::write(base.join("canary"), "alive").unwrap();
        // What an archive makes has the modes it asks for.
        rustix::process::umask(rustix::fs::Mode::empty());
        Self { base, root }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    pub fn read(&self, below: &str) -> String {
        std::fs::read_to_string(self.path(below)).unwrap()
    }

    pub fn exists(&self, below: &str) -> bool {
        self.path(below).symlink_metadata().is_ok()
    }

    pub fn apply(&self, archive: &Archive) -> Result<Applied> {
        self.apply_with(archive, Options::default())
    }

    pub fn apply_as(&self, archive: &Archive, whiteouts: Whiteouts) -> Result<Applied> {
        self.apply_with(
            archive,
            Options {
                whiteouts,
                ..Options::default()
            },
        )
    }

    pub fn apply_with(&self, archive: &Archive, options: Options) -> Result<Applied> {
        apply_bytes(&self.root, archive.bytes(), options)
    }

    /// Nothing was made, changed or removed outside of the root.
    pub fn assert_canary(&self) {
        assert_eq!(
            std::fs::read_to_string(self.base.join("canary")).unwrap(),
            "alive"
        );
        let mut names: Vec<_> = std::fs::read_dir(&self.base)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["canary", "root"]);
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.base);
    }
}

pub fn apply_bytes(root: &Path, bytes: Vec<u8>, options: Options) -> Result<Applied> {
    apply(
        &Root::open(root)?,
        Cursor::new(bytes),
        &Blob::default(),
        options,
    )
}

/// An archive, entry by entry.
#[derive(Default, Clone)]
pub struct Archive(Vec<(Entry, Vec<u8>)>);

impl Archive {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn entry(mut self, path: &str, kind: Kind, change: impl FnOnce(&mut Entry)) -> Self {
        let mode = if kind == Kind::Directory {
            0o755
        } else {
            0o644
        };
        let mut entry = Entry {
            path: path.into(),
            target: Vec::new(),
            kind,
            mode,
            uid: 0,
            gid: 0,
            mtime: (1_000_000_000, 0),
            size: 0,
            device: (0, 0),
            xattrs: Vec::new(),
            sparse: None,
        };
        change(&mut entry);
        self.0.push((entry, Vec::new()));
        self
    }

    pub fn file(mut self, path: &str, content: &str) -> Self {
        self = self.entry(path, Kind::File, |entry| entry.size = content.len() as u64);
        self.0.last_mut().unwrap().1 = content.into();
        self
    }

    pub fn dir(self, path: &str) -> Self {
        self.entry(path, Kind::Directory, |_| {})
    }

    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(path, Kind::Symlink, |entry| entry.target = target.into())
    }

    pub fn link(self, path: &str, target: &str) -> Self {
        self.entry(path, Kind::HardLink, |entry| entry.target = target.into())
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        for (entry, content) in &self.0 {
            writer.header(entry).unwrap();
            writer.data(content).unwrap();
            writer.end_data(content.len() as u64).unwrap();
        }
        writer.finish().unwrap()
    }
}

pub fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("skipped: needs root, for owners and device nodes");
    }
    root
}

pub fn is_whiteout(path: &Path) -> bool {
    path.symlink_metadata()
        .is_ok_and(|metadata| metadata.file_type().is_char_device() && metadata.rdev() == 0)
}

pub fn xattr(path: &Path, name: &str) -> Option<Vec<u8>> {
    let file = std::fs::File::open(path).unwrap();
    ramekin_sys::xattr::get(&file, name).unwrap()
}

pub fn failure<T: std::fmt::Debug>(result: Result<T>) -> Error {
    result.expect_err("must be refused")
}
