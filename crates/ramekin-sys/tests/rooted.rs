//! No path leads out of a root, and nothing in it makes us wait.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use ramekin_sys::rooted::Root;
use ramekin_sys::Code;
use rustix::fs::{FileType, Mode};

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let base =
            std::env::temp_dir().join(format!("ramekin-rooted-{name}-{}", std::process::id()));
        std::fs::create_dir_all(base.join("root/dir")).unwrap();
        std::fs::write(base.join("secret"), "outside").unwrap();
        std::fs::write(base.join("root/file"), "inside").unwrap();
        Self(base)
    }

    fn root(&self) -> Root {
        Root::open(&self.0.join("root")).unwrap()
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.join("root").join(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn reading_stays_inside() {
    let scratch = Scratch::new("reading");
    let root = scratch.root();
    symlink("../secret", scratch.at("relative")).unwrap();
    symlink(scratch.0.join("secret"), scratch.at("absolute")).unwrap();
    symlink("/file", scratch.at("dir/inside")).unwrap();
    symlink("/proc/self/root", scratch.at("magic")).unwrap();
    for path in [
        "../secret",
        "relative",
        "absolute",
        "dir/../../secret",
        "magic/etc/passwd",
    ] {
        assert_eq!(
            root.read_file(Path::new(path), 100).unwrap_err().code,
            Code::NotFound,
            "{path}"
        );
    }
    for path in [
        "file",
        "/file",
        "../file",
        "dir/inside",
        "dir/../../../file",
    ] {
        assert_eq!(
            root.read_file(Path::new(path), 100).unwrap(),
            b"inside",
            "{path}"
        );
    }
}

#[test]
fn links_of_proc_are_not_followed() {
    let root = Root::open(Path::new("/proc")).unwrap();
    let error = root
        .read_file(Path::new("self/root/etc/passwd"), 1 << 20)
        .unwrap_err();
    assert_eq!(error.code, Code::InvalidArgument, "{error}");
}

#[test]
fn only_regular_files_of_bounded_size_are_read() {
    let scratch = Scratch::new("irregular");
    let root = scratch.root();
    rustix::fs::mknodat(root.as_fd(), "fifo", FileType::Fifo, Mode::RUSR, 0).unwrap();
    symlink("fifo", scratch.at("to-fifo")).unwrap();
    for path in ["fifo", "to-fifo", "dir"] {
        assert_eq!(
            root.read_file(Path::new(path), 100).unwrap_err().code,
            Code::FailedPrecondition,
            "{path}"
        );
    }
    assert_eq!(
        root.read_file(Path::new("file"), 5).unwrap_err().code,
        Code::ResourceExhausted
    );
    std::fs::File::create(scratch.at("endless"))
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    assert_eq!(
        root.read_file(Path::new("endless"), 4096).unwrap_err().code,
        Code::ResourceExhausted
    );
}

#[test]
fn directories_are_made_inside_even_behind_dangling_links() {
    let scratch = Scratch::new("making");
    let root = scratch.root();
    symlink(scratch.0.join("made"), scratch.at("absolute")).unwrap();
    symlink("../../made-too", scratch.at("dir/relative")).unwrap();
    symlink("loop", scratch.at("loop")).unwrap();
    for path in ["a/b/c", "absolute/x", "dir/relative/x", "../up"] {
        root.mkdir_all(Path::new(path), Mode::from_raw_mode(0o755))
            .unwrap();
    }
    assert!(root.mkdir_all(Path::new("loop/x"), Mode::RWXU).is_err());
    assert!(root.mkdir_all(Path::new("file/x"), Mode::RWXU).is_err());
    assert!(
        scratch.at("a/b/c").is_dir()
            && scratch.at("made-too/x").is_dir()
            && scratch.at("up").is_dir()
    );
    assert!(
        !scratch.0.join("made").exists()
            && !scratch.0.join("made-too").exists()
            && !scratch.0.join("up").exists()
    );
}

#[test]
fn what_is_made_or_removed_is_never_behind_a_link() {
    let scratch = Scratch::new("last");
    let root = scratch.root();
    symlink(scratch.0.join("secret"), scratch.at("link")).unwrap();
    assert_eq!(
        root.create(Path::new("link"), Mode::RWXU).unwrap_err().code,
        Code::AlreadyExists
    );
    root.link(Path::new("link"), Path::new("second")).unwrap();
    assert!(scratch
        .at("second")
        .symlink_metadata()
        .unwrap()
        .is_symlink());
    assert!(root.unlink(Path::new("link")).unwrap() && !root.unlink(Path::new("link")).unwrap());
    assert!(!root.unlink(Path::new("no/such/place")).unwrap());
    assert_eq!(
        std::fs::read_to_string(scratch.0.join("secret")).unwrap(),
        "outside"
    );
    for path in ["..", "/", "", "dir/.."] {
        assert_eq!(
            root.create(Path::new(path), Mode::RWXU).unwrap_err().code,
            Code::InvalidArgument,
            "{path:?}"
        );
    }
}
