use std::ffi::CStr;

use libseccomp_sys as sys;

use crate::error::{Result, SeccompError};

/// More than the longest name of the kernel has.
const LONGEST: usize = 47;

/// A system call by its name: each architecture has its own number for it.
#[derive(Debug, Clone, Copy)]
pub struct ScmpSyscall {
    name: [u8; LONGEST + 1],
}

/// What one architecture has of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Number {
    Plain(u32),
    /// A function of socketcall(2) or ipc(2), and since Linux 4.3 also a system call.
    Multiplexed {
        through: u32,
        function: u32,
        plain: Option<u32>,
    },
    Absent,
}

impl ScmpSyscall {
    /// Fails for a name that libseccomp knows of no architecture.
    pub fn from_name(name: &str) -> Result<Self> {
        let unknown = || SeccompError(format!("no system call {name:?}"));
        if name.len() > LONGEST || name.contains('\0') {
            return Err(unknown());
        }
        let mut bytes = [0; LONGEST + 1];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        let found = ScmpSyscall { name: bytes };
        // SAFETY: a string that ends with a null and outlives the call.
        match unsafe { sys::seccomp_syscall_resolve_name(found.c_str().as_ptr()) } {
            sys::__NR_SCMP_ERROR => Err(unknown()),
            _ => Ok(found),
        }
    }

    fn c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.name).expect("was padded with zeroes")
    }

    pub(crate) fn number(&self, token: u32) -> Number {
        // SAFETY: as above.
        let number =
            unsafe { sys::seccomp_syscall_resolve_name_arch(token, self.c_str().as_ptr()) };
        match number {
            0.. => Number::Plain(number as u32),
            _ if token == sys::SCMP_ARCH_X86 => multiplexed(number),
            _ => Number::Absent,
        }
    }
}

/// On 32-bit x86, libseccomp counts functions of socketcall(2) from -100 and those of ipc(2) from -200.
fn multiplexed(number: i32) -> Number {
    /// <asm/unistd_32.h>
    const SOCKETCALL: u32 = 102;
    const IPC: u32 = 117;
    match number {
        -120..=-101 => {
            let function = (-100 - number) as u32;
            // socket, bind, connect, listen, accept, getsockname, getpeername, socketpair, send, recv, sendto, recvfrom,
            // shutdown, setsockopt, getsockopt, sendmsg, recvmsg, accept4; accept, send and recv have no number.
            const PLAIN: [u32; 18] = [
                359, 361, 362, 363, 0, 367, 368, 360, 0, 0, 369, 371, 373, 366, 365, 370, 372, 364,
            ];
            let plain = PLAIN
                .get(function as usize - 1)
                .copied()
                .filter(|plain| *plain != 0);
            let plain = if function == 19 { Some(337) } else { plain }; // recvmmsg
            let plain = if function == 20 { Some(345) } else { plain }; // sendmmsg
            Number::Multiplexed {
                through: SOCKETCALL,
                function,
                plain,
            }
        }
        -224..=-201 => {
            let function = (-200 - number) as u32;
            let plain = match function {
                2 => Some(393),
                3 => Some(394),
                11 => Some(400),
                12 => Some(401),
                13 => Some(399),
                14 => Some(402),
                21 => Some(397),
                22 => Some(398),
                23 => Some(395),
                24 => Some(396),
                _ => None, // semop, semtimedop
            };
            Number::Multiplexed {
                through: IPC,
                function,
                plain,
            }
        }
        _ => Number::Absent,
    }
}
