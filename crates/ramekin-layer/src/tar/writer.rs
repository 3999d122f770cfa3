use std::io::{Result, Write};

use super::{padding, Entry, Kind, BLOCK};

/// Largest numbers of the classic fields: 7 and 11 octal digits.
const SEVEN: u64 = 0o7777777;
const ELEVEN: u64 = 0o77777777777;

/// Writes ustar headers, with a pax header in front where one cannot say it. Names of users and groups stay empty: they
/// are the host's. The same entries always make the same bytes.
pub struct Writer<W> {
    sink: W,
}

impl<W: Write> Writer<W> {
    pub fn new(sink: W) -> Self {
        Self { sink }
    }

    /// For a file, `entry.size` bytes of data must follow by `data`, then `end_data`.
    pub fn header(&mut self, entry: &Entry) -> Result<()> {
        let records = records(entry);
        if !records.is_empty() {
            let name = [
                b"PaxHeaders.0/",
                &entry.path[entry.path.len().saturating_sub(80)..],
            ]
            .concat();
            let mut extended = block(&name, b"", b'x');
            number(&mut extended[100..108], 0o644);
            number(&mut extended[124..136], records.len() as u64);
            self.block(&mut extended)?;
            self.sink.write_all(&records)?;
            self.pad(records.len() as u64)?;
        }
        let mut header = block(&entry.path, &entry.target, flag(entry.kind));
        number(&mut header[100..108], u64::from(entry.mode));
        number(&mut header[108..116], u64::from(entry.uid));
        number(&mut header[116..124], u64::from(entry.gid));
        number(&mut header[124..136], entry.size);
        number(&mut header[136..148], entry.mtime.0.max(0) as u64);
        number(&mut header[329..337], u64::from(entry.device.0));
        number(&mut header[337..345], u64::from(entry.device.1));
        self.block(&mut header)
    }

    pub fn data(&mut self, bytes: &[u8]) -> Result<()> {
        self.sink.write_all(bytes)
    }

    pub fn end_data(&mut self, size: u64) -> Result<()> {
        self.pad(size)
    }

    pub fn finish(mut self) -> Result<W> {
        self.sink.write_all(&[0; 2 * BLOCK])?;
        self.sink.flush()?;
        Ok(self.sink)
    }

    fn block(&mut self, header: &mut [u8; BLOCK]) -> Result<()> {
        header[148..156].fill(b' ');
        let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.sink.write_all(header)
    }

    fn pad(&mut self, size: u64) -> Result<()> {
        self.sink.write_all(&[0; BLOCK][..padding(size) as usize])
    }
}

fn flag(kind: Kind) -> u8 {
    match kind {
        Kind::File => b'0',
        Kind::HardLink => b'1',
        Kind::Symlink => b'2',
        Kind::CharDevice => b'3',
        Kind::BlockDevice => b'4',
        Kind::Directory => b'5',
        Kind::Fifo => b'6',
    }
}

/// What does not fit is cut: then a pax record has it whole.
fn block(path: &[u8], target: &[u8], flag: u8) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut text = |at: usize, value: &[u8]| {
        let value = &value[..value.len().min(100)];
        header[at..at + value.len()].copy_from_slice(value);
    };
    text(0, path);
    text(157, target);
    header[156] = flag;
    header[257..265].copy_from_slice(b"ustar\x0000");
    header
}

/// Octal, zero-padded, NUL at the end; 0 where a record says it.
fn number(field: &mut [u8], value: u64) {
    let digits = field.len() - 1;
    let value = if value > if digits == 7 { SEVEN } else { ELEVEN } {
        0
    } else {
        value
    };
    field[..digits].copy_from_slice(format!("{value:0digits$o}").as_bytes());
}

fn records(entry: &Entry) -> Vec<u8> {
    let mut records: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut add = |key: &str, value: Vec<u8>| records.push((key.into(), value));
    if entry.path.len() > 100 {
        add("path", entry.path.clone());
    }
    if entry.target.len() > 100 {
        add("linkpath", entry.target.clone());
    }
    let (seconds, nanoseconds) = entry.mtime;
    if nanoseconds != 0 || !(0..=ELEVEN as i64).contains(&seconds) {
        add("mtime", decimal(seconds, nanoseconds).into());
    }
    for (key, value) in [("uid", entry.uid), ("gid", entry.gid)] {
        if u64::from(value) > SEVEN {
            add(key, value.to_string().into());
        }
    }
    if entry.size > ELEVEN {
        add("size", entry.size.to_string().into());
    }
    records.extend(
        entry
            .xattrs
            .iter()
            .map(|(name, value)| ([b"SCHILY.xattr.", name.as_slice()].concat(), value.clone())),
    );
    records.sort();
    records
        .iter()
        .flat_map(|(key, value)| record(key, value))
        .collect()
}

/// Before 1970 the fraction counts backwards.
fn decimal(seconds: i64, nanoseconds: u32) -> String {
    let text = match (seconds < 0, nanoseconds) {
        (_, 0) => return seconds.to_string(),
        (true, _) => format!(
            "-{}.{:09}",
            -(i128::from(seconds) + 1),
            1_000_000_000 - nanoseconds
        ),
        (false, _) => format!("{seconds}.{nanoseconds:09}"),
    };
    text.trim_end_matches('0').to_owned()
}

/// `length key=value\n`, where the length counts itself.
fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}
