//! Starting the container's program without a launcher: what `ramekin-launcher start` would do, less a process.
//!
//! Our launcher leaves a process that waits at a socket, and a FIFO that this process holds open until it has become the
//! program: end of file without a word is success, a word is why not. A launcher that leaves no FIFO (any other OCI
//! runtime) is run for it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;

use ramekin_sys::process::Ended;
use ramekin_sys::{Code, Context, Error, Result};
use rustix::event::epoll::EventFlags;
use serde_json::json;

use crate::launcher;
use crate::poll::Token;
use crate::run_directory::RunDirectory;
use crate::shim::Shim;

#[derive(Debug)]
pub struct Starting {
    status: File,
    said: Vec<u8>,
    client: Option<usize>,
}

/// Tells the waiting process to go on; where it will say how that went. `None`: this is the launcher's to do.
fn release(run: &RunDirectory, id: &str) -> Result<Option<File>> {
    let name = format!("launcher/{id}.status");
    let status = File::options()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW)
        .open(run.path(&name));
    let status = match status {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        status => status.context(|| name.clone())?,
    };
    let kind = status.metadata().context(|| name.clone())?.file_type();
    if !kind.is_fifo() {
        return Ok(None);
    }
    // The address of a socket ends at 108 bytes: so by a descriptor of its directory.
    let directory = File::options()
        .read(true)
        .custom_flags(libc::O_PATH | libc::O_DIRECTORY)
        .open(run.path("launcher").join(id))
        .context(|| "the launcher's state")?;
    let address = format!("/proc/self/fd/{}/notify.sock", directory.as_raw_fd());
    let gone = |_| {
        Error::new(
            Code::FailedPrecondition,
            "the container's process has ended",
        )
    };
    let mut socket = UnixStream::connect(address).map_err(gone)?;
    socket.write_all(b"start container").map_err(gone)?;
    // Without it, the launcher takes the container for one that has been started.
    run.forget(&name);
    Ok(Some(status))
}

impl Shim {
    /// False: the launcher has to do it.
    pub fn start_directly(&mut self, client: Option<usize>) -> Result<bool> {
        if self.first.hooks {
            return Ok(false);
        }
        let status = match release(&self.run, &self.config.id) {
            Ok(Some(status)) => status,
            Ok(None) => return Ok(false),
            Err(error) => return self.started(Err(error)).map(|()| true),
        };
        self.poll.watch(&status, Token::Started, EventFlags::IN)?;
        self.starting = Some(Starting {
            status,
            said: Vec::new(),
            client,
        });
        Ok(true)
    }

    /// The waiting process has become the program, or says why it has not.
    pub fn start_may_be_over(&mut self) {
        let Some(starting) = &mut self.starting else {
            return;
        };
        match starting.status.read_to_end(&mut starting.said) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(error) => crate::report(format_args!("how the start went: {error}")),
            Ok(_) => {}
        }
        let Some(Starting {
            status,
            said,
            client,
        }) = self.starting.take()
        else {
            return;
        };
        self.poll.forget(&status);
        let result = match said.is_empty() {
            true => Ok(()),
            false => Err(launcher::explain(
                "start",
                Ended::Exited(1),
                &String::from_utf8_lossy(&said),
            )),
        };
        let result = self.started(result);
        if let Some(client) = client {
            self.answer(client, result.map(|()| json!({})));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    fn run_directory(name: &str) -> RunDirectory {
        let path = std::env::temp_dir().join(format!("ramekin-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.join("launcher/c")).unwrap();
        RunDirectory::open(&path).unwrap()
    }

    #[test]
    fn what_leaves_no_fifo_is_the_launchers_to_start() {
        let run = run_directory("start-other");
        assert!(release(&run, "c").unwrap().is_none());
        std::fs::write(run.path("launcher/c.status"), "").unwrap();
        assert!(release(&run, "c").unwrap().is_none());
        std::fs::remove_dir_all(run.path("")).unwrap();
    }

    #[test]
    fn the_process_that_waits_is_told_once_and_one_that_has_ended_is_said_to() {
        let run = run_directory("start-ours");
        let fifo = run.path("launcher/c.status");
        let name = std::ffi::CString::new(fifo.to_str().unwrap()).unwrap();
        // SAFETY: a string that is alive.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let listener = UnixListener::bind(run.path("launcher/c/notify.sock")).unwrap();
        assert!(release(&run, "c").unwrap().is_some());
        let mut said = String::new();
        let (mut socket, _) = listener.accept().unwrap();
        socket.read_to_string(&mut said).unwrap();
        assert_eq!(said, "start container");
        assert!(!fifo.exists());

        drop(listener);
        // SAFETY: as above.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let error = release(&run, "c").unwrap_err();
        assert_eq!(error.code, Code::FailedPrecondition);
        std::fs::remove_dir_all(run.path("")).unwrap();
    }
}
