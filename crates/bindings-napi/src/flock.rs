use std::os::fd::BorrowedFd;

use napi::{Error, Result};
use napi_derive::napi;
use ramekin_sys::flock::{try_lock_fd, Kind};

/// Whether the open file behind `fd` now holds the lock; never waits. The lock goes when the file is closed.
#[napi]
pub fn try_flock(fd: i32, exclusive: bool) -> Result<bool> {
    if fd < 0 {
        return Err(Error::from_reason("not a file descriptor"));
    }
    // SAFETY: the caller keeps its descriptor open for the length of this call.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    try_lock_fd(
        fd,
        if exclusive {
            Kind::Exclusive
        } else {
            Kind::Shared
        },
    )
    .map_err(|error| Error::from_reason(error.to_string()))
}
