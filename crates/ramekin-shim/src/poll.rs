//! epoll(7) with tokens that say what a descriptor is for.

use std::os::fd::{AsFd, OwnedFd};

use ramekin_sys::{Context, Result};
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::Timespec;

use crate::log::Stream;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    Listener,
    /// A child has ended that is nobody we watch.
    Children,
    Connection(usize),
    /// By the index of its task.
    Output(Stream, usize),
    Stdin(usize),
    Log(usize),
    /// The launcher brings a terminal for that task.
    Console(usize),
    Exit(usize),
    /// By the launcher's pid.
    Job(usize),
    /// The container's first process says how its start went.
    Started,
    /// The process with which the container is to die has ended.
    Parent,
}

impl Token {
    fn to_data(self) -> EventData {
        let (kind, index) = match self {
            Token::Listener => (0, 0),
            Token::Children => (1, 0),
            Token::Connection(index) => (2, index),
            Token::Output(Stream::Stdout, index) => (3, index),
            Token::Output(Stream::Stderr, index) => (4, index),
            Token::Stdin(index) => (5, index),
            Token::Log(index) => (6, index),
            Token::Exit(index) => (7, index),
            Token::Console(index) => (8, index),
            Token::Job(index) => (9, index),
            Token::Started => (10, 0),
            Token::Parent => (11, 0),
        };
        EventData::new_u64((index as u64) << 8 | kind)
    }

    fn of_data(data: EventData) -> Self {
        let index = (data.u64() >> 8) as usize;
        match data.u64() & 0xff {
            0 => Token::Listener,
            1 => Token::Children,
            2 => Token::Connection(index),
            3 => Token::Output(Stream::Stdout, index),
            4 => Token::Output(Stream::Stderr, index),
            5 => Token::Stdin(index),
            6 => Token::Log(index),
            7 => Token::Exit(index),
            8 => Token::Console(index),
            10 => Token::Started,
            11 => Token::Parent,
            _ => Token::Job(index),
        }
    }
}

#[derive(Debug)]
pub struct Poll(OwnedFd);

impl Poll {
    pub fn new() -> Result<Self> {
        Ok(Poll(
            epoll::create(CreateFlags::CLOEXEC).context(|| "epoll")?,
        ))
    }

    pub fn watch(&self, fd: impl AsFd, token: Token, flags: EventFlags) -> Result<()> {
        match epoll::add(&self.0, &fd, token.to_data(), flags) {
            Err(rustix::io::Errno::EXIST) => epoll::modify(&self.0, &fd, token.to_data(), flags),
            result => result,
        }
        .context(|| "epoll")
    }

    /// A descriptor that is not watched is none to complain about.
    pub fn forget(&self, fd: impl AsFd) {
        let _ = epoll::delete(&self.0, fd);
    }

    /// Waits at most `milliseconds`; `None`: until something happens.
    pub fn wait(&self, milliseconds: Option<u64>) -> Result<Vec<(Token, EventFlags)>> {
        let mut events = [Event {
            flags: EventFlags::empty(),
            data: EventData::new_u64(0),
        }; 16];
        let timeout = milliseconds.map(|milliseconds| Timespec {
            tv_sec: (milliseconds / 1000) as i64,
            tv_nsec: (milliseconds % 1000 * 1_000_000) as i64,
        });
        let count = match epoll::wait(&self.0, &mut events[..], timeout.as_ref()) {
            Ok(count) => count,
            Err(rustix::io::Errno::INTR) => 0,
            Err(error) => return Err(ramekin_sys::Error::io(error, "epoll")),
        };
        Ok(events[..count]
            .iter()
            .map(|event| (Token::of_data(event.data), event.flags))
            .collect())
    }
}
