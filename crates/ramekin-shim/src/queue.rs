//! Bytes on their way to a descriptor that is not ready for all of them.

use std::os::fd::AsFd;

use rustix::io::Errno;

/// Holds memory only while it holds bytes.
#[derive(Debug, Default)]
pub struct Queue {
    bytes: Vec<u8>,
    start: usize,
}

impl Queue {
    pub fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 && self.start >= self.len() {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub fn consume(&mut self, count: usize) {
        self.start += count;
        if self.is_empty() {
            *self = Queue::default();
        }
    }

    /// Writes what the descriptor takes now.
    pub fn flush(&mut self, to: impl AsFd) -> Result<(), Errno> {
        while !self.is_empty() {
            match rustix::io::write(&to, self.bytes()) {
                Ok(count) => self.consume(count),
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_the_order_they_came_and_memory_goes_with_them() {
        let mut queue = Queue::default();
        queue.push(b"abc");
        queue.consume(2);
        queue.push(b"def");
        assert_eq!(queue.bytes(), b"cdef");
        queue.consume(4);
        assert_eq!(queue.bytes.capacity(), 0);
    }

    #[test]
    fn a_full_pipe_keeps_the_rest() {
        let (reading, writing) = rustix::pipe::pipe().unwrap();
        rustix::io::ioctl_fionbio(&writing, true).unwrap();
        let mut queue = Queue::default();
        queue.push(&vec![7; 100_000]);
        queue.flush(&writing).unwrap();
        let left = queue.len();
        assert!((1..100_000).contains(&left));
        let mut buffer = vec![0; 100_000];
        assert_eq!(
            rustix::io::read(&reading, &mut buffer).unwrap(),
            100_000 - left
        );
        drop(reading);
        assert_eq!(queue.flush(&writing), Err(Errno::PIPE));
    }
}
