//! What a layer says is what the directory holds (OCI image spec, layer.md).

mod support;

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::time::{Duration, UNIX_EPOCH};

use ramekin_layer::tar::Kind;
use ramekin_layer::{Limits, Options, Skipped, Whiteouts};
use ramekin_sys::Code;
use support::{failure, is_root, is_whiteout, xattr, Archive, Scratch};

#[test]
fn files_have_their_content_mode_and_time() {
    let scratch = Scratch::new();
    let archive = Archive::new()
        .entry("dir", Kind::Directory, |entry| {
            (entry.mode, entry.mtime) = (0o1777, (1_700_000_000, 5))
        })
        .file("dir/file", "content")
        .entry("dir/set-id", Kind::File, |entry| entry.mode = 0o4711)
        .entry("dir/old", Kind::File, |entry| {
            entry.mtime = (-2, 500_000_000)
        });
    let applied = scratch.apply(&archive).unwrap();
    assert_eq!(applied.entries, 4);
    assert_eq!(applied.size, archive.bytes().len() as u64);
    assert_eq!(scratch.read("dir/file"), "content");
    let mode = |path: &str| scratch.path(path).metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(
        (mode("dir"), mode("dir/file"), mode("dir/set-id")),
        (0o1777, 0o644, 0o4711)
    );
    // Filling the directory must not have changed its time.
    let time = scratch.path("dir").metadata().unwrap().modified().unwrap();
    assert_eq!(time, UNIX_EPOCH + Duration::new(1_700_000_000, 5));
    let old = scratch.path("dir/old").metadata().unwrap();
    assert_eq!((old.mtime(), old.mtime_nsec()), (-2, 500_000_000));
}

#[test]
fn owners_nodes_and_capabilities_are_kept() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let capability = vec![
        1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let archive = Archive::new()
        .entry("file", Kind::File, |entry| {
            (entry.uid, entry.gid, entry.mode) = (1000, 3_000_000, 0o6755);
            entry.xattrs = vec![
                (b"security.capability".to_vec(), capability.clone()),
                (b"user.note".to_vec(), b"yes".to_vec()),
            ];
        })
        .entry("null", Kind::CharDevice, |entry| {
            (entry.device, entry.mode) = ((1, 3), 0o666)
        })
        .entry("pipe", Kind::Fifo, |entry| entry.uid = 7)
        .entry("link", Kind::Symlink, |entry| {
            (entry.target, entry.uid) = (b"nowhere".to_vec(), 9)
        });
    assert_eq!(scratch.apply(&archive).unwrap().skipped, Skipped::default());
    let file = scratch.path("file").metadata().unwrap();
    assert_eq!(
        (file.uid(), file.gid(), file.mode() & 0o7777),
        (1000, 3_000_000, 0o6755)
    );
    assert_eq!(
        xattr(&scratch.path("file"), "security.capability").unwrap(),
        capability
    );
    assert_eq!(xattr(&scratch.path("file"), "user.note").unwrap(), b"yes");
    let null = scratch.path("null").metadata().unwrap();
    assert!(null.file_type().is_char_device());
    assert_eq!(
        (null.rdev(), null.mode() & 0o777),
        (rustix::fs::makedev(1, 3), 0o666)
    );
    assert_eq!(scratch.path("pipe").metadata().unwrap().uid(), 7);
    assert_eq!(scratch.path("link").symlink_metadata().unwrap().uid(), 9);
}

#[test]
fn hard_links_share_a_file_within_and_below() {
    let scratch = Scratch::new();
    scratch.apply(&Archive::new().file("lower", "old")).unwrap();
    scratch
        .apply(
            &Archive::new()
                .dir("a")
                .file("a/one", "x")
                .link("two", "a/one")
                .link("a/three", "./lower"),
        )
        .unwrap();
    let inode = |path: &str| scratch.path(path).metadata().unwrap().ino();
    assert_eq!(inode("a/one"), inode("two"));
    assert_eq!(inode("a/three"), inode("lower"));
    // Once more: a link to itself must not remove its own target.
    scratch
        .apply(&Archive::new().link("two", "two").link("lower", "a/three"))
        .unwrap();
    assert_eq!(scratch.read("lower"), "old");
}

