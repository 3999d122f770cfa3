//! A client: one request, then what follows from it.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use ramekin_sys::Result;
use rustix::event::epoll::EventFlags;
use rustix::io::Errno;
use serde_json::{json, Value};

use crate::frame;
use crate::queue::Queue;

#[derive(Debug)]
pub struct Connection {
    pub socket: UnixStream,
    pub incoming: Vec<u8>,
    pub outgoing: Queue,
    pub role: Role,
    /// What epoll watches it for; `None` before it is registered.
    pub watched: Option<EventFlags>,
    /// It will send no more.
    pub finished: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Its request has not come yet.
    Greeting,
    /// A launcher works for it.
    Pending,
    /// Wants the exit status of a task.
    Waiting(usize),
    /// Wants the result of a health check, by its task.
    Checking(usize),
    /// Wants that process killed and forgotten.
    Forgetting(usize),
    /// Wants the container to run anew.
    Restarting,
    /// Has paused the container, for as long as it is connected.
    Holding,
    /// Wants the container gone.
    Deleting,
    /// Knows that it is; told of our end by the end of the connection.
    Farewell,
    Attached(usize),
    /// Was attached, and is sent all there was. It hangs up, not we: what it writes meanwhile goes nowhere, where a closed
    /// socket would fail the write, and a client that is told so forgets what it has not read yet.
    Over,
    /// Answered; ends when all is sent.
    Answered,
}

impl Connection {
    pub fn new(socket: UnixStream) -> Self {
        Connection {
            socket,
            incoming: Vec::new(),
            outgoing: Queue::default(),
            role: Role::Greeting,
            watched: None,
            finished: false,
        }
    }

    /// Sends at once what the socket takes, and keeps the rest. False: the client is gone.
    pub fn send(&mut self, channel: u8, payload: &[u8]) -> bool {
        let header = frame::header(channel, payload.len());
        let mut sent = 0;
        if self.outgoing.is_empty() {
            let slices = [
                std::io::IoSlice::new(&header),
                std::io::IoSlice::new(payload),
            ];
            sent = match rustix::io::writev(&self.socket, &slices) {
                Ok(sent) => sent,
                Err(Errno::AGAIN | Errno::INTR) => 0,
                Err(_) => return false,
            };
        }
        let (header_rest, payload_sent) = (
            header.get(sent..).unwrap_or(&[]),
            sent.saturating_sub(header.len()),
        );
        self.outgoing.push(header_rest);
        self.outgoing.push(&payload[payload_sent..]);
        true
    }

    pub fn send_json(&mut self, value: &Value) -> bool {
        self.send(frame::CONTROL, value.to_string().as_bytes())
    }

    pub fn answer(&mut self, answer: &Result<Value>) -> bool {
        self.role = Role::Answered;
        self.send_json(&envelope(answer))
    }

    /// Nothing is on its way to it.
    pub fn has_all(&self) -> bool {
        self.outgoing.is_empty() && (self.role != Role::Over || self.finished)
    }

    pub fn flush(&mut self) -> bool {
        self.outgoing.flush(self.socket.as_fd()).is_ok()
    }
}

/// `{"ok":…}` or `{"error":…}`.
pub fn envelope(answer: &Result<Value>) -> Value {
    match answer {
        Ok(value) => json!({ "ok": value }),
        Err(error) => json!({ "error": error.to_json() }),
    }
}
