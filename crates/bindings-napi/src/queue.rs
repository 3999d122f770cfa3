//! Chunks between JavaScript, which must not wait, and one Rust thread, which may.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use napi::bindgen_prelude::Buffer;
use napi::{Env, Error, JsDeferred, Result};

/// Chunks waiting on either side: enough to keep both busy, little enough to bound memory.
const WAITING: usize = 4;
/// Bytes of an output chunk.
const CHUNK: usize = 256 << 10;

pub type Deferred<T> = JsDeferred<T, Box<dyn FnOnce(Env) -> Result<T> + Send>>;
/// A chunk, or nothing at the end.
pub type Output = Option<Buffer>;

#[derive(Default)]
struct State {
    input: VecDeque<Vec<u8>>,
    input_ended: bool,
    /// JavaScript waits to be rid of more: it is full.
    writer: Option<Deferred<bool>>,
    output: VecDeque<Vec<u8>>,
    /// How the work ended; told after the last chunk.
    result: Option<std::result::Result<(), String>>,
    reader: Option<Deferred<Output>>,
    cancelled: bool,
}

#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// From JavaScript. The promise is false when the work has ended and wants no more.
    pub fn write(&self, chunk: Vec<u8>, deferred: Deferred<bool>) {
        let mut state = self.lock();
        if state.cancelled || state.result.is_some() {
            drop(state);
            return deferred.resolve(Box::new(|_| Ok(false)));
        }
        state.input.push_back(chunk);
        if state.input.len() < WAITING {
            drop(state);
            deferred.resolve(Box::new(|_| Ok(true)));
        } else {
            state.writer = Some(deferred);
        }
        self.changed.notify_all();
    }

    pub fn end(&self) {
        self.lock().input_ended = true;
        self.changed.notify_all();
    }

    /// From JavaScript; one at a time. Nothing more comes of a cancelled one: how its thread took that is nobody's concern.
    pub fn read(&self, deferred: Deferred<Output>) {
        let mut state = self.lock();
        if state.cancelled {
            drop(state);
            return finish(deferred, Ok(()));
        }
        if let Some(chunk) = state.output.pop_front() {
            drop(state);
            self.changed.notify_all();
            return resolve(deferred, chunk);
        }
        match state.result.clone() {
            Some(result) => {
                drop(state);
                finish(deferred, result);
            }
            None => state.reader = Some(deferred),
        }
    }

    /// The thread notices at its next chunk.
    pub fn cancel(&self) {
        let mut state = self.lock();
        state.cancelled = true;
        state.output.clear();
        state.input.clear();
        let (writer, reader) = (state.writer.take(), state.reader.take());
        drop(state);
        self.changed.notify_all();
        if let Some(writer) = writer {
            writer.resolve(Box::new(|_| Ok(false)));
        }
        if let Some(reader) = reader {
            finish(reader, Ok(()));
        }
    }

    /// From the thread, last of all.
    pub fn conclude(&self, result: std::result::Result<(), String>) {
        let mut state = self.lock();
        let (writer, reader) = (state.writer.take(), state.reader.take());
        state.input.clear();
        state.result = Some(result.clone());
        drop(state);
        if let Some(writer) = writer {
            writer.resolve(Box::new(|_| Ok(false)));
        }
        // Somebody waits only when nothing is left to be handed out.
        if let Some(reader) = reader {
            finish(reader, result);
        }
    }
}

fn resolve(deferred: Deferred<Output>, chunk: Vec<u8>) {
    deferred.resolve(Box::new(|_| Ok(Some(Buffer::from(chunk)))));
}

fn finish(deferred: Deferred<Output>, result: std::result::Result<(), String>) {
    match result {
        Ok(()) => deferred.resolve(Box::new(|_| Ok(None))),
        Err(message) => deferred.reject(Error::from_reason(message)),
    }
}

fn cancelled() -> io::Error {
    io::Error::other("cancelled")
}

/// The thread's side of the input.
pub struct Input {
    queue: Arc<Queue>,
    current: Vec<u8>,
    at: usize,
}

impl Input {
    pub fn new(queue: Arc<Queue>) -> Self {
        Self {
            queue,
            current: Vec::new(),
            at: 0,
        }
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.current.len() {
            let mut state = self.queue.lock();
            loop {
                if state.cancelled {
                    return Err(cancelled());
                }
                if let Some(chunk) = state.input.pop_front() {
                    let writer = state.writer.take();
                    drop(state);
                    if let Some(writer) = writer {
                        writer.resolve(Box::new(|_| Ok(true)));
                    }
                    (self.current, self.at) = (chunk, 0);
                    break;
                }
                if state.input_ended {
                    return Ok(&[]);
                }
                state = self
                    .queue
                    .changed
                    .wait(state)
                    .unwrap_or_else(|poisoned| poisoned.into_inner());
            }
        }
        Ok(&self.current[self.at..])
    }

    fn consume(&mut self, length: usize) {
        self.at += length;
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

/// The thread's side of the output: gathers what is written into chunks, waits while too many are waiting.
pub struct Chunks {
    queue: Arc<Queue>,
    gathered: Vec<u8>,
}

impl Chunks {
    pub fn new(queue: Arc<Queue>) -> Self {
        Self {
            queue,
            gathered: Vec::new(),
        }
    }

    fn hand_out(&mut self) -> io::Result<()> {
        let chunk = std::mem::take(&mut self.gathered);
        let mut state = self.queue.lock();
        while state.output.len() >= WAITING && !state.cancelled {
            state = self
                .queue
                .changed
                .wait(state)
                .unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        if state.cancelled {
            return Err(cancelled());
        }
        match state.reader.take() {
            Some(reader) => {
                drop(state);
                resolve(reader, chunk);
            }
            None => state.output.push_back(chunk),
        }
        Ok(())
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gathered.capacity() == 0 {
            self.gathered.reserve_exact(CHUNK);
        }
        let take = bytes.len().min(CHUNK - self.gathered.len());
        self.gathered.extend_from_slice(&bytes[..take]);
        if self.gathered.len() == CHUNK {
            self.hand_out()?;
        }
        Ok(take)
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.gathered.is_empty() {
            true => Ok(()),
            false => self.hand_out(),
        }
    }
}
