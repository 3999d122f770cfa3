//! What a process writes, kept: core's `LogWriterSpec`.

mod compressor;
mod file;
mod json;
mod lines;
mod program;

use std::fs::File;
use std::io::Write;
use std::os::fd::BorrowedFd;
use std::time::{SystemTime, UNIX_EPOCH};

use ramekin_sys::Result;
use rustix::event::epoll::EventFlags;

use crate::config::LogConfig;
use file::RotatedFile;
use lines::{Line, Lines};
use program::LogProgram;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// One reading of the clock for all that one read of the pipe brought.
struct Time {
    moment: SystemTime,
    text: String,
}

impl Time {
    fn now() -> Self {
        let moment = SystemTime::now();
        Time {
            moment,
            text: crate::time::rfc3339(moment),
        }
    }
}

#[derive(Debug)]
pub struct Log {
    sink: Sink,
    stdout: Lines,
    stderr: Lines,
    /// A failure is reported once, not per line.
    failed: bool,
}

#[derive(Debug)]
enum Sink {
    None,
    /// And what stands in every record, with the comma before it.
    JsonFile(RotatedFile, String),
    Local(RotatedFile),
    Passthrough,
    Program(LogProgram),
    /// The first bytes of both streams, and how many there may be.
    Kept(Vec<u8>, usize),
}

impl Log {
    pub fn open(config: &LogConfig) -> Result<Self> {
        let sink = match config {
            LogConfig::None => Sink::None,
            LogConfig::Passthrough => Sink::Passthrough,
            LogConfig::JsonFile {
                path,
                rotation,
                max_buffer_bytes,
                attributes,
            } => Sink::JsonFile(
                RotatedFile::open(path, *rotation, *max_buffer_bytes)?,
                json::attributes(attributes),
            ),
            LogConfig::Local {
                path,
                rotation,
                max_buffer_bytes,
            } => Sink::Local(RotatedFile::open(path, *rotation, *max_buffer_bytes)?),
            LogConfig::Exec {
                argv,
                env,
                max_buffer_bytes,
            } => Sink::Program(LogProgram::start(argv, env.as_ref(), *max_buffer_bytes)?),
        };
        Ok(Log {
            sink,
            stdout: Lines::default(),
            stderr: Lines::default(),
            failed: false,
        })
    }

    /// For whoever wants to know afterwards what was said first.
    pub fn keeping(most: usize) -> Self {
        Log {
            sink: Sink::Kept(Vec::new(), most),
            stdout: Lines::default(),
            stderr: Lines::default(),
            failed: false,
        }
    }

    pub fn take_kept(&mut self) -> Vec<u8> {
        match &mut self.sink {
            Sink::Kept(kept, _) => std::mem::take(kept),
            _ => Vec::new(),
        }
    }

    pub fn write(&mut self, stream: Stream, bytes: &[u8]) {
        if let Sink::Kept(kept, most) = &mut self.sink {
            let room = most.saturating_sub(kept.len());
            kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
            return;
        }
        let time = Time::now();
        let lines = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        let result = match &mut self.sink {
            Sink::None => return,
            Sink::Passthrough => pass_through(stream, bytes),
            sink => {
                let mut batch = Vec::new();
                lines.split(bytes, |line| append(sink, &mut batch, stream, &time, line));
                flush(sink, &batch)
            }
        };
        self.note(result);
    }

    /// Lines that have no end; nothing more will come.
    pub fn finish(&mut self) {
        let time = Time::now();
        for stream in [Stream::Stdout, Stream::Stderr] {
            let lines = match stream {
                Stream::Stdout => &mut self.stdout,
                Stream::Stderr => &mut self.stderr,
            };
            let mut batch = Vec::new();
            let sink = &mut self.sink;
            lines.finish(|line| append(sink, &mut batch, stream, &time, line));
            let result = flush(sink, &batch);
            self.note(result);
        }
        let result = match &mut self.sink {
            Sink::JsonFile(file, _) | Sink::Local(file) => file.finish(),
            Sink::Program(program) => {
                program.close_when_written();
                Ok(())
            }
            Sink::None | Sink::Passthrough | Sink::Kept(..) => Ok(()),
        };
        self.note(result);
    }

