//! Ends that the supervisor brings about by itself: a run that takes too long, a container whose maker has gone.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use ramekin_sys::process::{self, pidfd_signal};
use ramekin_sys::{Code, Context, Error, Result};

use crate::shim::{Shim, FIRST};
use crate::state::Status;
use crate::supervision::ProcessIdentity;

/// Readable once that process has ended. FAILED_PRECONDITION when it has already.
pub fn watch_process(identity: ProcessIdentity) -> Result<OwnedFd> {
    let gone = || {
        Error::new(
            Code::FailedPrecondition,
            format!(
                "process {}, with which this container is to die, has ended",
                identity.pid
            ),
        )
    };
    let pidfd = match process::pidfd_open(identity.pid) {
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => return Err(gone()),
        result => result.context(|| format!("watch process {}", identity.pid))?,
    };
    // Its pid may be somebody else's by now.
    match process::start_time(identity.pid) {
        Ok(found) if found == identity.start_time => Ok(pidfd),
        _ => Err(gone()),
    }
}

impl Shim {
    /// A run has begun.
    pub fn start_clock(&mut self) {
        let now = Instant::now();
        self.limit_at = self
            .config
            .supervision
            .time_limit_ms
            .map(|limit| now + Duration::from_millis(limit));
    }

    pub fn advance_limits(&mut self) -> Result<()> {
        let now = Instant::now();
        if self.limit_at.is_some_and(|at| now >= at) {
            self.limit_at = None;
            self.timed_out = true;
            self.kill_all()?;
        }
        if self.kill_at.is_some_and(|at| now >= at) {
            self.kill_at = None;
            self.kill_all()?;
        }
        Ok(())
    }

    /// The container's own way to stop: its signal, then, after a while, SIGKILL.
    pub fn begin_stop(&mut self) {
        let stop = self.config.supervision.stop;
        if let Some(pidfd) = self.tasks.get(&FIRST).and_then(|task| task.pidfd.as_ref()) {
            if let Err(error) = pidfd_signal(pidfd, stop.signal) {
                crate::report(format_args!("stop: {error}"));
            }
        }
        self.kill_at = stop.patience().map(|patience| Instant::now() + patience);
    }

    /// With whom the container was to die has died.
    pub fn bereaved(&mut self) -> Result<()> {
        if let Some(parent) = self.parent.take() {
            self.poll.forget(&parent);
        }
        self.end_restarts();
        self.kill_all()
    }

    /// Frozen or not.
    pub fn kill_all(&mut self) -> Result<()> {
        self.kill_first();
        self.signal_all(libc::SIGKILL);
        match self.state.status {
            Status::Paused => self.launch(crate::job::Work::Resume, "resume", &[], None),
            _ => Ok(()),
        }
    }
}
