//! What libcontainer 0.7 forgets when a process enters a container: the seccomp filter and the user namespace.
//!
//! Its tenant builder makes a specification of its own that has neither. Both take CAP_SYS_ADMIN, which by the time that we are
//! called again (`Executor::exec`) has been given away. So the process is let keep it, and gives it away last.

use std::error::Error;
use std::fs::{self, File};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::Path;

use libcontainer::capabilities::drop_privileges;
use libcontainer::oci_spec::runtime::{
    Capabilities, Capability, LinuxCapabilities, LinuxNamespaceType, LinuxSeccomp, Process, Spec,
};
use libcontainer::seccomp::initialize_seccomp;
use libcontainer::syscall::syscall::create_syscall;
use nix::errno::Errno;

/// What is left to do right before the program is executed.
#[derive(Clone, Default)]
pub struct Guard {
    user_namespace: Option<RawFd>,
    ids: Ids,
    seccomp: Option<LinuxSeccomp>,
    capabilities: Option<LinuxCapabilities>,
}

#[derive(Clone, Default)]
struct Ids {
    uid: u32,
    gid: u32,
    more: Vec<u32>,
}

/// Rewrites the file `process` for libcontainer. The descriptor is the guard's, and has to live as long.
pub fn prepare(
    spec: &Spec,
    init: i32,
    process: &Path,
) -> Result<(Guard, Option<OwnedFd>), Box<dyn Error>> {
    let mut given: Process = serde_json::from_reader(File::open(process)?)?;
    let linux = spec.linux().as_ref();
    let namespaces = linux.and_then(|linux| linux.namespaces().as_ref());
    let mapped = namespaces
        .into_iter()
        .flatten()
        .any(|namespace| namespace.typ() == LinuxNamespaceType::User);
    let user_namespace = match mapped {
        true => Some(OwnedFd::from(File::open(format!("/proc/{init}/ns/user"))?)),
        false => None,
    };
    let guard = Guard {
        user_namespace: user_namespace.as_ref().map(AsRawFd::as_raw_fd),
        ids: Ids {
            uid: given.user().uid(),
            gid: given.user().gid(),
            more: given.user().additional_gids().clone().unwrap_or_default(),
        },
        seccomp: linux.and_then(|linux| linux.seccomp().clone()),
        capabilities: given.capabilities().clone(),
    };
    if let Some(wanted) = &guard.capabilities {
        let mut kept = wanted.clone();
        kept.set_bounding(Some(with_ours(wanted.bounding())))
            .set_effective(Some(with_ours(wanted.effective())))
            .set_permitted(Some(with_ours(wanted.permitted())));
        given.set_capabilities(Some(kept));
        fs::write(process, serde_json::to_vec(&given)?)?;
    }
    Ok((guard, user_namespace))
}

fn with_ours(set: &Option<Capabilities>) -> Capabilities {
    let mut set = set.clone().unwrap_or_default();
    set.extend([Capability::SysAdmin, Capability::Setpcap]);
    set
}

impl Guard {
    /// In the order of runc: without no_new_privs a filter can be loaded only before the capabilities are gone.
    pub fn close(&self) -> Result<(), String> {
        if let Some(namespace) = self.user_namespace {
            self.enter(namespace)
                .map_err(|errno| format!("enter the user namespace: {}", errno.desc()))?;
        }
        if let Some(seccomp) = &self.seccomp {
            initialize_seccomp(seccomp).map_err(|error| format!("seccomp: {error}"))?;
        }
        if let Some(capabilities) = &self.capabilities {
            drop_privileges(capabilities, &*create_syscall())
                .map_err(|error| format!("capabilities: {error}"))?;
        }
        Ok(())
    }

    /// The ids so far are the host's of the same number: nobody's in there.
    fn enter(&self, namespace: RawFd) -> Result<(), Errno> {
        let Ids { uid, gid, more } = &self.ids;
        // SAFETY: plain system calls; the descriptor is open, the list is as long as it says.
        unsafe {
            Errno::result(libc::setns(namespace, libc::CLONE_NEWUSER))?;
            Errno::result(libc::setresgid(*gid, *gid, *gid))?;
            Errno::result(libc::setgroups(more.len(), more.as_ptr()))?;
            // A change from root to another user would clear all capabilities; the last step needs them.
            Errno::result(libc::prctl(libc::PR_SET_KEEPCAPS, 1, 0, 0, 0))?;
            Errno::result(libc::setresuid(*uid, *uid, *uid))?;
            Errno::result(libc::prctl(libc::PR_SET_KEEPCAPS, 0, 0, 0, 0))?;
        }
        libcontainer::capabilities::reset_effective(&*create_syscall()).map_err(|_| Errno::EPERM)
    }
}
