//! Dirty pages on their way to the disk.

use std::os::fd::{AsRawFd, BorrowedFd};

/// Has the disk begin with what was written to a file, and waits for none of it: a hint, which file systems are free to ignore.
/// Nothing is promised of a crash; that takes a sync, which then has less to do.
pub fn begin(file: BorrowedFd<'_>) {
    // SAFETY: the call takes numbers only, and the borrow keeps the descriptor open for its time.
    unsafe {
        libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE);
    }
}
