//! Entering a user namespace in which we are root, user_namespaces(7).

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use serde::Deserialize;

use crate::{Code, Context, Error, Result};

/// OCI runtime spec, config-linux.md, "User namespace mappings".
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct IdMap {
    #[serde(rename = "containerID")]
    pub container_id: u32,
    #[serde(rename = "hostID")]
    pub host_id: u32,
    pub size: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Maps {
    pub uids: Vec<IdMap>,
    pub gids: Vec<IdMap>,
}

/// Moves this process into the user namespace of another one, as its root, unless it is there: for what that process may see and
/// own. The process must have one thread.
pub fn join(pid: i32) -> Result<()> {
    let path = format!("/proc/{pid}/ns/user");
    let theirs = std::fs::File::open(&path).context(|| path.clone())?;
    let ours = std::fs::File::open("/proc/self/ns/user").context(|| "our user namespace")?;
    let inode = |file: &std::fs::File| file.metadata().map(|found| found.ino());
    if inode(&theirs).context(|| path.clone())? == inode(&ours).context(|| "our user namespace")? {
        return Ok(());
    }
    // SAFETY: a descriptor and a constant; this process has one thread.
    let joined = unsafe { libc::setns(theirs.as_raw_fd(), libc::CLONE_NEWUSER) } == 0;
    // SAFETY: reads nothing by the null pointer, whose count is 0. Where groups may not be dropped they stay nobody's in there.
    let became = joined
        && unsafe {
            libc::setgroups(0, std::ptr::null());
            libc::setresgid(0, 0, 0) == 0 && libc::setresuid(0, 0, 0) == 0
        };
    match became {
        true => Ok(()),
        false => Err(Error::io(
            std::io::Error::last_os_error(),
            format!("join the user namespace of process {pid}"),
        )),
    }
}

/// Moves this process into a new user namespace, and a new mount namespace that it owns, as uid and gid 0 of the maps.
///
/// The process must have one thread. A forked helper, which stays outside, writes the maps: directly when the kernel lets
/// us (one id, our own; or CAP_SETUID), else by newuidmap and newgidmap.
pub fn enter(maps: &Maps) -> Result<()> {
    let (ready, done) = (pipe()?, pipe()?);
    // SAFETY: the process has one thread, so the child may do whatever its parent could.
    let helper = match unsafe { libc::fork() } {
        -1 => {
            return Err(Error::io(
                std::io::Error::last_os_error(),
                "fork the writer of the id maps",
            ))
        }
        0 => {
            drop((ready.1, done.0));
            // SAFETY: no Rust frame above this one may go on in the child.
            unsafe { libc::_exit(help(maps, ready.0, done.1)) }
        }
        pid => pid,
    };
    drop((ready.0, done.1));
    // SAFETY: touches no memory.
    let unshared = match unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS) } {
        0 => Ok(()),
        _ => Err(Error::io(std::io::Error::last_os_error(), "create a user namespace").hint(
            "unprivileged user namespaces may be turned off: see sysctl user.max_user_namespaces and kernel.unprivileged_userns_clone",
        )),
    };
    if unshared.is_ok() {
        std::fs::File::from(ready.1)
            .write_all(b"!")
            .context(|| "write the id maps")?;
    } else {
        drop(ready.1);
    }
    let mut answer = String::new();
    let read = std::fs::File::from(done.0).read_to_string(&mut answer);
    // SAFETY: waits for our own child; a null status is allowed.
    unsafe { libc::waitpid(helper, std::ptr::null_mut(), 0) };
    unshared?;
    read.context(|| "write the id maps")?;
    match answer.strip_prefix("ok") {
        Some(_) => become_root(maps),
        None => Err(parse_failure(&answer)),
    }
}

