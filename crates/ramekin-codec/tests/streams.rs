//! What every codec must decode, and what it must refuse.

use std::io::{BufReader, ErrorKind, Read, Write};

use ramekin_codec::{decode, Algorithm, Encoder, Format, Hasher};

fn encoded(format: Format, bytes: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(format, None, Vec::new()).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// In small reads, so that every state is met at a boundary.
fn decoded(format: Format, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut decoder = decode(format, BufReader::with_capacity(7, bytes));
    let mut buffer = [0; 11];
    loop {
        match decoder.read(&mut buffer)? {
            0 => return Ok(out),
            length => out.extend_from_slice(&buffer[..length]),
        }
    }
}

const TEXT: &[u8] =
    b"the quick brown fox jumps over the lazy dog, again and again and again and again";

#[test]
fn round_trips() {
    let long: Vec<u8> = (0..300_000u32).flat_map(|n| n.to_le_bytes()).collect();
    for format in [Format::Identity, Format::Gzip, Format::Zstd] {
        for text in [TEXT, b"", &long] {
            assert_eq!(decoded(format, &encoded(format, text)).unwrap(), text);
        }
        if format != Format::Identity {
            assert_eq!(Format::detect(&encoded(format, TEXT)), format);
        }
    }
}

#[test]
fn members_and_frames_are_one_stream() {
    for format in [Format::Gzip, Format::Zstd] {
        let mut two = encoded(format, TEXT);
        two.extend(encoded(format, b""));
        two.extend(encoded(format, b"more"));
        assert_eq!(decoded(format, &two).unwrap(), [TEXT, b"more"].concat());
    }
}

#[test]
fn skippable_frames_are_skipped() {
    let mut stream = vec![0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    stream.extend(encoded(Format::Zstd, TEXT));
    stream.extend([0x5f, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
    assert_eq!(Format::detect(&stream), Format::Zstd);
    assert_eq!(decoded(Format::Zstd, &stream).unwrap(), TEXT);
}

#[test]
fn zeros_behind_the_end_are_padding_and_nothing_else_is() {
    for format in [Format::Gzip, Format::Zstd] {
        let mut padded = encoded(format, TEXT);
        padded.extend([0; 100]);
        assert_eq!(decoded(format, &padded).unwrap(), TEXT);
        padded.push(1);
        assert_eq!(
            decoded(format, &padded).unwrap_err().kind(),
            ErrorKind::InvalidData
        );
        let mut dirty = encoded(format, TEXT);
        dirty.extend(b"garbage garbage");
        assert_eq!(
            decoded(format, &dirty).unwrap_err().kind(),
            ErrorKind::InvalidData
        );
    }
}

#[test]
fn every_truncation_is_noticed() {
    for format in [Format::Gzip, Format::Zstd] {
        let whole = encoded(format, TEXT);
        for length in 0..whole.len() {
            let error = decoded(format, &whole[..length]).unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::UnexpectedEof,
                "{format:?} cut at {length}: {error}"
            );
        }
    }
}

#[test]
fn a_flipped_bit_is_noticed() {
    for format in [Format::Gzip, Format::Zstd] {
        let mut bytes = encoded(format, TEXT);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        assert!(decoded(format, &bytes).is_err(), "{format:?}");
    }
}

#[test]
fn digests_are_those_of_fips_180() {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.update(b"a");
    hasher.update(b"bc");
    assert_eq!(
        hasher.finish(),
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    let sha512 = Hasher::new(Algorithm::Sha512).finish();
    assert!(sha512.starts_with(
        "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0"
    ));
    assert_eq!(Algorithm::of_digest(&sha512), Some(Algorithm::Sha512));
    assert_eq!(Algorithm::of_digest("sha256:../../etc"), None);
}
