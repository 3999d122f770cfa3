//! Docker's json-file record: `{"log":"…\n","stream":"stdout","time":"…"}`.
//!
//! Ours has one field more where the bytes are not UTF-8: `raw`, base64 of the same bytes, line break included.

use super::lines::Line;
use super::Stream;

pub fn append(out: &mut Vec<u8>, stream: Stream, time: &str, line: Line<'_>) {
    out.extend(b"{\"log\":\"");
    let text = std::str::from_utf8(line.bytes);
    match text {
        Ok(text) => escape(out, text),
        Err(_) => escape(out, &String::from_utf8_lossy(line.bytes)),
    }
    if line.ended {
        out.extend(b"\\n");
    }
    out.extend(match stream {
        Stream::Stdout => b"\",\"stream\":\"stdout\"",
        Stream::Stderr => b"\",\"stream\":\"stderr\"",
    });
    if text.is_err() {
        let end: &[u8] = if line.ended { b"\n" } else { b"" };
        out.extend(b",\"raw\":\"");
        base64(out, &[line.bytes, end].concat());
        out.push(b'"');
    }
    out.extend(b",\"time\":\"");
    out.extend(time.as_bytes());
    out.extend(b"\"}\n");
}

/// As Go escapes it: what HTML or JavaScript would trip over as well.
fn escape(out: &mut Vec<u8>, text: &str) {
    let mut plain = 0;
    for (at, letter) in text.char_indices() {
        let escaped: &[u8] = match letter {
            '"' => b"\\\"",
            '\\' => b"\\\\",
            '\n' => b"\\n",
            '\r' => b"\\r",
            '\t' => b"\\t",
            '\u{2028}' => b"\\u2028",
            '\u{2029}' => b"\\u2029",
            '\0'..='\x1f' | '<' | '>' | '&' => &[
                b'\\',
                b'u',
                b'0',
                b'0',
                hex(letter as u8 >> 4),
                hex(letter as u8 & 15),
            ],
            _ => continue,
        };
        out.extend(&text.as_bytes()[plain..at]);
        out.extend(escaped);
        plain = at + letter.len_utf8();
    }
    out.extend(&text.as_bytes()[plain..]);
}

fn hex(digit: u8) -> u8 {
    b"0123456789abcdef"[digit as usize]
}

fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in bytes.chunks(3) {
        let value = group
            .iter()
            .fold(0_u32, |value, byte| value << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for position in 0..4 {
            out.push(match position <= group.len() {
                true => DIGITS[(value >> (18 - 6 * position)) as usize & 63],
                false => b'=',
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8], ended: bool) -> String {
        let mut out = Vec::new();
        append(
            &mut out,
            Stream::Stdout,
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
            base64(&mut out, bytes);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            [of(b""), of(b"f"), of(b"fo"), of(b"foo"), of(b"foob")],
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        );
    }
}