/// In the helper: 0 when it had nothing to do or has said how it went.
fn help(maps: &Maps, ready: OwnedFd, done: OwnedFd) -> i32 {
    // SAFETY: getppid(2) cannot fail.
    let pid = unsafe { libc::getppid() };
    let mut go = [0];
    if std::fs::File::from(ready).read_exact(&mut go).is_err() {
        return 0;
    }
    let result =
        write_maps(pid, "uid", &maps.uids).and_then(|()| write_maps(pid, "gid", &maps.gids));
    let answer = match result {
        Ok(()) => "ok".to_owned(),
        Err(error) => format!("{}\n{}", error.message, error.hint.unwrap_or_default()),
    };
    std::fs::File::from(done)
        .write_all(answer.as_bytes())
        .map_or(1, |()| 0)
}

fn parse_failure(answer: &str) -> Error {
    let (message, hint) = answer.split_once('\n').unwrap_or((answer, ""));
    let error = Error::new(
        Code::PermissionDenied,
        if message.is_empty() {
            "the id maps were not written"
        } else {
            message
        },
    );
    match hint {
        "" => error,
        hint => error.hint(hint),
    }
}

pub(crate) fn write_maps(pid: i32, kind: &str, maps: &[IdMap]) -> Result<()> {
    // SAFETY: these cannot fail.
    let (uid, own) = unsafe {
        (
            libc::geteuid(),
            if kind == "uid" {
                libc::geteuid()
            } else {
                libc::getegid()
            },
        )
    };
    let only_own = matches!(maps, [IdMap { host_id, size: 1, .. }] if *host_id == own);
    if uid == 0 || only_own {
        if uid != 0 && kind == "gid" {
            let path = format!("/proc/{pid}/setgroups");
            std::fs::write(&path, "deny").context(|| path)?;
        }
        let lines: String = maps
            .iter()
            .map(|map| format!("{} {} {}\n", map.container_id, map.host_id, map.size))
            .collect();
        let path = format!("/proc/{pid}/{kind}_map");
        return std::fs::write(&path, lines).context(|| format!("{path}: {}", describe(maps)));
    }
    let program = format!("new{kind}map");
    let mut command = Command::new(&program);
    command.arg(pid.to_string());
    for map in maps {
        command.args([map.container_id, map.host_id, map.size].map(|number| number.to_string()));
    }
    let hint =
        "install the package uidmap, and give the user ranges in /etc/subuid and /etc/subgid";
    let output = command
        .output()
        .map_err(|error| Error::io(error, &program).hint(hint))?;
    if output.status.success() {
        return Ok(());
    }
    // It puts its own name in front.
    let said = String::from_utf8_lossy(&output.stderr)
        .trim()
        .replace('\n', "; ");
    Err(Error::new(Code::PermissionDenied, said).hint(hint))
}

fn describe(maps: &[IdMap]) -> String {
    let ranges: Vec<_> = maps
        .iter()
        .map(|map| format!("{}:{}:{}", map.container_id, map.host_id, map.size))
        .collect();
    ranges.join(",")
}

fn become_root(maps: &Maps) -> Result<()> {
    // With a single gid and no privilege setgroups(2) is forbidden for good: the groups stay, unmapped.
    // SAFETY: an empty list reads no memory.
    if unsafe { libc::setgroups(0, std::ptr::null()) } != 0 && maps.gids.len() > 1 {
        return Err(Error::io(
            std::io::Error::last_os_error(),
            "drop supplementary groups",
        ));
    }
    // SAFETY: change only this process's credentials, and it has one thread.
    if unsafe { libc::setresgid(0, 0, 0) } != 0 || unsafe { libc::setresuid(0, 0, 0) } != 0 {
        return Err(Error::io(
            std::io::Error::last_os_error(),
            "become root in the user namespace",
        )
        .hint("the id maps must contain container id 0"));
    }
    // A change of ids hides /proc/self from us otherwise, which mounting by descriptor needs.
    // SAFETY: takes no pointers.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0) };
    Ok(())
}

pub(crate) fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    let mut fds = [0; 2];
    // SAFETY: `fds` has room for the two descriptors that it writes.
    if unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return Err(Error::io(std::io::Error::last_os_error(), "create a pipe"));
    }
    // SAFETY: both were just created, and are owned by nobody else.
    Ok(unsafe { (OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])) })
}
