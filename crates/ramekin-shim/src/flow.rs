//! Bytes between processes, logs and clients. Nothing is buffered without bound: who is behind is waited for.

use rustix::event::epoll::EventFlags;
use rustix::io::Errno;
use serde_json::json;

use ramekin_sys::Result;

use crate::connection::Role;
use crate::frame;
use crate::log::Stream;
use crate::poll::Token;
use crate::request::{Control, Request};
use crate::shim::Shim;
use crate::task::Phase;

/// One read; what a pipe holds.
const CHUNK: usize = 64 << 10;
/// A client that has this much to take holds the process back.
const CLIENT_BEHIND: usize = 256 << 10;
/// Once the process has ended, what its pipes still hold is taken at once.
const CLIENT_BEHIND_AT_END: usize = 4 << 20;
/// A process that has this much to read holds its clients back.
const STDIN_BEHIND: usize = 256 << 10;

impl Shim {
    /// One read from a process. Whether there may be more.
    pub fn pump(&mut self, stream: Stream, key: usize) -> bool {
        let Some(task) = self.tasks.get_mut(&key) else {
            return false;
        };
        let Some(output) = task.output(stream) else {
            return false;
        };
        self.buffer.resize(CHUNK, 0);
        match rustix::io::read(output, &mut self.buffer[..]) {
            Ok(0) | Err(Errno::IO) => {
                self.close_output(stream, key);
                false
            }
            Ok(count) => {
                task.log.write(stream, &self.buffer[..count]);
                let channel = if stream == Stream::Stdout {
                    frame::STDOUT
                } else {
                    frame::STDERR
                };
                let attached = self
                    .connections
                    .iter_mut()
                    .filter(|(_, connection)| connection.role == Role::Attached(key));
                let gone: Vec<usize> = attached
                    .filter_map(|(key, connection)| {
                        (!connection.send(channel, &self.buffer[..count])).then_some(*key)
                    })
                    .collect();
                gone.into_iter().for_each(|key| self.disconnect(key));
                true
            }
            Err(Errno::AGAIN | Errno::INTR) => false,
            Err(error) => {
                crate::report(format_args!("output of process {}: {error}", task.pid));
                self.close_output(stream, key);
                false
            }
        }
    }

    pub fn close_output(&mut self, stream: Stream, key: usize) {
        let Some(task) = self.tasks.get_mut(&key) else {
            return;
        };
        let output = match stream {
            Stream::Stdout => task.stdout.take(),
            Stream::Stderr => task.stderr.take(),
        };
        let Some(output) = output else { return };
        self.poll.forget(&output);
        self.tell_attached(
            key,
            &json!({ "eof": if stream == Stream::Stdout { "stdout" } else { "stderr" } }),
        );
    }

    pub fn tell_attached(&mut self, key: usize, message: &serde_json::Value) {
        let attached = self
            .connections
            .iter_mut()
            .filter(|(_, connection)| connection.role == Role::Attached(key));
        let gone: Vec<usize> = attached
            .filter_map(|(key, connection)| (!connection.send_json(message)).then_some(*key))
            .collect();
        gone.into_iter().for_each(|key| self.disconnect(key));
    }

    /// The process can take more on stdin, or takes nothing any more.
    pub fn feed(&mut self, key: usize, flags: EventFlags) {
        let Some(task) = self.tasks.get_mut(&key) else {
            return;
        };
        let was_closed = task.stdin.closed;
        if flags.contains(EventFlags::ERR) && !task.terminal {
            task.stdin.abandon();
        } else {
            task.stdin.flush();
        }
        if task.stdin.closed && !was_closed {
            self.tell_attached(key, &json!({ "eof": "stdin" }));
        }
    }

    pub fn serve_connection(&mut self, key: usize, flags: EventFlags) {
        if flags.contains(EventFlags::IN) && !self.receive(key) {
            return self.disconnect(key);
        }
        let Some(connection) = self.connections.get_mut(&key) else {
            return;
        };
        if !connection.flush() || flags.intersects(EventFlags::HUP | EventFlags::ERR) {
            self.disconnect(key);
        }
    }

    /// One read from a client, and what its frames ask for. False: it is to be dropped.
    fn receive(&mut self, key: usize) -> bool {
        self.buffer.resize(CHUNK, 0);
        let Some(connection) = self.connections.get_mut(&key) else {
            return true;
        };
        match rustix::io::read(&connection.socket, &mut self.buffer[..]) {
            Ok(0) => {
                connection.finished = true;
                let role = connection.role;
                if let Some(task) = attached_task(role).and_then(|task| self.tasks.get_mut(&task)) {
                    task.stdin.detached();
                }
                return !matches!(role, Role::Greeting | Role::Holding);
            }
            Ok(count) => connection.incoming.extend_from_slice(&self.buffer[..count]),
            Err(Errno::AGAIN | Errno::INTR) => return true,
            Err(_) => return false,
        }
        self.take_frames(key)
    }

