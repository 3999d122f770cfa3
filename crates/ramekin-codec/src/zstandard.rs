use std::io::{BufRead, Error, ErrorKind, Read, Result};

use zstd::zstd_safe::{get_error_name, DCtx, InBuffer, OutBuffer};

use crate::padding::{skip, Next};

/// RFC 8878, all frames. Windows above 128 MiB are refused, as libzstd does by default: a header of a few bytes must not
/// make us allocate at will.
pub struct Unzstd<R> {
    source: R,
    context: DCtx<'static>,
    state: State,
}

enum State {
    Inside,
    /// A frame has ended, or none has begun; `first` makes an empty source an error.
    Between {
        first: bool,
    },
    End,
}

impl<R: BufRead> Unzstd<R> {
    pub fn new(source: R) -> Self {
        Self {
            source,
            context: DCtx::create(),
            state: State::Between { first: true },
        }
    }
}

impl<R: BufRead> Read for Unzstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if let State::Between { first } = self.state {
                self.state = match skip(&mut self.source, "zstd")? {
                    Next::Member => State::Inside,
                    Next::End if first => return Err(truncated()),
                    Next::End => State::End,
                };
            }
            if let State::End = self.state {
                return Ok(0);
            }
            let available = self.source.fill_buf()?;
            let at_end = available.is_empty();
            let mut input = InBuffer::around(available);
            let mut output = OutBuffer::around(&mut *buffer);
            let hint = self
                .context
                .decompress_stream(&mut output, &mut input)
                .map_err(|code| {
                    Error::new(
                        ErrorKind::InvalidData,
                        format!(
                            "corrupt zstd stream: {}",
                            get_error_name(code).to_lowercase()
                        ),
                    )
                })?;
            let (consumed, produced) = (input.pos(), output.pos());
            self.source.consume(consumed);
            if hint == 0 {
                self.state = State::Between { first: false };
            }
            if produced > 0 {
                return Ok(produced);
            }
            if at_end && hint != 0 {
                return Err(truncated());
            }
        }
    }
}

fn truncated() -> Error {
    Error::new(ErrorKind::UnexpectedEof, "truncated zstd stream")
}
