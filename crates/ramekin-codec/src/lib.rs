//! Compression and digests: no I/O, no FFI of ours.
//!
//! Decoders are `Read`s over a `BufRead`. Whatever is wrong with their input is `InvalidData` or `UnexpectedEof`; other
//! kinds come from the source. Concatenated gzip members and zstd frames are one stream; zero bytes behind the last one
//! are padding, anything else there is an error.

mod digest;
mod encode;
mod format;
mod gzip;
mod padding;
mod zstandard;

pub use digest::{Algorithm, Hasher};
pub use encode::Encoder;
pub use format::Format;
pub use gzip::Gunzip;
pub use zstandard::Unzstd;

use std::io::{BufRead, Read};

pub fn decode<'a>(format: Format, source: impl BufRead + Send + 'a) -> Box<dyn Read + Send + 'a> {
    match format {
        Format::Identity => Box::new(source),
        Format::Gzip => Box::new(Gunzip::new(source)),
        Format::Zstd => Box::new(Unzstd::new(source)),
    }
}
