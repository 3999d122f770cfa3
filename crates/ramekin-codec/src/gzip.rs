use std::io::{BufRead, Error, ErrorKind, Read, Result};

use flate2::bufread::GzDecoder;

use crate::padding::{skip, Next};

/// RFC 1952, all members.
pub struct Gunzip<R: BufRead> {
    /// Absent after the end, or after an error.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Gunzip<R> {
    pub fn new(source: R) -> Self {
        Self {
            member: Some(GzDecoder::new(source)),
        }
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        while let Some(member) = &mut self.member {
            let length = member.read(buffer).map_err(corrupt)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            let mut source = self.member.take().expect("was just used").into_inner();
            if let Next::Member = skip(&mut source, "gzip")? {
                self.member = Some(GzDecoder::new(source));
            }
        }
        Ok(0)
    }
}

/// flate2 calls bad data bad input.
fn corrupt(error: Error) -> Error {
    match error.kind() {
        ErrorKind::InvalidInput => Error::new(
            ErrorKind::InvalidData,
            format!("corrupt gzip stream: {error}"),
        ),
        ErrorKind::UnexpectedEof => Error::new(ErrorKind::UnexpectedEof, "truncated gzip stream"),
        _ => error,
    }
}
