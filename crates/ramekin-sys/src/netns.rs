//! Network namespaces: the loopback device of a new one comes up down.
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Runs `work` in the network namespace `namespace` and comes back. For single-threaded processes: setns(2) moves the caller.
pub fn within<T>(namespace: &File, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let home = File::open("/proc/self/ns/net")?;
    enter(namespace)?;
    let result = work();
    enter(&home)?;
    result
}

fn enter(namespace: &File) -> io::Result<()> {
    // SAFETY: a descriptor and a constant.
    match unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Brings `lo` up in the caller's network namespace; nothing happens when it is.
pub fn loopback_up() -> io::Result<()> {
    // SAFETY: integers only; the descriptor is ours.
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just opened, owned by nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: an all-zero ifreq is a valid one.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo\0") {
        *to = *from as libc::c_char;
    }
    flags_ioctl(&socket, libc::SIOCGIFFLAGS, &mut request)?;
    let up = (libc::IFF_UP | libc::IFF_RUNNING) as i16;
    // SAFETY: SIOCGIFFLAGS has filled this member of the union.
    let flags = unsafe { request.ifr_ifru.ifru_flags };
    if flags & libc::IFF_UP as i16 != 0 {
        return Ok(());
    }
    request.ifr_ifru.ifru_flags = flags | up;
    flags_ioctl(&socket, libc::SIOCSIFFLAGS, &mut request)
}

fn flags_ioctl(
    socket: &OwnedFd,
    operation: libc::c_ulong,
    request: &mut libc::ifreq,
) -> io::Result<()> {
    // SAFETY: both operations read and write one ifreq.
    match unsafe { libc::ioctl(socket.as_raw_fd(), operation as _, request) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
