//! Names in an archive, before they become paths.

use ramekin_sys::{Code, Error, Result};

/// Linux's own limits: NAME_MAX, and PATH_MAX without its NUL.
const NAME: usize = 255;
const PATH: usize = 4095;

/// Relative to the root, without empty, `.` and `..` components; the root itself is empty. One that leads out of the root
/// is refused, not bent back: no honest tool writes it.
pub fn clean(path: &[u8]) -> Result<Vec<u8>> {
    let refuse = |code, what: &str| Err(Error::new(code, format!("{what}: {}", shortened(path))));
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.pop().is_none() => {
                return refuse(Code::InvalidArgument, "the name leads out of the root")
            }
            b".." => {}
            part if part.len() > NAME => {
                return refuse(Code::InvalidArgument, "a name of more than 255 bytes")
            }
            part if part.contains(&0) => return refuse(Code::DataLoss, "a name with a NUL byte"),
            part => parts.push(part),
        }
    }
    let cleaned = parts.join(&b'/');
    match cleaned.len() > PATH {
        true => refuse(Code::InvalidArgument, "a path of more than 4095 bytes"),
        false => Ok(cleaned),
    }
}

fn shortened(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

/// Parent, empty for the root, and last component.
pub fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

/// What a name says (layer.md, "Whiteouts").
#[derive(Debug, PartialEq, Eq)]
pub enum Meaning<'a> {
    /// A file like any other.
    Plain,
    /// This name, in the same directory, is gone.
    Gone(&'a [u8]),
    /// Nothing of the lower layers shows in this directory.
    Opaque,
    /// Leftovers of AUFS, whose tools the format comes from.
    Nothing,
}

pub fn meaning<'a>(path: &'a [u8]) -> Result<Meaning<'a>> {
    let (parent, name) = split(path);
    let aufs = |part: &[u8]| part.starts_with(b".wh..wh.");
    if parent.split(|byte| *byte == b'/').any(aufs) {
        return Ok(Meaning::Nothing);
    }
    match name.strip_prefix(b".wh.") {
        None => Ok(Meaning::Plain),
        Some(b".wh..opq") => Ok(Meaning::Opaque),
        Some(_) if aufs(name) => Ok(Meaning::Nothing),
        Some(b"" | b"." | b"..") => Err(Error::new(
            Code::InvalidArgument,
            "a whiteout without a name",
        )),
        Some(gone) => Ok(Meaning::Gone(gone)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_relative_and_stay_inside() {
        assert_eq!(clean(b"./a//b/./c/").unwrap(), b"a/b/c");
        assert_eq!(clean(b"/etc/passwd").unwrap(), b"etc/passwd");
        assert_eq!(clean(b"a/../b").unwrap(), b"b");
        assert_eq!(clean(b"./").unwrap(), b"");
        for out in [&b"../x"[..], b"a/../../x", b"/..", b".."] {
            assert_eq!(clean(out).unwrap_err().code, Code::InvalidArgument);
        }
        assert!(clean(&[b'a'; 256]).is_err());
        assert!(clean(&b"abcd/".repeat(1000)).is_err());
        assert_eq!(clean(b"a\0b").unwrap_err().code, Code::DataLoss);
    }

    #[test]
    fn whiteouts_name_what_is_gone() {
        assert_eq!(meaning(b"a/.wh.b").unwrap(), Meaning::Gone(b"b"));
        assert_eq!(meaning(b"a/.wh..wh..opq").unwrap(), Meaning::Opaque);
        assert_eq!(meaning(b".wh..wh.plnk/1.2").unwrap(), Meaning::Nothing);
        assert_eq!(meaning(b".wh..wh.aufs").unwrap(), Meaning::Nothing);
        assert_eq!(meaning(b"a/.whx").unwrap(), Meaning::Plain);
        for bad in [&b".wh."[..], b"a/.wh..", b"a/.wh..."] {
            assert!(meaning(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }
}
