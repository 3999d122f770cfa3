use ramekin_sys::{Code, Error, Result};

use super::BLOCK;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    HardLink,
    Symlink,
    CharDevice,
    BlockDevice,
    Directory,
    Fifo,
}

/// One file, after all extensions have been taken in.
#[derive(Clone, Debug)]
pub struct Entry {
    /// As in the archive: neither cleaned nor checked.
    pub path: Vec<u8>,
    /// Of links.
    pub target: Vec<u8>,
    pub kind: Kind,
    /// Permission and set-id bits only.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Seconds and nanoseconds.
    pub mtime: (i64, u32),
    /// Of the file once written, holes included.
    pub size: u64,
    /// Major and minor.
    pub device: (u32, u32),
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Where the stored bytes go, in order, when not all from 0 to `size`: offset and length.
    pub sparse: Option<Vec<(u64, u64)>>,
}

impl Entry {
    /// For messages.
    pub fn name(&self) -> String {
        String::from_utf8_lossy(&self.path).into_owned()
    }
}

/// The 512 bytes of a header, checksum verified.
pub struct Raw<'a>(pub &'a [u8; BLOCK]);

impl Raw<'_> {
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    pub fn verify(&self) -> Result<()> {
        let sum = |value: fn(u8) -> i64| -> i64 {
            let byte = |(at, byte): (usize, &u8)| {
                if (148..156).contains(&at) {
                    32
                } else {
                    value(*byte)
                }
            };
            self.0.iter().enumerate().map(byte).sum()
        };
        let stored = self.number(148..156, "checksum")?;
        // Some old writers summed signed bytes.
        if stored == sum(i64::from) || stored == sum(|byte| i64::from(byte as i8)) {
            return Ok(());
        }
        Err(corrupt("bad header checksum"))
    }

    pub fn flag(&self) -> u8 {
        self.0[156]
    }

    pub fn is_gnu(&self) -> bool {
        &self.0[257..265] == b"ustar  \0"
    }

    pub fn path(&self) -> Vec<u8> {
        let name = until_nul(&self.0[..100]);
        // GNU keeps other fields where POSIX keeps the prefix.
        let prefix = if &self.0[257..263] == b"ustar\0" {
            until_nul(&self.0[345..500])
        } else {
            b""
        };
        match prefix {
            b"" => name.to_vec(),
            prefix => [prefix, b"/", name].concat(),
        }
    }

    pub fn target(&self) -> Vec<u8> {
        until_nul(&self.0[157..257]).to_vec()
    }

    pub fn entry(&self, kind: Kind) -> Result<Entry> {
        let is_device = matches!(kind, Kind::CharDevice | Kind::BlockDevice);
        let device = |field| -> Result<u32> {
            match is_device {
                true => narrow(self.number(field, "device number")?, "device number"),
                false => Ok(0),
            }
        };
        Ok(Entry {
            path: self.path(),
            target: self.target(),
            kind,
            mode: (self.number(100..108, "mode")? & 0o7777) as u32,
            uid: narrow(self.number(108..116, "uid")?, "uid")?,
            gid: narrow(self.number(116..124, "gid")?, "gid")?,
            mtime: (self.number(136..148, "mtime")?, 0),
            size: self.size()?,
            device: (device(329..337)?, device(337..345)?),
            xattrs: Vec::new(),
            sparse: None,
        })
    }

    pub fn size(&self) -> Result<u64> {
        u64::try_from(self.number(124..136, "size")?).map_err(|_| corrupt("negative size"))
    }

    /// Octal digits, or base 256 when the first bit is set (GNU): two's complement in the rest.
    pub fn number(&self, field: std::ops::Range<usize>, what: &str) -> Result<i64> {
        let bytes = &self.0[field];
        if bytes[0] & 0x80 != 0 {
            let negative = bytes[0] & 0x40 != 0;
            let mut value: i128 = if negative { -1 } else { 0 };
            for (at, byte) in bytes.iter().enumerate() {
                let byte = match (at, negative) {
                    (0, false) => byte & 0x7f,
                    (0, true) => byte | 0x80,
                    _ => *byte,
                };
                value = (value << 8) | i128::from(byte);
                if i64::try_from(value).is_err() {
                    return Err(corrupt(&format!("{what} out of range")));
                }
            }
            return Ok(value as i64);
        }
        let text: Vec<u8> = bytes
            .iter()
            .copied()
            .skip_while(|byte| *byte == b' ')
            .take_while(|byte| !matches!(byte, 0 | b' '))
            .collect();
        text.iter()
            .try_fold(0i64, |value, digit| match digit {
                b'0'..=b'7' => value
                    .checked_mul(8)
                    .and_then(|value| value.checked_add(i64::from(digit - b'0'))),
                _ => None,
            })
            .ok_or_else(|| corrupt(&format!("bad {what}")))
    }
}

/// The 32 bits that Linux has.
pub fn narrow(value: i64, what: &str) -> Result<u32> {
    u32::try_from(value).map_err(|_| corrupt(&format!("{what} {value} out of range")))
}

pub fn until_nul(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len())]
}

pub fn corrupt(what: &str) -> Error {
    Error::new(Code::DataLoss, format!("corrupt tar stream: {what}"))
}
