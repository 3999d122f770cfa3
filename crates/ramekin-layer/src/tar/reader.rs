use std::io::{BufRead, ErrorKind};

use ramekin_sys::{Code, Context, Error, Result};

use super::header::{corrupt, until_nul, Entry, Kind, Raw};
use super::pax::Records;
use super::{padding, sparse, BLOCK};

/// Of long names and pax headers: more is hostile. (Go's archive/tar has the same bound.)
const MAX_EXTENSION: u64 = 1 << 20;

/// Entries of an archive, in order; the data of the current one is read in between.
pub struct Reader<R> {
    source: R,
    /// Of the current entry's data, not yet read, and the padding behind it.
    data: u64,
    padding: u64,
    /// Whether the archive may end before that padding.
    may_end: bool,
    ended: bool,
}

impl<R: BufRead> Reader<R> {
    pub fn new(source: R) -> Self {
        Self {
            source,
            data: 0,
            padding: 0,
            may_end: false,
            ended: false,
        }
    }

    /// What is behind the archive, when `next_entry` has returned `None`.
    pub fn into_inner(self) -> R {
        self.source
    }

    /// Skips what is left of the current entry. `None` at the end of the archive: two zero blocks, or end of file.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        let (mut long_path, mut long_target, mut records) = (None, None, Records::default());
        loop {
            self.skip()?;
            let Some(block) = self.header()? else {
                return Ok(None);
            };
            let raw = Raw(&block);
            match raw.flag() {
                b'L' => long_path = Some(until_nul(&self.extension(raw.size()?)?).to_vec()),
                b'K' => long_target = Some(until_nul(&self.extension(raw.size()?)?).to_vec()),
                b'x' | b'X' => records = Records::parse(&self.extension(raw.size()?)?)?,
                // Global headers: comments of git archive. Docker and containerd ignore them, fields and all.
                b'g' => drop(self.extension(raw.size()?)?),
                // Volume labels.
                b'V' => self.expect(raw.size()?),
                flag => {
                    let mut entry = raw.entry(kind(flag, &raw)?)?;
                    entry.path = long_path.unwrap_or(entry.path);
                    entry.target = long_target.unwrap_or(entry.target);
                    records.amend(&mut entry)?;
                    self.measure(&mut entry, &raw, &records)
                        .map_err(|error| error.within(format!("layer entry {}", entry.name())))?;
                    return Ok(Some(entry));
                }
            }
        }
    }

    /// At least one byte of the entry's data, as long as there is any.
    pub fn data(&mut self) -> Result<&[u8]> {
        if self.data == 0 {
            return Ok(&[]);
        }
        let left = usize::try_from(self.data).unwrap_or(usize::MAX);
        let bytes = fill(&mut self.source)?;
        if bytes.is_empty() {
            return Err(truncated());
        }
        Ok(&bytes[..bytes.len().min(left)])
    }

    /// Bytes of `data` that were used.
    pub fn consume(&mut self, length: usize) {
        self.data -= length as u64;
        self.source.consume(length);
    }

    /// How many bytes are stored for the entry, and where they go.
    fn measure(&mut self, entry: &mut Entry, raw: &Raw<'_>, records: &Records) -> Result<()> {
        let stored = records.number("size")?.unwrap_or(entry.size);
        entry.size = stored;
        // As Go has it: links and special files carry no data, whatever their size says.
        if entry.kind != Kind::File {
            entry.size = 0;
            return Ok(());
        }
        if entry.path.ends_with(b"/") && raw.flag() != b'S' {
            // Before POSIX, a directory was a file whose name ended so.
            entry.kind = Kind::Directory;
            self.expect(stored);
            entry.size = 0;
            return Ok(());
        }
        self.expect(stored);
        if raw.flag() == b'S' && raw.is_gnu() {
            let (map, size) = sparse::gnu(raw, &mut self.source)?;
            (entry.sparse, entry.size) = (Some(map), size);
        } else if records.get("GNU.sparse.major") == Some(b"1") {
            let (map, taken) = sparse::pax_1(&mut self.source)?;
            self.data = self
                .data
                .checked_sub(taken)
                .ok_or_else(|| corrupt("sparse map longer than the data"))?;
            entry.size = records
                .number("GNU.sparse.realsize")?
                .ok_or_else(|| corrupt("sparse file without its size"))?;
            entry.sparse = Some(map);
        } else if let Some(map) = sparse::pax_0(records)? {
            entry.size = records
                .number("GNU.sparse.size")?
                .ok_or_else(|| corrupt("sparse file without its size"))?;
            entry.sparse = Some(map);
        }
        if let Some(map) = &entry.sparse {
            if let Some(name) = records.get("GNU.sparse.name") {
                entry.path = name.to_vec();
            }
            sparse::check(map, entry.size, self.data)?;
        }
        Ok(())
    }

    fn expect(&mut self, size: u64) {
        self.data = size;
        self.padding = padding(size);
        self.may_end = true;
    }

    fn extension(&mut self, size: u64) -> Result<Vec<u8>> {
        if size > MAX_EXTENSION {
            return Err(Error::new(
                Code::ResourceExhausted,
                format!("a name or extended header of {size} bytes in the layer"),
            ));
        }
        let mut bytes = vec![0; size as usize];
        self.source.read_exact(&mut bytes).map_err(failed)?;
        self.padding = padding(size);
        self.may_end = false;
        Ok(bytes)
    }

    fn skip(&mut self) -> Result<()> {
        while self.data > 0 {
            let length = self.data()?.len();
            self.consume(length);
        }
        // umoci's `insert` writes no padding behind its last file, and Go's archive/tar misses none there.
        self.data = std::mem::take(&mut self.padding);
        while self.data > 0 {
            if self.may_end && fill(&mut self.source)?.is_empty() {
                self.data = 0;
                break;
            }
            let length = self.data()?.len();
            self.consume(length);
        }
        Ok(())
    }

    fn header(&mut self) -> Result<Option<[u8; BLOCK]>> {
        if self.ended {
            return Ok(None);
        }
        let Some(block) = read_block(&mut self.source)? else {
            self.ended = true;
            return Ok(None);
        };
        if Raw(&block).is_zero() {
            self.ended = true;
            return match read_block(&mut self.source)? {
                Some(second) if !Raw(&second).is_zero() => Err(corrupt("a lone zero block")),
                _ => Ok(None),
            };
        }
        Raw(&block).verify()?;
        Ok(Some(block))
    }
}

