//! Layers that mean harm. Each must be refused with a message that names the entry, or do no harm; nothing outside of the
//! root may change.

mod support;

use std::io::Cursor;

use ramekin_layer::tar::{Entry, Kind};
use ramekin_layer::{apply, Blob, Options, Whiteouts};
use ramekin_sys::rooted::Root;
use ramekin_sys::Code;
use support::{apply_bytes, failure, is_root, Archive, Scratch};

fn refused(archive: Archive) -> ramekin_sys::Error {
    let scratch = Scratch::new();
    let error = failure(scratch.apply(&archive));
    scratch.assert_canary();
    error
}

#[test]
fn names_that_lead_out_are_refused() {
    for path in [
        "../canary",
        "a/../../canary",
        "/../canary",
        "./../canary",
        "..",
        "a/../..",
    ] {
        let error = refused(Archive::new().file(path, "dead"));
        assert_eq!(error.code, Code::InvalidArgument, "{path}");
        assert!(error.message.contains(path), "{error}");
    }
    for path in ["../.wh.canary", "../.wh..wh..opq", ".wh...", ".wh.."] {
        assert_eq!(
            refused(Archive::new().file(path, "")).code,
            Code::InvalidArgument,
            "{path}"
        );
    }
}

#[test]
fn links_lead_nowhere_but_inside() {
    let scratch = Scratch::new();
    let outside = scratch.base.to_str().unwrap().to_owned();
    let archive = Archive::new()
        .symlink("up", "..")
        .file("up/canary", "inside")
        .symlink("abs", &outside)
        .file("abs/canary", "inside")
        .symlink("chain", "up/up/up")
        .file("chain/deep", "inside")
        .file("up/.wh.canary", "")
        .symlink("magic", "/proc/self/root")
        .file("magic/canary", "inside");
    scratch.apply(&archive).unwrap();
    scratch.assert_canary();
    assert_eq!(scratch.read(&format!("{}/canary", &outside[1..])), "inside");
    assert_eq!(scratch.read("deep"), "inside");
}

#[test]
fn a_link_in_the_last_place_is_replaced_not_followed() {
    let scratch = Scratch::new();
    let canary = scratch.base.join("canary");
    let archive = Archive::new()
        .symlink("file", canary.to_str().unwrap())
        .file("file", "dead")
        .symlink("dir", scratch.base.to_str().unwrap())
        .dir("dir")
        .entry("dir/canary", Kind::File, |entry| entry.mode = 0o4777)
        .symlink("null", canary.to_str().unwrap())
        .entry("null", Kind::Fifo, |_| {});
    scratch.apply(&archive).unwrap();
    scratch.assert_canary();
    assert!(scratch.path("dir").symlink_metadata().unwrap().is_dir());
}

#[test]
fn hard_links_reach_nothing_outside() {
    for target in ["../canary", "/../canary", "x/../../canary"] {
        assert_eq!(
            refused(Archive::new().link("mine", target)).code,
            Code::InvalidArgument,
            "{target}"
        );
    }
    // By way of a link: resolved inside, where there is no such file.
    let scratch = Scratch::new();
    let error = failure(
        scratch.apply(
            &Archive::new()
                .symlink("up", scratch.base.to_str().unwrap())
                .link("mine", "up/canary"),
        ),
    );
    assert_eq!(error.code, Code::DataLoss);
    scratch.assert_canary();
    // A link to a link is the link, not what it names.
    let scratch = Scratch::new();
    let canary = scratch.base.join("canary");
    scratch
        .apply(
            &Archive::new()
                .symlink("a", canary.to_str().unwrap())
                .link("b", "a")
                .file("b", "dead"),
        )
        .unwrap();
    scratch.assert_canary();
    assert_eq!(
        refused(Archive::new().dir("d").link("l", "d")).code,
        Code::PermissionDenied
    );
    assert_eq!(
        refused(Archive::new().dir("d").file("d/f", "").link("d", "d/f")).code,
        Code::InvalidArgument
    );
    assert_eq!(
        refused(Archive::new().link("l", "/")).code,
        Code::InvalidArgument
    );
}

