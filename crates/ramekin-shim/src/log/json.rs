//! Docker's json-file record: `{"log":"…\n","stream":"stdout","time":"…"}`.
//!
//! Ours has one field more where the bytes are not UTF-8: `raw`, base64 of the same bytes, line break included.

use std::collections::BTreeMap;

use super::lines::Line;
use super::Stream;

/// As Docker writes labels and the like, for `append`; nothing when there are none.
pub fn attributes(of: &BTreeMap<String, String>) -> String {
    match of.is_empty() {
        true => String::new(),
        false => format!(",\"attrs\":{}", serde_json::json!(of)),
    }
}

pub fn append(out: &mut Vec<u8>, stream: Stream, attributes: &str, time: &str, line: Line<'_>) {
    out.extend(b"{\"log\":\"");
    let mut is_text = true;
    for chunk in line.bytes.utf8_chunks() {
        escape(out, chunk.valid());
        if !chunk.invalid().is_empty() {
            out.extend("\u{fffd}".as_bytes());
            is_text = false;
        }
    }
    if line.ended {
        out.extend(b"\\n");
    }
    out.extend(match stream {
        Stream::Stdout => b"\",\"stream\":\"stdout\"",
        Stream::Stderr => b"\",\"stream\":\"stderr\"",
    });
    if !is_text {
        out.extend(b",\"raw\":\"");
        base64(out, line.bytes, line.ended);
        out.push(b'"');
    }
    out.extend(attributes.as_bytes());
    out.extend(b",\"time\":\"");
    out.extend(time.as_bytes());
    out.extend(b"\"}\n");
}

/// As Go escapes it: what HTML or JavaScript would trip over as well. Byte by byte: letter by letter was half the cost of a
/// log.
fn escape(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut plain = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let (escaped, length): (&[u8], usize) = match byte {
            b'"' => (b"\\\"", 1),
            b'\\' => (b"\\\\", 1),
            b'\n' => (b"\\n", 1),
            b'\r' => (b"\\r", 1),
            b'\t' => (b"\\t", 1),
            0..=0x1f | b'<' | b'>' | b'&' => (
                &[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)],
                1,
            ),
            0xe2 if bytes[at..].starts_with(b"\xe2\x80\xa8") => (b"\\u2028", 3),
            0xe2 if bytes[at..].starts_with(b"\xe2\x80\xa9") => (b"\\u2029", 3),
            _ => continue,
        };
        out.extend_from_slice(&bytes[plain..at]);
        out.extend_from_slice(escaped);
        plain = at + length;
    }
    out.extend_from_slice(&bytes[plain..]);
}

fn hex(digit: u8) -> u8 {
    b"0123456789abcdef"[digit as usize]
}

/// Of the bytes and, if the line has ended, its line break.
fn base64(out: &mut Vec<u8>, bytes: &[u8], ended: bool) {
    let (groups, rest) = bytes.as_chunks::<3>();
    out.reserve(groups.len() * 4 + 8);
    for group in groups {
        out.extend_from_slice(&digits(*group));
    }
    let mut last = [0; 3];
    last[..rest.len()].copy_from_slice(rest);
    let mut length = rest.len();
    if ended {
        last[length] = b'\n';
        length += 1;
    }
    if length > 0 {
        let mut four = digits(last);
        four[length + 1..].fill(b'=');
        out.extend_from_slice(&four);
    }
}

fn digits([a, b, c]: [u8; 3]) -> [u8; 4] {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let value = u32::from(a) << 16 | u32::from(b) << 8 | u32::from(c);
    [18, 12, 6, 0].map(|shift| DIGITS[(value >> shift) as usize & 63])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8], ended: bool) -> String {
        let mut out = Vec::new();
        append(
            &mut out,
            Stream::Stdout,
            "",
            "2026-11-23T10:00:00Z",
            Line { bytes, ended },
        );
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_as_docker_writes_it() {
        assert_eq!(
            of(b"hi", true),
            "{\"log\":\"hi\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-23T10:00:00Z\"}\n"
        );
    }

    #[test]
    fn attributes_stand_before_the_time() {
        let attributes = attributes(&BTreeMap::from([("a".into(), "\"b\"".into())]));
        let mut out = Vec::new();
        let line = Line {
            bytes: b"hi",
            ended: true,
        };
        append(&mut out, Stream::Stderr, &attributes, "T", line);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"log\":\"hi\\n\",\"stream\":\"stderr\",\"attrs\":{\"a\":\"\\\"b\\\"\"},\"time\":\"T\"}\n"
        );
    }

    #[test]
    fn what_json_needs_escaped_reads_back() {
        let text = "a\"b\\c\t\r\x1b<\u{2028}é\0";
        let record: serde_json::Value = serde_json::from_str(&of(text.as_bytes(), false)).unwrap();
        assert_eq!(record["log"], text);
        assert!(record.get("raw").is_none());
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_kept_beside() {
        let record: serde_json::Value = serde_json::from_str(&of(b"a\xff", true)).unwrap();
        assert_eq!(
            (&record["log"], &record["raw"]),
            (&"a\u{fffd}\n".into(), &"Yf8K".into())
        );
    }

    #[test]
    fn base64_pads() {
        let of = |bytes: &[u8]| {
            let mut out = Vec::new();
            base64(&mut out, bytes, false);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            [of(b""), of(b"f"), of(b"fo"), of(b"foo"), of(b"foob")],
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        );
    }
}
