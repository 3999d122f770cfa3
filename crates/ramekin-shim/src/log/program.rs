//! A log writer that is a program of somebody's: it reads frames on its stdin until end of file.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use ramekin_sys::{Code, Context, Error, Result};

use crate::queue::Queue;

const CONGESTED: usize = 256 << 10;

#[derive(Debug)]
pub struct LogProgram {
    pipe: Option<OwnedFd>,
    pending: Queue,
    closing: bool,
    /// Bytes that may wait; `None`: the process waits instead.
    room: Option<usize>,
    /// Where, in the batch that is being put together, records begin.
    records: Vec<usize>,
    dropped: u64,
}

impl LogProgram {
    pub fn start(
        argv: &[String],
        env: Option<&BTreeMap<String, String>>,
        room: Option<usize>,
    ) -> Result<Self> {
        let Some((program, arguments)) = argv.split_first() else {
            return Err(Error::new(
                Code::InvalidArgument,
                "a log program without a name",
            ));
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(env.into_iter().flatten())
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        // SAFETY: between fork and exec, only system calls on locals.
        unsafe {
            command.pre_exec(|| {
                let mut none = std::mem::zeroed();
                libc::sigemptyset(&mut none);
                libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
                Ok(())
            });
        }
        let what = || format!("log program {program}");
        let mut child = command.spawn().context(what)?;
        let pipe = child
            .stdin
            .take()
            .map(OwnedFd::from)
            .ok_or_else(|| Error::new(Code::Internal, what()))?;
        rustix::io::ioctl_fionbio(&pipe, true).context(what)?;
        Ok(LogProgram {
            pipe: Some(pipe),
            pending: Queue::default(),
            closing: false,
            room,
            records: Vec::new(),
            dropped: 0,
        })
    }

    /// A record begins at `start` of the batch.
    pub fn note_record(&mut self, start: usize) {
        if self.room.is_some() {
            self.records.push(start);
        }
    }

    pub fn write(&mut self, batch: &[u8]) -> io::Result<()> {
        let starts = std::mem::take(&mut self.records);
        if self.pipe.is_none() {
            return Ok(());
        }
        let Some(room) = self.room else {
            self.pending.push(batch);
            return self.flush();
        };
        self.flush()?;
        for (index, start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(batch.len());
            match self.pending.is_empty() || self.pending.len() + end - start <= room {
                true => self.pending.push(&batch[*start..end]),
                false => self.dropped += 1,
            }
        }
        self.flush()
    }

    /// Records that there was no room for, since the last call.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    pub fn flush(&mut self) -> io::Result<()> {
        let Some(pipe) = &self.pipe else {
            return Ok(());
        };
        let result = self.pending.flush(pipe);
        if result.is_err() {
            self.pending = Queue::default();
        }
        if result.is_err() || (self.closing && self.pending.is_empty()) {
            self.pipe = None;
        }
        Ok(result?)
    }

    pub fn close_when_written(&mut self) {
        self.closing = true;
        if self.pending.is_empty() {
            self.pipe = None;
        }
    }

    pub fn is_congested(&self) -> bool {
        self.room.is_none() && self.pending.len() > CONGESTED
    }

    pub fn waits_on(&self) -> Option<BorrowedFd<'_>> {
        self.pipe
            .as_ref()
            .filter(|_| !self.pending.is_empty())
            .map(|pipe| pipe.as_fd())
    }
}