#[test]
fn later_entries_replace_earlier_ones_of_any_type() {
    let scratch = Scratch::new();
    scratch
        .apply(
            &Archive::new()
                .dir("tree")
                .dir("tree/sub")
                .file("tree/sub/file", "old")
                .file("file", "old")
                .dir("kept")
                .file("kept/file", ""),
        )
        .unwrap();
    let archive = Archive::new()
        .file("tree", "now a file")
        .dir("file")
        .file("file/inside", "new")
        .symlink("link", "file")
        .file("link", "no more a link")
        .entry("kept", Kind::Directory, |entry| entry.mode = 0o700);
    scratch.apply(&archive).unwrap();
    assert_eq!(scratch.read("tree"), "now a file");
    assert_eq!(scratch.read("file/inside"), "new");
    assert_eq!(scratch.read("link"), "no more a link");
    assert!(
        scratch.exists("kept/file"),
        "a directory over a directory keeps what is in it"
    );
    assert_eq!(
        scratch.path("kept").metadata().unwrap().mode() & 0o777,
        0o700
    );
}

#[test]
fn missing_parents_are_made() {
    let scratch = Scratch::new();
    let applied = scratch
        .apply(&Archive::new().file("a/b/c", "deep"))
        .unwrap();
    assert_eq!(scratch.read("a/b/c"), "deep");
    assert_eq!(
        scratch.path("a/b").metadata().unwrap().mode() & 0o777,
        0o755
    );
    assert!(
        applied.implied.is_empty(),
        "the merged view has nothing to look up"
    );
}

#[test]
fn links_in_the_way_are_followed_inside_of_the_root() {
    let scratch = Scratch::new();
    scratch
        .apply(
            &Archive::new()
                .dir("usr")
                .dir("usr/lib")
                .symlink("lib", "usr/lib")
                .symlink("abs", "/usr/lib"),
        )
        .unwrap();
    scratch
        .apply(&Archive::new().file("lib/one", "1").file("abs/two", "2"))
        .unwrap();
    assert_eq!(
        (scratch.read("usr/lib/one"), scratch.read("usr/lib/two")),
        ("1".into(), "2".into())
    );
    assert!(scratch.path("lib").symlink_metadata().unwrap().is_symlink());
}

#[test]
fn whiteouts_remove_lower_files_and_leave_the_layers_own() {
    let scratch = Scratch::new();
    let lower = Archive::new()
        .dir("d")
        .file("d/gone", "")
        .file("d/stays", "")
        .dir("t")
        .dir("t/sub")
        .file("t/sub/gone", "")
        .dir("o")
        .file("o/gone", "");
    scratch.apply(&lower).unwrap();
    let upper = Archive::new()
        .file("d/.wh.gone", "")
        .file(".wh.t", "")
        .file("t/new", "mine")
        .dir("o")
        .file("o/mine", "before")
        .file("o/.wh..wh..opq", "")
        .file("o/later", "after")
        .file(".wh.absent", "")
        .file("absent/.wh.too", "");
    scratch.apply(&upper).unwrap();
    assert!(!scratch.exists("d/gone") && scratch.exists("d/stays"));
    assert!(!scratch.exists("t/sub") && scratch.exists("t/new"));
    assert!(!scratch.exists("o/gone") && scratch.exists("o/mine") && scratch.exists("o/later"));
    assert!(!scratch.exists("absent"));
    // The other order: what the layer itself has put there, it does not take away.
    scratch
        .apply(&Archive::new().file("d/own", "").file(".wh.d", ""))
        .unwrap();
    assert!(scratch.exists("d/own") && !scratch.exists("d/stays"));
}