#[test]
fn a_directory_swapped_for_a_link_is_looked_up_anew() {
    let scratch = Scratch::new();
    let archive = Archive::new()
        .entry("d", Kind::Directory, |entry| entry.mtime = (1, 0))
        .file("d/one", "")
        .symlink("d", scratch.base.to_str().unwrap())
        .file("d/two", "inside");
    scratch.apply(&archive).unwrap();
    scratch.assert_canary();
}

#[test]
fn names_too_long_are_refused() {
    for path in [
        "n".repeat(256),
        "deep/".repeat(900),
        format!("{}/x", "d".repeat(300)),
    ] {
        let error = refused(Archive::new().file(&path, ""));
        assert_eq!(error.code, Code::InvalidArgument);
        assert!(error.message.len() < 20_000);
    }
    let deep = "d/".repeat(2000);
    let scratch = Scratch::new();
    scratch.apply(&Archive::new().dir(&deep)).unwrap();
    ramekin_sys::tree::remove_tree(&Root::open(&scratch.root).unwrap(), "d".as_ref()).unwrap();
    assert!(!scratch.exists("d"));
}

#[test]
fn every_cut_of_an_archive_is_noticed_or_harmless() {
    let whole = Archive::new()
        .file("a", "content")
        .entry("b", Kind::File, |entry| entry.mtime = (1, 2))
        .file("c", "x")
        .bytes();
    // What pads the content of "a" and of "c", which stand first and last.
    let is_padding = |at: usize| (519..1024).contains(&at) || whole.len() - at <= 1024 + 511;
    for length in (0..whole.len())
        .step_by(64)
        .chain((1..whole.len()).step_by(97))
    {
        let scratch = Scratch::new();
        match apply_bytes(&scratch.root, whole[..length].to_vec(), Options::default()) {
            // Between entries an end looks like the end, and the last file's padding need not be there; the digest tells then.
            Ok(_) => assert!(length % 512 == 0 || is_padding(length), "cut at {length}"),
            Err(error) => assert_eq!(error.code, Code::DataLoss, "cut at {length}: {error}"),
        }
        let digest = format!("sha256:{}", "0".repeat(64));
        let blob = Blob {
            digest: Some(digest),
            size: Some(whole.len() as u64),
            ..Blob::default()
        };
        let error = failure(apply(
            &Root::open(&scratch.root).unwrap(),
            Cursor::new(whole[..length].to_vec()),
            &blob,
            Options::default(),
        ));
        assert_eq!(error.code, Code::DataLoss, "cut at {length}: {error}");
    }
}

/// As umoci's `insert` leaves it.
#[test]
fn a_file_at_the_end_needs_no_padding() {
    let whole = Archive::new().file("a", "content").bytes();
    let scratch = Scratch::new();
    apply_bytes(&scratch.root, whole[..519].to_vec(), Options::default()).unwrap();
    assert_eq!(scratch.read("a"), "content");
    let error = failure(apply_bytes(
        &scratch.root,
        whole[..518].to_vec(),
        Options::default(),
    ));
    assert_eq!(error.code, Code::DataLoss);
}

#[test]
fn every_flipped_header_byte_is_noticed_or_harmless() {
    let whole = Archive::new()
        .dir("d")
        .file("d/a", "content")
        .symlink("l", "d")
        .link("h", "d/a")
        .bytes();
    // All of the first header, and samples of the rest.
    for at in (0..512).step_by(4).chain((512..whole.len()).step_by(37)) {
        let scratch = Scratch::new();
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        let _ = apply_bytes(&scratch.root, bytes, Options::default());
        scratch.assert_canary();
    }
}