    fn take_frames(&mut self, key: usize) -> bool {
        let Some(connection) = self.connections.get_mut(&key) else {
            return true;
        };
        let incoming = std::mem::take(&mut connection.incoming);
        let mut rest = &incoming[..];
        let kept = loop {
            match frame::parse(rest) {
                Ok(Some((channel, payload, length))) => {
                    self.take_frame(key, channel, payload);
                    rest = &rest[length..];
                }
                Ok(None) => break true,
                Err(error) => {
                    crate::report(format_args!("a client was dropped: {error}"));
                    break false;
                }
            }
        };
        if let (Some(connection), false) = (self.connections.get_mut(&key), rest.is_empty()) {
            connection.incoming = rest.to_vec();
        }
        kept
    }

    fn take_frame(&mut self, key: usize, channel: u8, payload: &[u8]) {
        let Some(connection) = self.connections.get_mut(&key) else {
            return;
        };
        match (connection.role, channel) {
            (Role::Greeting, frame::CONTROL) => {
                let answer = Request::parse(payload).and_then(|request| self.operate(key, request));
                if let Some(answer) = answer.transpose() {
                    self.answer(key, answer);
                }
            }
            (Role::Attached(task), frame::STDIN) => {
                if let Some(task) = self
                    .tasks
                    .get_mut(&task)
                    .filter(|task| !task.stdin.closed && !task.stdin.closing)
                {
                    task.stdin.pending.push(payload);
                    task.stdin.flush();
                }
            }
            (Role::Attached(task), frame::CONTROL) => self.control(task, payload),
            _ => {}
        }
    }

    fn control(&mut self, key: usize, payload: &[u8]) {
        let (Some(task), Ok(control)) = (
            self.tasks.get_mut(&key),
            serde_json::from_slice::<Control>(payload),
        ) else {
            return;
        };
        if let Some(size) = control.resize {
            if let Err(error) = task.resize((size.rows, size.columns)) {
                crate::report(format_args!("{error}"));
            }
        }
        if control.eof.as_deref() == Some("stdin") {
            task.stdin.end();
        }
    }

    pub fn answer(&mut self, key: usize, answer: Result<serde_json::Value>) {
        if self
            .connections
            .get_mut(&key)
            .is_some_and(|connection| !connection.answer(&answer))
        {
            self.disconnect(key);
        }
    }

    /// Stops reading from a process while somebody is behind.
    pub fn hold_back_or_go_on(&mut self) -> Result<()> {
        for (key, task) in &mut self.tasks {
            let most = if task.exit.is_some() {
                CLIENT_BEHIND_AT_END
            } else {
                CLIENT_BEHIND
            };
            let attached = self
                .connections
                .values()
                .filter(|connection| connection.role == Role::Attached(*key));
            let behind = task.log.is_congested()
                || attached
                    .into_iter()
                    .any(|connection| connection.outgoing.len() > most);
            if let Some((fd, flags)) = task.log.waits_on() {
                self.poll.watch(fd, Token::Log(*key), flags)?;
            }
            if behind == task.held_back {
                continue;
            }
            task.held_back = behind;
            for stream in [Stream::Stdout, Stream::Stderr] {
                match task.output(stream).filter(|_| task.may_forward(stream)) {
                    Some(output) if behind => self.poll.forget(output),
                    Some(output) => {
                        self.poll
                            .watch(output, Token::Output(stream, *key), EventFlags::IN)?
                    }
                    None => {}
                }
            }
        }
        Ok(())
    }

    /// Waits for room on stdin only where something waits to be written.
    pub fn watch_inputs(&mut self) -> Result<()> {
        for (key, task) in self
            .tasks
            .iter()
            .filter(|(_, task)| task.phase != Phase::Ended)
        {
            let Some(stdin) = &task.stdin.fd else {
                continue;
            };
            match (task.stdin.pending.is_empty(), task.terminal) {
                (false, _) => self
                    .poll
                    .watch(stdin, Token::Stdin(*key), EventFlags::OUT)?,
                (true, true) => self.poll.forget(stdin),
                (true, false) => self
                    .poll
                    .watch(stdin, Token::Stdin(*key), EventFlags::empty())?,
            }
        }
        Ok(())
    }

    pub fn watch_connections(&mut self) -> Result<()> {
        let mut over = Vec::new();
        for (key, connection) in &mut self.connections {
            if matches!(connection.role, Role::Answered | Role::Over) && connection.has_all() {
                over.push(*key);
                continue;
            }
            let stdin = attached_task(connection.role)
                .and_then(|task| self.tasks.get(&task))
                .map(|task| task.stdin.pending.len());
            let mut flags = EventFlags::empty();
            flags.set(
                EventFlags::IN,
                !connection.finished && stdin.unwrap_or(0) <= STDIN_BEHIND,
            );
            flags.set(EventFlags::OUT, !connection.outgoing.is_empty());
            if connection.watched != Some(flags) {
                self.poll
                    .watch(&connection.socket, Token::Connection(*key), flags)?;
                connection.watched = Some(flags);
            }
        }
        over.into_iter().for_each(|key| self.disconnect(key));
        Ok(())
    }
}

fn attached_task(role: Role) -> Option<usize> {
    match role {
        Role::Attached(task) => Some(task),
        _ => None,
    }
}
