//! Deleting a network device: one rtnetlink(7) message.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use ramekin_sys::{Code, Context, Error, Result};

/// Of a network device request: nlmsghdr, then ifinfomsg.
#[repr(C)]
struct Request {
    header: libc::nlmsghdr,
    link: Link,
}

/// `struct ifinfomsg`, which the libc crate has not.
#[repr(C)]
#[derive(Default)]
struct Link {
    family: u8,
    padding: u8,
    kind: u16,
    index: i32,
    flags: u32,
    change: u32,
}

/// No such device is success.
pub fn delete(name: &str) -> Result<()> {
    let c_name = CString::new(name)
        .map_err(|_| Error::new(Code::InvalidArgument, format!("bad device name {name:?}")))?;
    // SAFETY: a string that is alive.
    let index = unsafe { libc::if_nametoindex(c_name.as_ptr()) };
    if index == 0 {
        let error = io::Error::last_os_error();
        return match error.raw_os_error() {
            Some(libc::ENODEV | libc::ENXIO) => Ok(()),
            _ => Err(Error::io(error, format!("delete network device {name}"))),
        };
    }
    match delete_index(index as i32) {
        Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(()),
        result => result.context(|| format!("delete network device {name}")),
    }
}

fn delete_index(index: i32) -> io::Result<()> {
    // SAFETY: integers only; the descriptor is ours alone.
    let socket = unsafe {
        libc::socket(
            libc::AF_NETLINK,
            libc::SOCK_RAW | libc::SOCK_CLOEXEC,
            libc::NETLINK_ROUTE,
        )
    };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    let length = size_of::<Request>();
    let request = Request {
        header: libc::nlmsghdr {
            nlmsg_len: length as u32,
            nlmsg_type: libc::RTM_DELLINK,
            nlmsg_flags: (libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16,
            nlmsg_seq: 1,
            nlmsg_pid: 0,
        },
        link: Link {
            index,
            ..Link::default()
        },
    };
    // SAFETY: a structure that outlives the call, with its own size.
    if unsafe {
        libc::send(
            socket.as_raw_fd(),
            std::ptr::from_ref(&request).cast(),
            length,
            0,
        )
    } < 0
    {
        return Err(io::Error::last_os_error());
    }
    // The answer is an nlmsghdr and an nlmsgerr, whose first field is the errno, negative.
    let mut answer = [0_u8; 128];
    // SAFETY: a buffer that outlives the call, with its own size.
    let read = unsafe {
        libc::recv(
            socket.as_raw_fd(),
            answer.as_mut_ptr().cast(),
            answer.len(),
            0,
        )
    };
    if read < 20 {
        return Err(io::Error::last_os_error());
    }
    match i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]) {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(-errno)),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_device_that_is_not_there_is_deleted() {
        super::delete("ramekin-none0").unwrap();
    }
}
