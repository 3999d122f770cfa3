use std::io::{Result, Write};

use flate2::{write::GzEncoder, Compression, GzBuilder};

use crate::Format;

/// Compresses what is written to it. The gzip header carries no time and no name.
pub enum Encoder<W: Write> {
    Identity(W),
    Gzip(Box<GzEncoder<W>>),
    Zstd(Box<zstd::stream::write::Encoder<'static, W>>),
}

impl<W: Write> Encoder<W> {
    /// `level` in the format's own scale; absent means 6 for gzip, 3 for zstd.
    pub fn new(format: Format, level: Option<i32>, sink: W) -> Result<Self> {
        Ok(match format {
            Format::Identity => Self::Identity(sink),
            Format::Gzip => {
                let level = Compression::new(level.unwrap_or(6).clamp(0, 9) as u32);
                Self::Gzip(Box::new(
                    GzBuilder::new()
                        .mtime(0)
                        .operating_system(255)
                        .write(sink, level),
                ))
            }
            Format::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(sink, level.unwrap_or(3))?;
                encoder.include_checksum(true)?;
                Self::Zstd(Box::new(encoder))
            }
        })
    }

    pub fn finish(self) -> Result<W> {
        match self {
            Self::Identity(sink) => Ok(sink),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self {
            Self::Identity(sink) => sink.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> Result<()> {
        match self {
            Self::Identity(sink) => sink.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}
