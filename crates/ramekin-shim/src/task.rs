//! A process of the container as we see it: its stdio, its log, its end.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use ramekin_sys::Result;
use serde_json::{json, Value};

use crate::config::{IoConfig, StdinMode};
use crate::log::{Log, Stream};
use crate::queue::Queue;
use crate::run_directory::RunDirectory;
use crate::state::Exit;
use crate::stdio::{self, Console, Theirs};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Made, with its stdio waiting.
    Waiting,
    /// The launcher is at work; what comes on stderr may be its own words.
    Starting,
    Running,
    /// Ended, and all that it wrote has been passed on.
    Ended,
}

#[derive(Debug)]
pub struct Task {
    /// `None`: the container's first process.
    pub name: Option<String>,
    /// As events show it; of the first process, nothing.
    pub command: String,
    pub phase: Phase,
    pub pid: i32,
    pub pidfd: Option<OwnedFd>,
    pub terminal: bool,
    pub stdin: Input,
    pub stdout: Option<OwnedFd>,
    pub stderr: Option<OwnedFd>,
    /// Until it is launched.
    pub theirs: Option<Theirs>,
    pub console: Option<Console>,
    /// Rows, columns; asked for before there is a terminal, or by the specification.
    pub size: Option<(u16, u16)>,
    pub log: Log,
    pub exit: Option<Exit>,
    /// When to stop waiting for the end of output that somebody else holds open.
    pub drain_until: Option<Instant>,
    /// Output is not being read: somebody is behind.
    pub held_back: bool,
}

/// The way to a process's stdin.
#[derive(Debug)]
pub struct Input {
    pub mode: StdinMode,
    pub fd: Option<OwnedFd>,
    pub pending: Queue,
    /// To be closed once `pending` is written.
    pub closing: bool,
    /// Nothing can be written any more.
    pub closed: bool,
    terminal: bool,
}

impl Task {
    pub fn new(
        name: Option<String>,
        io: &IoConfig,
        owner: Option<u32>,
        size: Option<(u16, u16)>,
        console: Option<Console>,
    ) -> Result<Self> {
        let (ours, theirs) = stdio::make(io.terminal, io.stdin, owner)?;
        let closed = io.stdin == StdinMode::Closed;
        Ok(Task {
            name,
            command: String::new(),
            phase: Phase::Waiting,
            pid: 0,
            pidfd: None,
            terminal: io.terminal,
            stdin: Input {
                mode: io.stdin,
                fd: ours.stdin,
                pending: Queue::default(),
                closing: false,
                closed,
                terminal: io.terminal,
            },
            stdout: ours.stdout,
            stderr: Some(ours.stderr),
            theirs: Some(theirs),
            console,
            size,
            log: Log::open(&io.log)?,
            exit: None,
            drain_until: None,
            held_back: false,
        })
    }

    /// Once the launcher has sent it, at the latest when it has succeeded: the terminal's master is stdin and stdout.
    /// Again is fine.
    pub fn connect_terminal(&mut self, run: &RunDirectory) -> Result<()> {
        let Some(console) = self.console.take() else {
            return Ok(());
        };
        let master = console.receive(run)?;
        if let Some(size) = self.size {
            stdio::resize(&master, size)?;
        }
        if self.stdin.mode != StdinMode::Closed {
            self.stdin.fd = Some(
                rustix::io::fcntl_dupfd_cloexec(&master, 3)
                    .map_err(|error| ramekin_sys::Error::io(error, "duplicate the terminal"))?,
            );
        }
        self.stdout = Some(master);
        Ok(())
    }

    pub fn resize(&mut self, size: (u16, u16)) -> Result<()> {
        if !self.terminal {
            return Err(ramekin_sys::Error::new(
                ramekin_sys::Code::FailedPrecondition,
                "the process has no terminal",
            ));
        }
        self.size = Some(size);
        match (&self.stdout, self.terminal) {
            (Some(master), true) => stdio::resize(master, size),
            _ => Ok(()),
        }
    }

    pub fn output(&self, stream: Stream) -> Option<&OwnedFd> {
        match stream {
            Stream::Stdout => self.stdout.as_ref(),
            Stream::Stderr => self.stderr.as_ref(),
        }
    }

    /// What is read on stderr is the process's, not the launcher's.
    pub fn may_forward(&self, stream: Stream) -> bool {
        stream == Stream::Stdout || (!self.terminal && self.phase == Phase::Running)
    }

    pub fn has_output(&self) -> bool {
        self.stdout.is_some() || self.stderr.is_some()
    }

    /// What `attach` says of stdin.
    pub fn stdin_mode(&self) -> &'static str {
        match self.stdin.mode {
            _ if self.stdin.closed || self.stdin.closing => "closed",
            StdinMode::Closed => "closed",
            StdinMode::Once => "once",
            StdinMode::Open => "open",
        }
    }

    pub fn describe(&self) -> Value {
        let status = match (self.phase, &self.exit) {
            (Phase::Ended, _) => "stopped",
            (Phase::Running, _) => "running",
            _ => "created",
        };
        let mut described = json!({ "id": self.name, "status": status });
        if self.pid > 0 && self.phase != Phase::Ended {
            described["pid"] = self.pid.into();
        }
        if let (Phase::Ended, Some(exit)) = (self.phase, &self.exit) {
            described["exit"] = json!(exit);
        }
        described
    }
}

impl Input {
    /// Nobody reads any more.
    pub fn abandon(&mut self) {
        self.pending = Queue::default();
        self.close();
    }

    /// The client that wrote has gone.
    pub fn detached(&mut self) {
        if self.mode == StdinMode::Once && !self.terminal {
            self.end();
        }
    }

    /// Writes what can be written; drops everything once nobody reads.
    pub fn flush(&mut self) {
        let Some(fd) = &self.fd else { return };
        if self.pending.flush(fd.as_fd()).is_err() {
            self.abandon();
        } else if self.closing && self.pending.is_empty() {
            self.close();
        }
    }

    /// A terminal's descriptor stays: it is one of two of the same open file, and epoll would go on with a closed one.
    fn close(&mut self) {
        self.closed = true;
        if !self.terminal {
            self.fd = None;
        }
    }

    /// End of file, after what is pending. A terminal is told by its end-of-file character: its line discipline knows no other.
    pub fn end(&mut self) {
        if self.closed || self.closing {
            return;
        }
        if self.terminal {
            self.pending.push(&[4]);
        } else {
            self.closing = true;
        }
        self.flush();
    }
}
