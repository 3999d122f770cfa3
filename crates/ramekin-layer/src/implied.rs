//! What a layer takes for granted of the layers below it, which its directory alone does not have.

use std::fmt::Write;

use ramekin_sys::{Code, Error, Result};

/// As text it is opaque to callers, who keep it until the layer has found its place in a stack (`adopt`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Implied {
    /// A directory that the layer goes through without listing it: mode, owner, attributes and time come from below.
    Directory(Vec<u8>),
    /// A hard link to a file of a lower layer.
    Link { path: Vec<u8>, target: Vec<u8> },
}

impl Implied {
    /// Paths are bytes, JSON is text: what is not UTF-8, and `%` and NUL, are percent-encoded. NUL, which no path has,
    /// separates a link from its target.
    pub fn to_text(&self) -> String {
        match self {
            Self::Directory(path) => encoded(path),
            Self::Link { path, target } => format!("{}\0{}", encoded(path), encoded(target)),
        }
    }

    pub fn parse(text: &str) -> Result<Self> {
        let bad = || {
            Error::new(
                Code::InvalidArgument,
                format!("not something that a layer implied: {text:?}"),
            )
        };
        match text.split_once('\0') {
            None => Ok(Self::Directory(decoded(text).ok_or_else(bad)?)),
            Some((path, target)) => Ok(Self::Link {
                path: decoded(path).ok_or_else(bad)?,
                target: decoded(target).ok_or_else(bad)?,
            }),
        }
    }
}

fn encoded(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '%' | '\0' => {
                    write!(text, "%{:02x}", letter as u32).expect("a string takes everything")
                }
                letter => text.push(letter),
            }
        }
        for byte in chunk.invalid() {
            write!(text, "%{byte:02x}").expect("a string takes everything");
        }
    }
    text
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut pieces = text.split('%');
    let mut path = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        path.push(u8::from_str_radix(piece.get(..2)?, 16).ok()?);
        path.extend(&piece.as_bytes()[2..]);
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_survive_as_text() {
        for path in [
            &b"usr/lib"[..],
            b"100%/\xff\xfe",
            "gr\u{fc}n".as_bytes(),
            b"",
        ] {
            let directory = Implied::Directory(path.to_vec());
            assert_eq!(Implied::parse(&directory.to_text()).unwrap(), directory);
            let link = Implied::Link {
                path: path.to_vec(),
                target: b"%41".to_vec(),
            };
            assert_eq!(Implied::parse(&link.to_text()).unwrap(), link);
        }
        assert!(Implied::parse("bad%zz").is_err());
    }
}
