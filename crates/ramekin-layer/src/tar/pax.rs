//! pax extended headers: records `length key=value\n` that override a header's fields.

use ramekin_sys::Result;

use super::header::{corrupt, narrow, Entry};

#[derive(Default)]
pub struct Records(Vec<(Vec<u8>, Vec<u8>)>);

impl Records {
    pub fn parse(mut bytes: &[u8]) -> Result<Self> {
        let bad = || corrupt("bad pax record");
        let mut records = Vec::new();
        while !bytes.is_empty() {
            let space = bytes
                .iter()
                .position(|byte| *byte == b' ')
                .filter(|at| *at < 20)
                .ok_or_else(bad)?;
            let length: usize = std::str::from_utf8(&bytes[..space])
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or_else(bad)?;
            if length <= space + 1 || length > bytes.len() || bytes[length - 1] != b'\n' {
                return Err(bad());
            }
            let record = &bytes[space + 1..length - 1];
            let equals = record
                .iter()
                .position(|byte| *byte == b'=')
                .filter(|at| *at > 0)
                .ok_or_else(bad)?;
            records.push((record[..equals].to_vec(), record[equals + 1..].to_vec()));
            bytes = &bytes[length..];
        }
        Ok(Self(records))
    }

    /// The last one holds; an empty value takes it back.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        let found = self
            .0
            .iter()
            .rev()
            .find(|(name, _)| name == key.as_bytes())?;
        (!found.1.is_empty()).then_some(&found.1)
    }

    /// In order, with repetitions: sparse maps of version 0.0 come so.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_slice(), value.as_slice()))
    }

    pub fn number(&self, key: &str) -> Result<Option<u64>> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let number = std::str::from_utf8(value)
            .ok()
            .and_then(|text| text.parse().ok());
        number
            .map(Some)
            .ok_or_else(|| corrupt(&format!("bad pax number {key}")))
    }

    /// All but size and sparse maps, which also say how the archive goes on.
    pub fn amend(&self, entry: &mut Entry) -> Result<()> {
        for (key, field) in [("path", &mut entry.path), ("linkpath", &mut entry.target)] {
            if let Some(value) = self.get(key) {
                if value.contains(&0) {
                    return Err(corrupt("a path with a NUL byte"));
                }
                *field = value.to_vec();
            }
        }
        for (key, field) in [("uid", &mut entry.uid), ("gid", &mut entry.gid)] {
            if let Some(value) = self.number(key)? {
                *field = narrow(i64::try_from(value).unwrap_or(i64::MAX), key)?;
            }
        }
        if let Some(value) = self.get("mtime") {
            entry.mtime = time(value).ok_or_else(|| corrupt("bad mtime"))?;
        }
        for (key, value) in self.iter() {
            if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                set(&mut entry.xattrs, name.to_vec(), value.to_vec());
            } else if let Some(name) = key.strip_prefix(b"LIBARCHIVE.xattr.") {
                let (name, value) = (percent_decoded(name), base64_decoded(value));
                set(
                    &mut entry.xattrs,
                    name,
                    value.ok_or_else(|| corrupt("bad LIBARCHIVE.xattr"))?,
                );
            }
        }
        Ok(())
    }
}

fn set(xattrs: &mut Vec<(Vec<u8>, Vec<u8>)>, name: Vec<u8>, value: Vec<u8>) {
    xattrs.retain(|(other, _)| *other != name);
    xattrs.push((name, value));
}

/// Decimal seconds with a fraction; digits beyond nanoseconds are cut off. Before 1970 the fraction counts backwards.
fn time(text: &[u8]) -> Option<(i64, u32)> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let nanoseconds: u32 = format!("{fraction:0<9}")[..9].parse().ok()?;
    match whole.starts_with('-') && nanoseconds > 0 {
        true => Some((seconds.checked_sub(1)?, 1_000_000_000 - nanoseconds)),
        false => Some((seconds, nanoseconds)),
    }
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let code = (*first == b'%').then(|| tail.get(..2)).flatten();
        match code
            .and_then(|code| std::str::from_utf8(code).ok())
            .and_then(|code| u8::from_str_radix(code, 16).ok())
        {
            Some(byte) => {
                out.push(byte);
                rest = &tail[2..];
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

/// With or without padding: libarchive leaves it out.
fn base64_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0u32, 0);
    for byte in text.iter().take_while(|byte| **byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_nanoseconds_on_both_sides_of_the_epoch() {
        assert_eq!(time(b"1700000000.000000001"), Some((1_700_000_000, 1)));
        assert_eq!(time(b"12.5"), Some((12, 500_000_000)));
        assert_eq!(time(b"-0.5"), Some((-1, 500_000_000)));
        assert_eq!(time(b"12.1234567899"), Some((12, 123_456_789)));
        assert_eq!(time(b"1e9"), None);
    }

    #[test]
    fn records_are_as_long_as_they_say() {
        let records = Records::parse(b"11 path=ab\n13 comment=x\n").unwrap();
        assert_eq!(records.get("path"), Some(&b"ab"[..]));
        for bad in [
            &b"10 path=ab\n"[..],
            b"99 path=ab\n",
            b"path=ab\n",
            b"6 =ab\n",
            b"1 \n",
        ] {
            assert!(
                Records::parse(bad).is_err(),
                "{}",
                String::from_utf8_lossy(bad)
            );
        }
    }

    #[test]
    fn base64_comes_with_and_without_padding() {
        assert_eq!(base64_decoded(b"AQACAA==").unwrap(), [1, 0, 2, 0]);
        assert_eq!(base64_decoded(b"AQACAA").unwrap(), [1, 0, 2, 0]);
        assert_eq!(base64_decoded(b"A Q"), None);
    }
}