#[test]
fn the_blob_must_be_what_its_descriptor_says() {
    let bytes = Archive::new().file("a", "content").bytes();
    let mut hasher = ramekin_codec::Hasher::new(ramekin_codec::Algorithm::Sha256);
    hasher.update(&bytes);
    let right = Blob {
        digest: Some(hasher.finish()),
        size: Some(bytes.len() as u64),
        media_type: None,
    };
    let scratch = Scratch::new();
    let run = |blob: &Blob, bytes: &[u8]| {
        apply(
            &Root::open(&scratch.root).unwrap(),
            Cursor::new(bytes.to_vec()),
            blob,
            Options::default(),
        )
    };
    let applied = run(&right, &bytes).unwrap();
    assert_eq!(Some(applied.diff_id), right.digest);
    let longer = [bytes.as_slice(), b"more"].concat();
    for (blob, bytes, what) in [
        (
            Blob {
                size: Some(bytes.len() as u64 + 1),
                ..right.clone()
            },
            &bytes,
            "instead of",
        ),
        (
            Blob {
                size: Some(bytes.len() as u64 - 1),
                ..right.clone()
            },
            &bytes,
            "longer",
        ),
        (
            Blob {
                digest: Some(format!("sha256:{}", "0".repeat(64))),
                ..right.clone()
            },
            &bytes,
            "digest",
        ),
        (
            Blob {
                size: None,
                ..right.clone()
            },
            &longer,
            "digest",
        ),
    ] {
        let error = failure(run(&blob, bytes));
        assert_eq!(error.code, Code::DataLoss);
        assert!(error.message.contains(what), "{error}");
    }
    let bad = Blob {
        digest: Some("sha256:../../x".into()),
        ..right
    };
    assert_eq!(failure(run(&bad, &bytes)).code, Code::InvalidArgument);
}

#[test]
fn a_wrong_digest_is_told_before_the_nonsense_it_brings() {
    let scratch = Scratch::new();
    let blob = Blob {
        digest: Some(format!("sha256:{}", "0".repeat(64))),
        ..Blob::default()
    };
    let error = failure(apply(
        &Root::open(&scratch.root).unwrap(),
        Cursor::new(vec![b'x'; 2000]),
        &blob,
        Options::default(),
    ));
    assert!(error.message.contains("digest"), "{error}");
}

#[test]
fn sizes_and_maps_that_lie_are_refused() {
    let huge = |entry: &mut Entry| entry.size = 1 << 50;
    assert_eq!(
        refused(Archive::new().entry("huge", Kind::File, huge)).code,
        Code::DataLoss
    );
    // A pax header that claims more than any name needs.
    let mut bytes = Archive::new()
        .entry("x", Kind::File, |entry| entry.mtime = (0, 1))
        .bytes();
    bytes[124..136].copy_from_slice(b"77777777777\0");
    bytes[148..156].fill(b' ');
    let sum: u32 = bytes[..512].iter().map(|byte| u32::from(*byte)).sum();
    bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let scratch = Scratch::new();
    assert_eq!(
        failure(apply_bytes(&scratch.root, bytes, Options::default())).code,
        Code::ResourceExhausted
    );
}

#[test]
fn parents_that_are_no_directories_are_refused() {
    let error = refused(Archive::new().file("file", "").file("file/below", ""));
    assert_eq!(error.code, Code::FailedPrecondition);
    assert!(error.message.contains("file/below"), "{error}");
    assert_eq!(
        refused(
            Archive::new()
                .symlink("a", "b")
                .symlink("b", "a")
                .file("a/x", "")
        )
        .code,
        Code::InvalidArgument
    );
    assert_eq!(
        refused(Archive::new().file(".", "")).code,
        Code::InvalidArgument
    );
}

#[test]
fn an_overlay_layer_stays_inside_as_well() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let base = scratch.base.to_str().unwrap();
    let archive = Archive::new()
        .symlink("up", base)
        .file("up/.wh.canary", "")
        .file("up/.wh..wh..opq", "")
        .link("hard", "up/other")
        .symlink("dangling", "../../../made")
        .file("dangling/file", "");
    scratch.apply_as(&archive, Whiteouts::Overlay).unwrap();
    scratch.assert_canary();
    assert!(scratch.exists("made/file"));
}
