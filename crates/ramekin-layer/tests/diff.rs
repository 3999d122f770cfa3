//! A diff, applied to the lower tree, makes the upper one; and it is the same bytes however it was found.

mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{symlink, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use ramekin_layer::{
    adopt, changes, compare, diff, Implied, Kind as Difference, Options, Upper, Whiteouts,
};
use ramekin_sys::rooted::Root;
use ramekin_sys::tree::copy_tree;
use support::{apply_bytes, is_root, xattr, Archive, Scratch};

fn lower() -> Archive {
    Archive::new()
        .dir("etc")
        .file("etc/passwd", "root")
        .file("etc/same", "same")
        .dir("opt")
        .dir("opt/tool")
        .file("opt/tool/bin", "v1")
        .file("gone", "")
        .file("one", "linked")
        .link("two", "one")
        .symlink("link", "etc")
        .dir("swap")
        .file("swap/inside", "")
}

/// What a container might do.
fn modify(root: &Path) {
    std::fs::write(root.join("etc/passwd"), "root and more").unwrap();
    std::fs::remove_file(root.join("gone")).unwrap();
    std::fs::remove_dir_all(root.join("opt/tool")).unwrap();
    std::fs::create_dir(root.join("opt/tool")).unwrap();
    std::fs::write(root.join("opt/tool/new"), "v2").unwrap();
    std::fs::hard_link(root.join("one"), root.join("three")).unwrap();
    std::fs::remove_dir_all(root.join("swap")).unwrap();
    std::fs::write(root.join("swap"), "a file now").unwrap();
    std::fs::remove_file(root.join("link")).unwrap();
    symlink("opt", root.join("link")).unwrap();
    let attributed = std::fs::File::create(root.join("attributed")).unwrap();
    ramekin_sys::xattr::set(&attributed, b"user.note", b"1").unwrap();
    std::fs::set_permissions(
        root.join("opt"),
        std::os::unix::fs::PermissionsExt::from_mode(0o711),
    )
    .unwrap();
}

fn open(path: &Path) -> Root {
    Root::open(path).unwrap()
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    let fd = |path: &Path| rustix::io::dup(open(path).as_fd()).unwrap();
    copy_tree(fd(from), fd(to)).unwrap();
}

fn layer_of(lower: &Path, upper: Upper) -> Vec<u8> {
    let mut bytes = Vec::new();
    let diffed = diff(&open(lower), &upper, &[], &mut bytes).unwrap();
    assert_eq!(diffed.size, bytes.len() as u64);
    bytes
}

fn assert_same(one: &Path, other: &Path) {
    let differences = compare(&open(one), &Upper::Tree(open(other)), &[]).unwrap();
    assert!(differences.is_empty(), "{differences:?}");
    assert!(Command::new("diff")
        .args(["-r", "--no-dereference"])
        .args([one, other])
        .status()
        .unwrap()
        .success());
}

#[test]
fn a_copy_is_the_same_and_a_diff_makes_it_so() {
    let scratch = Scratch::new();
    scratch.apply(&lower()).unwrap();
    let (base, upper) = (scratch.base.join("base"), scratch.base.join("upper"));
    copied(&scratch.root, &base);
    assert_same(&scratch.root, &base);
    let hard = |name: &str| base.join(name).metadata().unwrap().ino();
    assert_eq!(hard("one"), hard("two"));

    copied(&scratch.root, &upper);
    modify(&upper);
    let bytes = layer_of(&scratch.root, Upper::Tree(open(&upper)));
    assert_eq!(
        bytes,
        layer_of(&scratch.root, Upper::Tree(open(&upper))),
        "the same trees make the same bytes"
    );
    apply_bytes(&base, bytes, Options::default()).unwrap();
    assert_same(&upper, &base);
    assert_eq!(hard("one"), hard("three"));
    assert_eq!(xattr(&base.join("attributed"), "user.note").unwrap(), b"1");
}

#[test]
fn an_overlays_upper_directory_gives_the_same_bytes_as_the_trees() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    scratch.apply(&lower()).unwrap();
    let [upper, work, merged] = ["upper", "work", "merged"].map(|name| scratch.base.join(name));
    for directory in [&upper, &work, &merged] {
        std::fs::create_dir(directory).unwrap();
    }
    std::fs::set_permissions(&upper, scratch.root.metadata().unwrap().permissions()).unwrap();
    // A thread of its own: the mount ends with its namespace.
    let run = || {
        ramekin_sys::mount::unshare_namespace().unwrap();
        let options = [
            format!("lowerdir={}", scratch.root.display()),
            format!("upperdir={}", upper.display()),
            format!("workdir={}", work.display()),
        ];
        let mount = ramekin_sys::mount::Mount {
            kind: "overlay".into(),
            source: "overlay".into(),
            options: options.to_vec(),
        };
        ramekin_sys::mount::mount_one(&mount, &merged).unwrap();
        modify(&merged);
        let by_layer = layer_of(&scratch.root, Upper::Layer(open(&upper)));
        let by_tree = layer_of(&scratch.root, Upper::Tree(open(&merged)));
        assert!(by_layer == by_tree, "both ways of looking find the same");

        let base = scratch.base.join("base");
        copied(&scratch.root, &base);
        apply_bytes(&base, by_layer.clone(), Options::default()).unwrap();
        assert_same(&merged, &base);

        let mut lines = Vec::new();
        changes(
            &open(&scratch.root),
            &Upper::Layer(open(&upper)),
            &[],
            &mut lines,
        )
        .unwrap();
        let text = String::from_utf8(lines).unwrap();
        for line in [
            r#"{"path":"/gone","kind":"deleted"}"#,
            r#"{"path":"/etc/passwd","kind":"modified"}"#,
            r#"{"path":"/opt/tool/new","kind":"added"}"#,
            r#"{"path":"/opt/tool/bin","kind":"deleted"}"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert!(!text.contains("/etc/same"));
        rustix::mount::unmount(&merged, rustix::mount::UnmountFlags::DETACH).unwrap();
    };
    std::thread::scope(|scope| scope.spawn(run).join()).unwrap();
}

#[test]
fn equal_times_do_not_hide_a_change_of_content() {
    let scratch = Scratch::new();
    scratch.apply(&Archive::new().file("file", "one")).unwrap();
    let upper = scratch.base.join("upper");
    copied(&scratch.root, &upper);
    let time = upper.join("file").metadata().unwrap().modified().unwrap();
    std::fs::write(upper.join("file"), "two").unwrap();
    std::fs::File::options()
        .write(true)
        .open(upper.join("file"))
        .unwrap()
        .set_modified(time)
        .unwrap();
    let found = compare(&open(&scratch.root), &Upper::Tree(open(&upper)), &[]).unwrap();
    assert_eq!(
        found
            .iter()
            .map(|difference| (difference.path.as_slice(), difference.kind))
            .collect::<Vec<_>>(),
        [(&b"file"[..], Difference::Modified)]
    );
}

#[test]
fn a_layer_unpacked_alone_adopts_what_it_implied() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let lower = Archive::new()
        .entry("secret", ramekin_layer::tar::Kind::Directory, |entry| {
            (entry.mode, entry.uid, entry.mtime) = (0o2750, 42, (5, 6));
            entry.xattrs = vec![(b"user.note".to_vec(), b"1".to_vec())];
        })
        .dir("secret/below")
        .dir("usr")
        .dir("usr/lib")
        .file("usr/lib/old", "")
        .symlink("lib", "usr/lib")
        .file("data", "shared");
    scratch.apply(&lower).unwrap();
    let layer = scratch.base.join("layer");
    std::fs::create_dir(&layer).unwrap();
    let archive = Archive::new()
        .file("secret/below/new", "x")
        .file("lib/new", "y")
        .link("secret/link", "data");
    let options = Options {
        whiteouts: Whiteouts::Overlay,
        ..Options::default()
    };
    let applied = apply_bytes(&layer, archive.bytes(), options).unwrap();
    // Once more changes nothing.
    for _ in 0..2 {
        adopt(&open(&layer), &open(&scratch.root), &applied.implied).unwrap();
        let secret = layer.join("secret").metadata().unwrap();
        assert_eq!(
            (
                secret.mode() & 0o7777,
                secret.uid(),
                secret.mtime(),
                secret.mtime_nsec()
            ),
            (0o2750, 42, 5, 6)
        );
        assert_eq!(xattr(&layer.join("secret"), "user.note").unwrap(), b"1");
        assert_eq!(
            std::fs::read_to_string(layer.join("usr/lib/new")).unwrap(),
            "y",
            "behind a lower link, at its target"
        );
        assert!(layer.join("lib").symlink_metadata().is_err());
        assert_eq!(
            layer.join("secret/link").metadata().unwrap().ino(),
            layer.join("data").metadata().unwrap().ino()
        );
        assert_eq!(
            std::fs::read_to_string(layer.join("data")).unwrap(),
            "shared"
        );
    }
    let missing = [Implied::Link {
        path: b"l".to_vec(),
        target: b"absent".to_vec(),
    }];
    assert_eq!(
        adopt(&open(&layer), &open(&scratch.root), &missing)
            .unwrap_err()
            .code,
        ramekin_sys::Code::DataLoss
    );
}

