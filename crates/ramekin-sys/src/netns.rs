//! Network namespaces: the loopback device of a new one comes up down.
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Brings `lo` up in another network namespace. For processes of one thread.
pub fn loopback_up_in(namespace: &File) -> io::Result<()> {
    let home = File::open("/proc/self/ns/net")?;
    // Whoever may enter where he is may come back: no need for a child, which takes 2 ms.
    match enter(&home) {
        Ok(()) => {
            enter(namespace)?;
            let result = loopback_up();
            enter(&home)?;
            result
        }
        // From a user namespace there is no way back to the network namespace of the host.
        Err(_) => loopback_up_by_child(namespace),
    }
}

fn loopback_up_by_child(namespace: &File) -> io::Result<()> {
    // SAFETY: one thread, so the child may do whatever its parent could; it ends here.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let result = enter(namespace).and_then(|()| loopback_up());
            let errno = result
                .err()
                .map_or(0, |error| error.raw_os_error().unwrap_or(libc::EIO));
            // SAFETY: ends the child without running what its parent still needs.
            unsafe { libc::_exit(errno) }
        }
        child => match crate::process::wait(child)?.code() {
            0 => Ok(()),
            errno => Err(io::Error::from_raw_os_error(errno)),
        },
    }
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
