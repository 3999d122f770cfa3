//! Sparse files: GNU's old format, and its three in pax headers (GNU tar manual, "Storing Sparse Files").

use std::io::BufRead;

use ramekin_sys::Result;

use super::header::{corrupt, Raw};
use super::pax::Records;
use super::reader::read_block;

pub type Map = Vec<(u64, u64)>;

/// A map of this many pieces takes more memory than any file needs: hostile.
const MAX_PIECES: usize = 1 << 20;

/// Old format: pieces in the header itself and in blocks that follow it. Map and real size.
pub fn gnu(header: &Raw<'_>, source: &mut impl BufRead) -> Result<(Map, u64)> {
    let mut map = Map::new();
    push_pieces(header, 386, 4, &mut map)?;
    let mut more = header.0[482] != 0;
    while more {
        let block = read_block(source)?.ok_or_else(|| corrupt("truncated sparse map"))?;
        let block = Raw(&block);
        push_pieces(&block, 0, 21, &mut map)?;
        more = block.0[504] != 0;
    }
    let size = u64::try_from(header.number(483..495, "real size")?)
        .map_err(|_| corrupt("negative size"))?;
    Ok((map, size))
}

fn push_pieces(block: &Raw<'_>, start: usize, count: usize, map: &mut Map) -> Result<()> {
    for at in (start..).step_by(24).take(count) {
        if block.0[at] == 0 {
            break;
        }
        let field = |from| {
            u64::try_from(block.number(from..from + 12, "sparse map")?)
                .map_err(|_| corrupt("bad sparse map"))
        };
        push(map, field(at)?, field(at + 12)?)?;
    }
    Ok(())
}

/// Versions 0.0 and 0.1, all in the pax header. `None`: not sparse.
pub fn pax_0(records: &Records) -> Result<Option<Map>> {
    let mut map = Map::new();
    if let Some(list) = records.get("GNU.sparse.map") {
        let mut numbers = list.split(|byte| *byte == b',').map(number);
        while let Some(offset) = numbers.next() {
            push(
                &mut map,
                offset?,
                numbers.next().ok_or_else(|| corrupt("odd sparse map"))??,
            )?;
        }
        return Ok(Some(map));
    }
    let mut offset = None;
    let mut found = false;
    for (key, value) in records.iter() {
        match key {
            b"GNU.sparse.offset" => offset = Some(number(value)?),
            b"GNU.sparse.numbytes" => {
                found = true;
                push(
                    &mut map,
                    offset.take().ok_or_else(|| corrupt("bad sparse map"))?,
                    number(value)?,
                )?;
            }
            _ => {}
        }
    }
    Ok((found || records.get("GNU.sparse.numblocks").is_some()).then_some(map))
}

/// Version 1.0: lines of decimal numbers in front of the data, padded to whole blocks. Map, and bytes it took.
pub fn pax_1(source: &mut impl BufRead) -> Result<(Map, u64)> {
    let mut lines = Lines {
        source,
        block: [0; 512],
        at: 512,
        taken: 0,
    };
    let count = lines.number()?;
    let mut map = Map::new();
    for _ in 0..count {
        let offset = lines.number()?;
        push(&mut map, offset, lines.number()?)?;
    }
    Ok((map, lines.taken))
}

struct Lines<'a, R> {
    source: &'a mut R,
    block: [u8; 512],
    at: usize,
    taken: u64,
}

impl<R: BufRead> Lines<'_, R> {
    fn number(&mut self) -> Result<u64> {
        let mut text = Vec::new();
        loop {
            if self.at == self.block.len() {
                self.block =
                    read_block(self.source)?.ok_or_else(|| corrupt("truncated sparse map"))?;
                self.taken += 512;
                self.at = 0;
            }
            let byte = self.block[self.at];
            self.at += 1;
            match byte {
                b'\n' => return number(&text),
                byte if text.len() < 20 => text.push(byte),
                _ => return Err(corrupt("bad sparse map")),
            }
        }
    }
}

fn number(text: &[u8]) -> Result<u64> {
    let text = std::str::from_utf8(text)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| corrupt("bad sparse map"))
}

fn push(map: &mut Map, offset: u64, length: u64) -> Result<()> {
    if map.len() >= MAX_PIECES {
        return Err(corrupt("sparse map too long"));
    }
    map.push((offset, length));
    Ok(())
}

/// In order, within the file, and as many bytes as are stored.
pub fn check(map: &Map, size: u64, stored: u64) -> Result<()> {
    let (mut end, mut sum) = (0u64, 0u64);
    for (offset, length) in map {
        if *offset < end {
            return Err(corrupt("sparse map out of order"));
        }
        end = offset
            .checked_add(*length)
            .filter(|end| *end <= size)
            .ok_or_else(|| corrupt("sparse map beyond the end"))?;
        sum += length;
    }
    match sum == stored {
        true => Ok(()),
        false => Err(corrupt("sparse map and data differ in size")),
    }
}
