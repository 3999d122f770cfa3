//! Archives as other people's tools write them: GNU tar's formats, read back whole.

mod support;

use std::os::unix::fs::MetadataExt;
use std::process::Command;

use ramekin_layer::tar::{Kind, Reader};
use ramekin_layer::Options;
use support::{apply_bytes, xattr, Archive, Scratch};

/// A tree with what the formats differ in, packed by GNU tar with `arguments`.
fn packed(scratch: &Scratch, arguments: &[&str]) -> Vec<u8> {
    let source = scratch.base.join("source");
    if !source.exists() {
        let long = source.join("l".repeat(120)).join("m".repeat(120));
        std::fs::create_dir_all(&long).unwrap();
        std::fs::write(long.join("file"), "deep").unwrap();
        std::os::unix::fs::symlink("t".repeat(300), source.join("link")).unwrap();
        let sparse = std::fs::File::create(source.join("sparse")).unwrap();
        sparse.set_len(10 << 20).unwrap();
        for piece in 0..30u64 {
            std::os::unix::fs::FileExt::write_all_at(
                &sparse,
                &[piece as u8 + 1; 4096],
                piece * 300_000 / 4096 * 4096,
            )
            .unwrap();
        }
    }
    let output = Command::new("tar")
        .arg("-C")
        .arg(&source)
        .args(arguments)
        .args(["-cf", "-", "."])
        .output()
        .expect("GNU tar runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

#[test]
fn every_format_of_gnu_tar_is_read_whole() {
    for arguments in [
        &["--format=gnu"][..],
        &["--format=pax"],
        &["--format=gnu", "--sparse"],
        &["--format=pax", "--sparse", "--sparse-version=0.0"],
        &["--format=pax", "--sparse", "--sparse-version=0.1"],
        &["--format=pax", "--sparse", "--sparse-version=1.0"],
    ] {
        let scratch = Scratch::new();
        let archive = packed(&scratch, arguments);
        apply_bytes(&scratch.root, archive, Options::default())
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
        let source = scratch.base.join("source");
        let diff = Command::new("diff")
            .args(["-r", "--no-dereference"])
            .args([&source, &scratch.root])
            .output()
            .unwrap();
        assert!(
            diff.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&diff.stdout)
        );
        let sparse = scratch.path("sparse").metadata().unwrap();
        assert_eq!(sparse.size(), 10 << 20);
        if arguments.contains(&"--sparse") {
            assert!(
                sparse.blocks() * 512 < 1 << 20,
                "{arguments:?}: holes are kept"
            );
        }
    }
}

#[test]
fn gnu_numbers_beyond_octal_are_read() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.base.join("source")).unwrap();
    std::fs::write(scratch.base.join("source/file"), "x").unwrap();
    let arguments = [
        "--format=gnu",
        "--owner=:3000000",
        "--group=:4000000000",
        "--mtime=1960-01-01T00:00:00Z",
    ];
    let output = Command::new("tar")
        .arg("-C")
        .arg(scratch.base.join("source"))
        .args(arguments)
        .args(["-cf", "-", "file"])
        .output();
    let bytes = output.unwrap().stdout;
    let entry = Reader::new(bytes.as_slice()).next_entry().unwrap().unwrap();
    assert_eq!(
        (entry.uid, entry.gid, entry.mtime),
        (3_000_000, 4_000_000_000, (-315_619_200, 0))
    );
}

#[test]
fn what_we_write_gnu_tar_reads() {
    let scratch = Scratch::new();
    let deep = format!("{}/{}", "d".repeat(200), "e".repeat(200));
    let archive = Archive::new()
        .dir("dir/")
        .file(&deep, "content")
        .symlink("link", &"t".repeat(200))
        .entry("attributes", Kind::File, |entry| {
            entry.xattrs = vec![(b"user.note".to_vec(), b"with = and\nnewline".to_vec())];
            entry.mtime = (1_600_000_000, 120_000_000);
        });
    std::fs::write(scratch.base.join("layer.tar"), archive.bytes()).unwrap();
    let listed = Command::new("tar")
        .arg("-C")
        .arg(&scratch.root)
        .args(["--xattrs", "-xf"])
        .arg(scratch.base.join("layer.tar"))
        .output()
        .unwrap();
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
    assert_eq!(scratch.read(&deep), "content");
    assert_eq!(
        std::fs::read_link(scratch.path("link"))
            .unwrap()
            .as_os_str()
            .len(),
        200
    );
    assert_eq!(
        scratch.path("attributes").metadata().unwrap().mtime_nsec(),
        120_000_000
    );
    assert_eq!(
        xattr(&scratch.path("attributes"), "user.note").unwrap(),
        b"with = and\nnewline"
    );
}

#[test]
fn what_we_write_we_read() {
    let archive = Archive::new().entry(&"p".repeat(300), Kind::HardLink, |entry| {
        (entry.target, entry.mtime) = ("t".repeat(300).into(), (-5, 250_000_000));
        (entry.uid, entry.gid) = (u32::MAX - 1, 5_000_000);
        entry.xattrs = vec![
            (b"user.b".to_vec(), vec![0, 255, 10]),
            (b"user.a".to_vec(), b"1".to_vec()),
        ];
    });
    let bytes = archive.bytes();
    let entry = Reader::new(bytes.as_slice()).next_entry().unwrap().unwrap();
    assert_eq!(
        (entry.path.len(), entry.target.len(), entry.kind),
        (300, 300, Kind::HardLink)
    );
    assert_eq!(
        (entry.uid, entry.gid, entry.mtime),
        (u32::MAX - 1, 5_000_000, (-5, 250_000_000))
    );
    assert_eq!(
        entry.xattrs,
        [
            (b"user.a".to_vec(), b"1".to_vec()),
            (b"user.b".to_vec(), vec![0, 255, 10])
        ]
    );
}
