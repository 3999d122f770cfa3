//! How the container's program is found and started, in the container, as its last act before it is itself.

use crate::guard::Guard;
use libcontainer::oci_spec::runtime::Spec;
use libcontainer::workload::{Executor, ExecutorError, ExecutorValidationError};
use std::ffi::CString;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// libcontainer's own refuses a program that only its owner or group may run, says little about why, and lets nobody
/// know when the kernel refuses to execute it.
#[derive(Clone)]
pub struct Program {
    /// Where to say why it could not be executed: closed, with nothing written, when it was.
    pub status: RawFd,
    /// For the first process, whose parent is by then the supervisor: it must not outlive it.
    pub dies_with_parent: bool,
    pub guard: Guard,
}

impl Executor for Program {
    fn validate(&self, spec: &Spec) -> Result<(), ExecutorValidationError> {
        find(spec)
            .map(|_| ())
            .map_err(ExecutorValidationError::ArgValidationError)
    }

    fn exec(&self, spec: &Spec) -> Result<(), ExecutorError> {
        let program = find(spec).map_err(ExecutorError::Other)?;
        let name = &arguments(spec)[0];
        let arguments = c_strings(arguments(spec).iter().map(String::as_bytes))?;
        let environment = c_strings(environment(spec).iter().map(String::as_bytes))?;
        let path =
            CString::new(program.as_os_str().as_bytes()).map_err(|_| ExecutorError::InvalidArg)?;
        reset();
        if let Err(message) = self.guard.close() {
            self.fail(&message, nix::errno::Errno::EPERM);
        }
        if self.dies_with_parent {
            // SAFETY: integers only. After all changes of ids, which clear it.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) };
        }
        let Err(errno) = nix::unistd::execve(&path, &arguments, &environment);
        self.fail(&describe(name, errno), errno)
    }
}

impl Program {
    /// Ends as a shell would: 127 when there is nothing to execute, else 126.
    fn fail(&self, message: &str, errno: nix::errno::Errno) -> ! {
        let code = if errno == nix::errno::Errno::ENOENT {
            127
        } else {
            126
        };
        // SAFETY: bytes that are alive, to a descriptor that is kept open for this; and the end of a process of its own.
        unsafe {
            libc::write(self.status, message.as_ptr().cast(), message.len());
            libc::_exit(code)
        }
    }
}

/// Rust ignores SIGPIPE, and an ignored signal stays ignored across exec; so would a blocked one stay blocked.
fn reset() {
    // SAFETY: plain system calls on a set that is initialised here; no handler of ours is left to be called.
    unsafe {
        for signal in 1..=64 {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
    }
}

fn c_strings<'a>(strings: impl Iterator<Item = &'a [u8]>) -> Result<Vec<CString>, ExecutorError> {
    strings
        .map(|bytes| CString::new(bytes).map_err(|_| ExecutorError::InvalidArg))
        .collect()
}

fn arguments(spec: &Spec) -> &[String] {
    spec.process()
        .as_ref()
        .and_then(|process| process.args().as_deref())
        .unwrap_or_default()
}

fn environment(spec: &Spec) -> &[String] {
    spec.process()
        .as_ref()
        .and_then(|process| process.env().as_deref())
        .unwrap_or_default()
}

/// The rules of execvp(3): a name with a slash is a path, others are looked for in PATH; a candidate that may not be run
/// is remembered, and the search goes on.
fn find(spec: &Spec) -> Result<PathBuf, String> {
    let name = arguments(spec)
        .first()
        .ok_or("the process has no arguments")?;
    if name.is_empty() {
        return Err(describe(name, nix::errno::Errno::ENOENT));
    }
    if name.contains('/') {
        return executable(Path::new(name))
            .map(|()| PathBuf::from(name))
            .map_err(|errno| describe(name, errno));
    }
    let path = environment(spec)
        .iter()
        .find_map(|variable| variable.strip_prefix("PATH="))
        .unwrap_or("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    let mut refused = None;
    for folder in path.split(':').filter(|folder| !folder.is_empty()) {
        let candidate = Path::new(folder).join(name);
        match executable(&candidate) {
            Ok(()) => return Ok(candidate),
            Err(nix::errno::Errno::EACCES) => refused = Some(nix::errno::Errno::EACCES),
            Err(_) => {}
        }
    }
    Err(match refused {
        Some(errno) => describe(name, errno),
        None => format!("exec: \"{name}\": executable file not found in $PATH"),
    })
}

/// A regular file that the effective user may run.
fn executable(path: &Path) -> Result<(), nix::errno::Errno> {
    let metadata = std::fs::metadata(path)
        .map_err(|error| nix::errno::Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))?;
    if !metadata.is_file() {
        return Err(nix::errno::Errno::EACCES);
    }
    nix::unistd::faccessat(
        None,
        path,
        nix::unistd::AccessFlags::X_OK,
        nix::fcntl::AtFlags::AT_EACCESS,
    )
}

/// As docker and runc word it: the supervisor tells 126 from 127 by this.
fn describe(name: &str, errno: nix::errno::Errno) -> String {
    use nix::errno::Errno;
    let what = match errno {
        Errno::ENOENT | Errno::ENOTDIR => "no such file or directory".to_owned(),
        Errno::EACCES | Errno::EISDIR => "permission denied".to_owned(),
        Errno::ENOEXEC => "exec format error".to_owned(),
        other => other.desc().to_lowercase(),
    };
    format!("exec: \"{name}\": {what}")
}
