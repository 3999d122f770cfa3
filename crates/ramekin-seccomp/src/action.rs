/// What a filter answers; seccomp(2), "Return values".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScmpAction {
    KillProcess,
    KillThread,
    Trap,
    Notify,
    Errno(i32),
    Trace(u16),
    Log,
    Allow,
}

impl ScmpAction {
    pub(crate) fn value(self) -> u32 {
        match self {
            ScmpAction::KillProcess => libc::SECCOMP_RET_KILL_PROCESS,
            ScmpAction::KillThread => libc::SECCOMP_RET_KILL_THREAD,
            ScmpAction::Trap => libc::SECCOMP_RET_TRAP,
            ScmpAction::Notify => libc::SECCOMP_RET_USER_NOTIF,
            ScmpAction::Errno(errno) => libc::SECCOMP_RET_ERRNO | u32::from(errno as u16),
            ScmpAction::Trace(value) => libc::SECCOMP_RET_TRACE | u32::from(value),
            ScmpAction::Log => libc::SECCOMP_RET_LOG,
            ScmpAction::Allow => libc::SECCOMP_RET_ALLOW,
        }
    }
}