#[test]
fn overlay_layers_keep_whiteouts_in_the_kernels_form() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let archive = Archive::new()
        .dir("d")
        .file("d/.wh.gone", "")
        .dir("o")
        .file("o/.wh..wh..opq", "")
        .file("x/y/.wh.deep", "")
        .file(".wh.replaced", "")
        .dir("replaced")
        .file("own", "stays")
        .file(".wh.own", "");
    let applied = scratch.apply_as(&archive, Whiteouts::Overlay).unwrap();
    assert!(is_whiteout(&scratch.path("d/gone")) && is_whiteout(&scratch.path("x/y/deep")));
    let opaque = |path: &str| xattr(&scratch.path(path), "trusted.overlay.opaque");
    assert_eq!(opaque("o").unwrap(), b"y");
    assert_eq!(
        opaque("replaced").unwrap(),
        b"y",
        "a directory in place of a whiteout shows nothing of the lower one"
    );
    assert_eq!(opaque("d"), None);
    assert_eq!(scratch.read("own"), "stays");
    let implied: Vec<_> = applied
        .implied
        .iter()
        .map(ramekin_layer::Implied::to_text)
        .collect();
    assert_eq!(implied, ["", "x", "x/y"]);

    let user = Scratch::new();
    user.apply_as(&archive, Whiteouts::OverlayUser).unwrap();
    assert_eq!(xattr(&user.path("o"), "user.overlay.opaque").unwrap(), b"y");
    assert!(is_whiteout(&user.path("d/gone")));
}

#[test]
fn a_layer_cannot_forge_what_overlayfs_trusts() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let forged = [
        b"trusted.overlay.opaque".to_vec(),
        b"user.overlay.redirect".to_vec(),
    ];
    let archive = Archive::new()
        .entry("d", Kind::Directory, |entry| {
            entry.xattrs = forged
                .iter()
                .map(|name| (name.clone(), b"y".to_vec()))
                .collect()
        })
        .entry("whiteout", Kind::CharDevice, |entry| entry.device = (0, 0));
    let applied = scratch.apply_as(&archive, Whiteouts::Overlay).unwrap();
    assert_eq!(xattr(&scratch.path("d"), "trusted.overlay.opaque"), None);
    assert_eq!(xattr(&scratch.path("d"), "user.overlay.redirect"), None);
    assert!(!scratch.exists("whiteout"));
    assert_eq!(applied.skipped.devices, 1);
}

#[test]
fn default_acls_do_not_change_what_the_layer_asks_for() {
    let scratch = Scratch::new();
    // setfacl -d -m u::rwx,g::---,o::---
    let acl = vec![
        2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 4, 0, 0, 0, 255, 255, 255, 255, 32, 0, 0, 0,
        255, 255, 255, 255,
    ];
    let with_acl = |entry: &mut ramekin_layer::tar::Entry| {
        entry.xattrs = vec![(b"system.posix_acl_default".to_vec(), acl.clone())]
    };
    scratch
        .apply(
            &Archive::new()
                .entry("d", Kind::Directory, with_acl)
                .file("d/first", ""),
        )
        .unwrap();
    assert_eq!(
        xattr(&scratch.path("d"), "system.posix_acl_default").unwrap(),
        acl
    );
    scratch
        .apply(&Archive::new().file("d/second", "").dir("d/sub"))
        .unwrap();
    assert_eq!(
        xattr(&scratch.path("d/sub"), "system.posix_acl_default"),
        None
    );
    for path in ["d/first", "d/second"] {
        assert_eq!(
            scratch.path(path).metadata().unwrap().mode() & 0o777,
            0o644,
            "{path}"
        );
    }
}

#[test]
fn limits_stop_a_bomb() {
    let scratch = Scratch::new();
    let archive = Archive::new().file("a", &"x".repeat(5000)).file("b", "");
    let limited = |size, entries| Options {
        limits: Limits { size, entries },
        ..Options::default()
    };
    let error = failure(scratch.apply_with(&archive, limited(Some(4096), None)));
    assert_eq!(error.code, Code::ResourceExhausted);
    let error = failure(scratch.apply_with(&archive, limited(None, Some(1))));
    assert_eq!(error.code, Code::ResourceExhausted);
    assert!(error.message.contains('b'), "{error}");
    scratch
        .apply_with(&archive, limited(Some(1 << 20), Some(2)))
        .unwrap();
}
