//! Whether the program was executed, told to another process: the launcher of `start` is not that of `create`.
//!
//! A FIFO beside the container's state. The container's process holds it open, close-on-exec: end of file without a word
//! is success, a word is why not.

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{fcntl, FcntlArg, OFlag};
use nix::sys::stat::Mode;
use std::os::fd::AsRawFd;

pub struct Status;

impl Status {
    fn path(root: &Path, id: &str) -> PathBuf {
        root.join(format!("{id}.status"))
    }

    /// The end that the container's process writes to.
    pub fn create(root: &Path, id: &str) -> io::Result<File> {
        Self::remove(root, id)?;
        nix::unistd::mkfifo(&Self::path(root, id), Mode::S_IRUSR | Mode::S_IWUSR)?;
        // For reading too, or opening it would wait for a reader.
        File::options()
            .read(true)
            .write(true)
            .open(Self::path(root, id))
    }

    /// The other end. A missing FIFO is that of a container that does not exist, and `start` says so.
    pub fn open(root: &Path, id: &str) -> Result<File, Box<dyn Error>> {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(Self::path(root, id));
        let file =
            file.map_err(|error| format!("container {id} cannot be started: its status: {error}"))?;
        fcntl(file.as_raw_fd(), FcntlArg::F_SETFL(OFlag::empty()))?;
        Ok(file)
    }

    /// Until somebody has started the container: the supervisor does so itself, and takes the FIFO away.
    pub fn is_awaited(root: &Path, id: &str) -> bool {
        Self::path(root, id).exists()
    }

    pub fn remove(root: &Path, id: &str) -> io::Result<()> {
        match std::fs::remove_file(Self::path(root, id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Waits until the program runs, or for the reason why it does not.
pub fn executed(mut status: File) -> Result<(), Box<dyn Error>> {
    let mut failure = String::new();
    status.read_to_string(&mut failure)?;
    match failure.is_empty() {
        true => Ok(()),
        false => Err(failure.into()),
    }
}