fn kind(flag: u8, raw: &Raw<'_>) -> Result<Kind> {
    Ok(match flag {
        0 | b'0' | b'7' | b'S' => Kind::File,
        b'1' => Kind::HardLink,
        b'2' => Kind::Symlink,
        b'3' => Kind::CharDevice,
        b'4' => Kind::BlockDevice,
        b'5' => Kind::Directory,
        b'6' => Kind::Fifo,
        flag => {
            let name = String::from_utf8_lossy(&raw.path()).into_owned();
            return Err(Error::new(
                Code::Unsupported,
                format!("layer entry {name}: unknown type {:?}", char::from(flag)),
            ));
        }
    })
}

/// `None` at the end of file, which may come only between blocks.
pub fn read_block(source: &mut impl BufRead) -> Result<Option<[u8; BLOCK]>> {
    if fill(source)?.is_empty() {
        return Ok(None);
    }
    let mut block = [0; BLOCK];
    source.read_exact(&mut block).map_err(failed)?;
    Ok(Some(block))
}

fn fill<R: BufRead>(source: &mut R) -> Result<&[u8]> {
    source.fill_buf().context(|| "read the layer")
}

fn failed(error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => truncated(),
        _ => Error::io(error, "read the layer"),
    }
}

fn truncated() -> Error {
    corrupt("truncated")
}
