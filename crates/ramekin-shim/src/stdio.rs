//! The two ends of a process's stdio: pipes, or a pty that the launcher makes in the container and sends to us.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;

use ramekin_sys::{Code, Context, Error, Result};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use rustix::pipe::PipeFlags;

use crate::config::StdinMode;
use crate::run_directory::RunDirectory;

/// What the process gets; kept until it is launched.
#[derive(Debug)]
pub struct Theirs {
    pub stdin: OwnedFd,
    pub stdout: OwnedFd,
    pub stderr: OwnedFd,
}

/// Our ends, which never block. With a terminal, `stderr` is the launcher's own.
#[derive(Debug)]
pub struct Ours {
    pub stdin: Option<OwnedFd>,
    pub stdout: Option<OwnedFd>,
    pub stderr: OwnedFd,
}

/// `owner`: who may open /dev/stdout again, which opens the pipe.
pub fn make(terminal: bool, mode: StdinMode, owner: Option<u32>) -> Result<(Ours, Theirs)> {
    let (stderr, their_stderr) = pipe()?;
    if terminal {
        let ours = Ours {
            stdin: None,
            stdout: None,
            stderr,
        };
        let stdout = their_stderr.try_clone().context(|| "duplicate a pipe")?;
        return Ok((
            ours,
            Theirs {
                stdin: null()?,
                stdout,
                stderr: their_stderr,
            },
        ));
    }
    let (stdout, their_stdout) = pipe()?;
    let (stdin, their_stdin) = match mode {
        StdinMode::Closed => (None, null()?),
        _ => {
            let (theirs, ours) = pipe_of(PipeFlags::CLOEXEC)?;
            rustix::io::ioctl_fionbio(&ours, true).context(|| "make a pipe non-blocking")?;
            give_to(&theirs, owner);
            (Some(ours), theirs)
        }
    };
    give_to(&their_stdout, owner);
    give_to(&their_stderr, owner);
    Ok((
        Ours {
            stdin,
            stdout: Some(stdout),
            stderr,
        },
        Theirs {
            stdin: their_stdin,
            stdout: their_stdout,
            stderr: their_stderr,
        },
    ))
}

/// Our reading end, non-blocking, and a writing end for a child.
pub fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = pipe_of(PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&ours, true).context(|| "make a pipe non-blocking")?;
    Ok((ours, theirs))
}

fn pipe_of(flags: PipeFlags) -> Result<(OwnedFd, OwnedFd)> {
    rustix::pipe::pipe_with(flags).context(|| "make a pipe")
}

pub fn null() -> Result<OwnedFd> {
    Ok(File::options()
        .read(true)
        .write(true)
        .open("/dev/null")
        .context(|| "/dev/null")?
        .into())
}

/// Not being allowed to is no failure: the process then cannot open /dev/stdout by name, as anywhere else.
fn give_to(pipe: &OwnedFd, owner: Option<u32>) {
    if let Some(uid @ 1..) = owner {
        let _ = rustix::fs::fchown(pipe, Some(rustix::process::Uid::from_raw(uid)), None);
    }
}

/// What a pipe holds now, up to 64 KiB, as text.
pub fn read_available(pipe: &impl AsFd) -> String {
    let mut said = vec![0; 1 << 16];
    let mut length = 0;
    while length < said.len() {
        match rustix::io::read(pipe, &mut said[length..]) {
            Ok(0) | Err(_) => break,
            Ok(read) => length += read,
        }
    }
    String::from_utf8_lossy(&said[..length]).into_owned()
}

/// Where the launcher sends the pty's master.
#[derive(Debug)]
pub struct Console {
    listener: UnixListener,
    name: String,
    /// For the launcher.
    pub path: String,
}

impl Console {
    pub fn listen(run: &RunDirectory, name: String) -> Result<Self> {
        Ok(Console {
            listener: run.listen(&name)?,
            path: run.short_path(&name),
            name,
        })
    }

    /// Readable once the launcher comes.
    pub fn listener(&self) -> &UnixListener {
        &self.listener
    }

    /// After the launcher has succeeded; its message is there by then, whoever sent it.
    pub fn receive(self, run: &RunDirectory) -> Result<OwnedFd> {
        let received = self.receive_now();
        run.forget(&self.name);
        let master = received
            .context(|| "receive the terminal")?
            .ok_or_else(|| Error::new(Code::Internal, "the launcher sent no terminal"))?;
        rustix::io::ioctl_fionbio(&master, true).context(|| "make the terminal non-blocking")?;
        Ok(master)
    }

    fn receive_now(&self) -> io::Result<Option<OwnedFd>> {
        let (connection, _) = self.listener.accept()?;
        connection.set_nonblocking(false)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut text = [0; 4096];
        rustix::net::recvmsg(
            &connection,
            &mut [io::IoSliceMut::new(&mut text)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        )?;
        let mut descriptors = control.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        });
        Ok(descriptors
            .next()
            .and_then(|mut descriptors| descriptors.next()))
    }
}

pub fn resize(terminal: &impl AsFd, (rows, columns): (u16, u16)) -> Result<()> {
    let size = rustix::termios::Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    rustix::termios::tcsetwinsize(terminal, size).context(|| "resize the terminal")
}
