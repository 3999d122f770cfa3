use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use crate::error::{Result, SeccompError};
use crate::filter::ScmpFilterContext;
use crate::program::Instruction;

/// seccomp(2): the descriptor of whoever answers, where a rule asks for that.
pub(crate) fn load(context: &ScmpFilterContext) -> Result<Option<OwnedFd>> {
    let program = context.program()?;
    let length =
        u16::try_from(program.len()).map_err(|_| SeccompError("the filter is too long".into()))?;
    let mut flags = context.flags;
    if context.notifies {
        flags |= libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
        if flags & libc::SECCOMP_FILTER_FLAG_TSYNC != 0 {
            flags |= libc::SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
        }
        if context.wait_killable {
            flags |= libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
        }
    }
    /// `struct sock_fprog`
    #[repr(C)]
    struct Program {
        length: u16,
        instructions: *const Instruction,
    }
    let filter = Program {
        length,
        instructions: program.as_ptr(),
    };
    // SAFETY: a program that outlives the call, as long as it says.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            &filter,
        )
    };
    match result {
        -1 => Err(SeccompError(io::Error::last_os_error().to_string())),
        // SAFETY: with NEW_LISTENER the result is a descriptor, ours alone.
        fd if context.notifies => Ok(Some(unsafe { OwnedFd::from_raw_fd(fd as i32) })),
        0 => Ok(None),
        thread => Err(SeccompError(format!(
            "thread {thread} could not be given the filter"
        ))),
    }
}
