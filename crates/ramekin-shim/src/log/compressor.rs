//! What rotation leaves, made smaller by a child: we go on meanwhile.
//!
//! `log.1` becomes `log.1.gz`, as Docker has it: gzip, with JSON as the header's extra field that says when its last record was
//! written. Ours says too which file it was made of, so that a reader who has read that one knows it again.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::{Compression, GzBuilder};
use ramekin_sys::process;
use rustix::event::{poll, PollFd, PollFlags, Timespec};
use serde_json::json;

/// A child at work. The file that it works on must keep its name until it has ended.
#[derive(Debug)]
pub struct Compressor {
    pid: i32,
    pidfd: OwnedFd,
}

impl Compressor {
    /// On `file`, whose last record was written at `last`.
    pub fn start(file: &Path, last: SystemTime) -> io::Result<Self> {
        let parent = std::process::id() as i32;
        // SAFETY: this process has one thread; the child does not return from here.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                let done = become_child_of(parent).and_then(|()| compress(file, last));
                // SAFETY: ends the child without running what its parent still needs.
                unsafe { libc::_exit(done.is_err().into()) }
            }
            pid => Ok(Compressor {
                pid,
                pidfd: process::pidfd_open(pid)?,
            }),
        }
    }

    /// Readable once it has ended.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    pub fn has_ended(&self) -> bool {
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let mut ended = [PollFd::new(&self.pidfd, PollFlags::IN)];
        poll(&mut ended, Some(&now)).is_ok_and(|count| count > 0)
    }

    fn wait(&self) {
        let mut ended = [PollFd::new(&self.pidfd, PollFlags::IN)];
        while poll(&mut ended, None) == Err(rustix::io::Errno::INTR) {}
    }
}

impl Drop for Compressor {
    /// Waits for it: nobody must move its file before. It may have been reaped as somebody's orphan already.
    fn drop(&mut self) {
        self.wait();
        process::try_wait(self.pid);
    }
}

/// It dies with us, and holds nothing open that others wait for the end of.
fn become_child_of(parent: i32) -> io::Result<()> {
    // SAFETY: system calls on integers.
    let orphaned = unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0);
        libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0);
        libc::getppid() != parent
    };
    match orphaned {
        true => Err(io::ErrorKind::Interrupted.into()),
        false => Ok(()),
    }
}

/// At every moment the one is there or the other, whole; for a moment, both.
fn compress(file: &Path, last: SystemTime) -> io::Result<()> {
    let mut from = File::open(file)?;
    let (done, begun) = (compressed(file), with_suffix(file, ".gz.part"));
    let to = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o640)
        .open(&begun)?;
    let mut encoder = GzBuilder::new()
        .extra(extra(&from, last)?)
        .write(to, Compression::fast());
    io::copy(&mut from, &mut encoder)?;
    encoder.finish()?;
    fs::rename(&begun, done)?;
    fs::remove_file(file)
}

fn extra(of: &File, last: SystemTime) -> io::Result<Vec<u8>> {
    let metadata = of.metadata()?;
    // Inode numbers are given again; 0 where a file system keeps no time of birth.
    let born = metadata
        .created()
        .ok()
        .and_then(|born| born.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |since| since.as_nanos());
    let text = json!({
        "lastTime": crate::time::rfc3339(last),
        "inode": metadata.ino().to_string(),
        "born": born.to_string(),
    });
    Ok(text.to_string().into_bytes())
}

pub fn compressed(file: &Path) -> PathBuf {
    with_suffix(file, ".gz")
}

pub fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    #[test]
    fn the_file_becomes_a_smaller_one_that_says_when_it_ended_and_what_it_was() {
        let directory =
            std::env::temp_dir().join(format!("ramekin-compressor-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let file = directory.join("log.1");
        let text = "line\n".repeat(10_000);
        fs::write(&file, &text).unwrap();
        let inode = fs::metadata(&file).unwrap().ino().to_string();
        let compressor = Compressor::start(&file, UNIX_EPOCH).unwrap();
        compressor.wait();
        assert!(compressor.has_ended());
        drop(compressor);
        let entries = fs::read_dir(&directory).unwrap();
        let names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["log.1.gz"]);
        let mut decoder = GzDecoder::new(File::open(compressed(&file)).unwrap());
        let mut read = String::new();
        decoder.read_to_string(&mut read).unwrap();
        assert_eq!(read, text);
        assert!(fs::metadata(compressed(&file)).unwrap().len() < 1000);
        let extra = decoder.header().unwrap().extra().unwrap();
        let extra: serde_json::Value = serde_json::from_slice(extra).unwrap();
        assert_eq!(extra["lastTime"], "1970-01-01T00:00:00Z");
        assert_eq!(extra["inode"], inode);
        fs::remove_dir_all(directory).unwrap();
    }
}
