//! Tar as containers use it: POSIX ustar and pax, GNU extensions, sparse files.

mod header;
mod pax;
mod reader;
mod sparse;
mod writer;

pub use header::{Entry, Kind};
pub use reader::Reader;
pub use writer::Writer;

pub const BLOCK: usize = 512;

/// Bytes up to the next block.
pub fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}
