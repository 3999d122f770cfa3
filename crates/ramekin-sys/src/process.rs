//! Processes seen from their parent: pidfds, identity across pid reuse and reboots, reaping.
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// How a child ended, as waitpid(2) tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Exited(i32),
    Signaled(i32),
}

impl Ended {
    /// As a shell has it: 128 + n when killed by signal n.
    pub fn code(self) -> i32 {
        match self {
            Ended::Exited(code) => code,
            Ended::Signaled(signal) => 128 + signal,
        }
    }

    fn of(status: libc::c_int) -> Self {
        if libc::WIFSIGNALED(status) {
            Ended::Signaled(libc::WTERMSIG(status))
        } else {
            Ended::Exited(libc::WEXITSTATUS(status))
        }
    }
}

pub fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: takes two integers; a descriptor it returns is ours alone (and close-on-exec by definition).
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// A process that has ended is not an error.
pub fn pidfd_signal(pidfd: &impl AsRawFd, signal: i32) -> io::Result<()> {
    // SAFETY: no pointer but a null siginfo, which the call allows.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    match result {
        0 => Ok(()),
        _ => match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            error => Err(error),
        },
    }
}

/// Reaps the child `pid` if it has ended; -1: any child. `None`: nothing has ended (or there is no such child).
pub fn try_wait(pid: i32) -> Option<(i32, Ended)> {
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    let pid = unsafe { libc::waitpid(pid, &mut status, libc::WNOHANG) };
    (pid > 0).then(|| (pid, Ended::of(status)))
}

pub fn wait(pid: i32) -> io::Result<Ended> {
    let mut status = 0;
    loop {
        // SAFETY: `status` outlives the call.
        if unsafe { libc::waitpid(pid, &mut status, 0) } == pid {
            return Ok(Ended::of(status));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Makes orphaned descendants our children, so that a container's first process stays ours when its launcher ends.
pub fn become_subreaper() -> io::Result<()> {
    // SAFETY: integers only.
    match unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Field 22 of /proc/PID/stat: clock ticks since boot. With the boot id it names a process for good.
pub fn start_time(pid: i32) -> io::Result<u64> {
    let stat = fs::read(format!("/proc/{pid}/stat"))?;
    parse_start_time(&stat)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "malformed stat"))
}

fn parse_start_time(stat: &[u8]) -> Option<u64> {
    // The second field is the command's name in parentheses and may hold anything, parentheses and spaces too.
    let after = &stat[stat.iter().rposition(|byte| *byte == b')')? + 1..];
    std::str::from_utf8(after)
        .ok()?
        .split_ascii_whitespace()
        .nth(19)?
        .parse()
        .ok()
}

pub fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?
        .trim_end()
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_name_with_parentheses_does_not_confuse() {
        let stat = b"42 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 98765 20";
        assert_eq!(parse_start_time(stat), Some(98765));
    }

    #[test]
    fn our_own_identity_can_be_read() {
        assert!(start_time(std::process::id() as i32).unwrap() > 0);
        assert_eq!(boot_id().unwrap().len(), 36);
    }

    #[test]
    #[expect(clippy::zombie_processes, reason = "our own wait reaps it")]
    fn a_killed_child_counts_from_128() {
        let child = std::process::Command::new("sleep")
            .arg("100")
            .spawn()
            .unwrap();
        let pid = child.id() as i32;
        let pidfd = pidfd_open(pid).unwrap();
        assert_eq!(try_wait(pid), None);
        pidfd_signal(&pidfd, libc::SIGKILL).unwrap();
        assert_eq!(wait(pid).unwrap(), Ended::Signaled(libc::SIGKILL));
        assert_eq!(Ended::Signaled(libc::SIGKILL).code(), 137);
        pidfd_signal(&pidfd, libc::SIGKILL).unwrap();
    }
}