    fn note(&mut self, result: std::io::Result<()>) {
        if let (Err(error), false) = (result, self.failed) {
            crate::report(format_args!(
                "the log could not be written, and lines are missing from it: {error}"
            ));
            self.failed = true;
        }
    }

    /// The writer is behind: the process should wait.
    pub fn is_congested(&self) -> bool {
        match &self.sink {
            Sink::JsonFile(file, _) | Sink::Local(file) => file.is_congested(),
            Sink::Program(program) => program.is_congested(),
            Sink::None | Sink::Passthrough | Sink::Kept(..) => false,
        }
    }

    /// A descriptor to watch, for what; then `proceed`.
    pub fn waits_on(&self) -> Option<(BorrowedFd<'_>, EventFlags)> {
        match &self.sink {
            Sink::JsonFile(file, _) | Sink::Local(file) => Some((file.waits_on()?, EventFlags::IN)),
            Sink::Program(program) => Some((program.waits_on()?, EventFlags::OUT)),
            Sink::None | Sink::Passthrough | Sink::Kept(..) => None,
        }
    }

    /// What `waits_on` named must not be watched any more: it may be closed.
    pub fn proceed(&mut self) {
        let result = match &mut self.sink {
            Sink::JsonFile(file, _) | Sink::Local(file) => file.proceed(),
            Sink::Program(program) => program.flush(),
            Sink::None | Sink::Passthrough | Sink::Kept(..) => Ok(()),
        };
        self.note(result);
    }

    /// Records that were dropped since the last call, because nobody was to wait.
    pub fn take_dropped(&mut self) -> u64 {
        match &mut self.sink {
            Sink::JsonFile(file, _) | Sink::Local(file) => file.take_dropped(),
            Sink::Program(program) => program.take_dropped(),
            Sink::None | Sink::Passthrough | Sink::Kept(..) => 0,
        }
    }
}

fn append(sink: &mut Sink, batch: &mut Vec<u8>, stream: Stream, time: &Time, line: Line<'_>) {
    let before = batch.len();
    match sink {
        Sink::JsonFile(_, attributes) => {
            json::append(batch, stream, attributes, &time.text, line);
        }
        _ => append_frame(batch, stream, time.moment, line),
    }
    if let Sink::JsonFile(file, _) | Sink::Local(file) = sink {
        file.note_record(before, time.moment);
    } else if let Sink::Program(program) = sink {
        program.note_record(before);
    }
}

fn flush(sink: &mut Sink, batch: &[u8]) -> std::io::Result<()> {
    match sink {
        Sink::JsonFile(file, _) | Sink::Local(file) => file.write(batch),
        Sink::Program(program) => program.write(batch),
        Sink::None | Sink::Passthrough | Sink::Kept(..) => Ok(()),
    }
}

/// The frame of `local` and `exec`: length, time, stream, flags, line.
fn append_frame(batch: &mut Vec<u8>, stream: Stream, time: SystemTime, line: Line<'_>) {
    let nanos = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as i64);
    batch.extend((line.bytes.len() as u32 + 10).to_be_bytes());
    batch.extend(nanos.to_be_bytes());
    batch.push(match stream {
        Stream::Stdout => 1,
        Stream::Stderr => 2,
    });
    batch.push(u8::from(!line.ended));
    batch.extend(line.bytes);
}

fn pass_through(stream: Stream, bytes: &[u8]) -> std::io::Result<()> {
    // SAFETY: 1 and 2 are open as long as we live: main sees to that.
    let fd = unsafe { BorrowedFd::borrow_raw(if stream == Stream::Stdout { 1 } else { 2 }) };
    File::from(fd.try_clone_to_owned()?).write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_laid_out_as_core_says() {
        let mut batch = Vec::new();
        append_frame(
            &mut batch,
            Stream::Stderr,
            UNIX_EPOCH + std::time::Duration::from_nanos(258),
            Line {
                bytes: b"hi",
                ended: false,
            },
        );
        assert_eq!(
            batch,
            [0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 1, 2, 2, 1, b'h', b'i']
        );
    }
}