#[test]
fn names_that_layers_cannot_carry_are_refused() {
    let scratch = Scratch::new();
    let upper = scratch.base.join("upper");
    std::fs::create_dir(&upper).unwrap();
    std::fs::write(upper.join(OsStr::new(".wh.x")), "").unwrap();
    let error = diff(
        &open(&scratch.root),
        &Upper::Tree(open(&upper)),
        &[],
        Vec::new(),
    )
    .unwrap_err();
    assert_eq!(error.code, ramekin_sys::Code::Unsupported);
}

#[test]
fn what_is_only_mounted_on_does_not_count() {
    let scratch = Scratch::new();
    let (lower, upper) = (scratch.base.join("lower"), scratch.base.join("upper"));
    for root in [&lower, &upper] {
        for directory in ["etc", "srv", "var"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        fs::write(root.join("etc/kept"), "same").unwrap();
    }
    for path in ["etc/hosts", "var/a", "var/b", "srv/file"] {
        fs::write(upper.join(path), "").unwrap();
    }
    fs::create_dir_all(upper.join("mnt/deep/data")).unwrap();
    fs::set_permissions(upper.join("srv"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(upper.join("filled"), "content").unwrap();
    let times = |root: &Path, time: i64| {
        let status = std::process::Command::new("find")
            .args([root.as_os_str(), "-exec".as_ref(), "touch".as_ref()])
            .args(["-h", "-d", &format!("@{time}"), "{}", "+"])
            .status()
            .unwrap();
        assert!(status.success());
    };
    times(&lower, 1_000_000);
    times(&upper, 2_000_000);
    fs::write(upper.join("etc/kept"), "same").unwrap();
    fs::copy(lower.join("etc/kept"), upper.join("etc/kept")).unwrap();
    rustix::fs::utimensat(
        rustix::fs::CWD,
        upper.join("etc/kept"),
        &rustix::fs::Timestamps {
            last_access: rustix::fs::Timespec {
                tv_sec: 1_000_000,
                tv_nsec: 0,
            },
            last_modification: rustix::fs::Timespec {
                tv_sec: 1_000_000,
                tv_nsec: 0,
            },
        },
        rustix::fs::AtFlags::empty(),
    )
    .unwrap();
    let targets: Vec<PathBuf> = [
        "/etc/hosts",
        "/mnt/deep/data",
        "/var/a",
        "/srv/file",
        "/filled",
    ]
    .map(PathBuf::from)
    .into();
    let found = compare(&open(&lower), &Upper::Tree(open(&upper)), &targets).unwrap();
    let found: Vec<(String, Difference)> = found
        .into_iter()
        .map(|difference| (String::from_utf8(difference.path).unwrap(), difference.kind))
        .collect();
    // The mode of /srv is a change of its own, and a target with something in it is more than that.
    let expected = [
        ("filled", Difference::Added),
        ("srv", Difference::Modified),
        ("var", Difference::Modified),
        ("var/b", Difference::Added),
    ];
    assert_eq!(found, expected.map(|(path, kind)| (path.to_owned(), kind)));
}
