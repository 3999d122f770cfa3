//! The only module that knows libcontainer: each operation of the OCI runtime command line, in its terms.

use crate::guard::{self, Guard};
use crate::status::{executed, Status};
use crate::workload::Program;
use crate::{cgroup_v1, devices, user_namespace};
use libcontainer::container::builder::ContainerBuilder;
use libcontainer::container::{Container, ContainerStatus, State};
use libcontainer::oci_spec::runtime::Spec;
use libcontainer::syscall::syscall::SyscallType;
use nix::fcntl::OFlag;
use std::error::Error;
use std::fs::File;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn builder(
    root: &Path,
    id: &str,
    pid_file: Option<PathBuf>,
    console_socket: Option<PathBuf>,
    program: Program,
) -> Result<ContainerBuilder> {
    let mut builder = ContainerBuilder::new(id.to_owned(), SyscallType::default())
        .with_executor(program)
        .with_pid_file(pid_file)?
        .with_console_socket(console_socket.clone())
        .with_root_path(root)?
        .validate_id()?;
    if console_socket.is_none() {
        // Without a terminal the program takes over the descriptors that we were given.
        builder = builder
            .with_stdin(inherited(0)?)
            .with_stdout(inherited(1)?)
            .with_stderr(inherited(2)?);
    }
    Ok(builder)
}

fn inherited(number: i32) -> Result<std::os::fd::OwnedFd> {
    // SAFETY: 0, 1 and 2 are open: main opens /dev/null for those that the caller closed.
    Ok(unsafe { BorrowedFd::borrow_raw(number) }.try_clone_to_owned()?)
}

pub fn create(
    root: &Path,
    id: &str,
    bundle: &Path,
    (pid_file, console_socket): (Option<PathBuf>, Option<PathBuf>),
    preserve_fds: i32,
) -> Result<()> {
    std::fs::create_dir_all(root)?;
    cgroup_v1::seal_mounts(bundle)?;
    let _user_namespace = user_namespace::provide(bundle)?;
    let status = Status::create(root, id)?;
    let program = Program {
        status: status.as_raw_fd(),
        dies_with_parent: true,
        guard: Guard::default(),
    };
    let built = builder(root, id, pid_file, console_socket, program)?
        .with_preserved_fds(preserve_fds)
        .as_init(bundle)
        .with_systemd(false)
        .with_detach(true)
        .build();
    if built.is_err() {
        Status::remove(root, id)?;
    }
    let init = built?.pid().ok_or("the container has no process")?;
    let spec = Spec::load(bundle.join("config.json"))?;
    cgroup_v1::deny_tunnels(&spec)?;
    devices::restrict(&spec, init.as_raw())
}

pub fn exec(
    root: &Path,
    id: &str,
    process: &Path,
    pid_file: Option<PathBuf>,
    console_socket: Option<PathBuf>,
) -> Result<()> {
    let (status, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    let container = load(root, id)?;
    record_start(&container)?;
    let spec = Spec::load(container.bundle().join("config.json"))?;
    let init = container.pid().ok_or("the container has no process")?;
    let (guard, _user_namespace) = guard::prepare(&spec, init.as_raw(), process)?;
    let program = Program {
        status: writer.as_raw_fd(),
        dies_with_parent: false,
        guard,
    };
    builder(root, id, pid_file, console_socket, program)?
        .as_tenant()
        .with_detach(true)
        .with_process(Some(process))
        .build()?;
    drop(writer);
    executed(File::from(status))
}

fn load(root: &Path, id: &str) -> Result<Container> {
    let directory = root.join(id);
    if !directory.exists() {
        return Err(format!("container {id} does not exist").into());
    }
    let mut container = Container::load(directory)?;
    if container.status() == ContainerStatus::Created && !Status::is_awaited(root, id) {
        container.set_status(ContainerStatus::Running);
    }
    Ok(container)
}

/// For libcontainer, which reads the state by itself when it makes one more process: that it was started, which the
/// supervisor keeps to itself. At once, since two may do so at a time.
fn record_start(container: &Container) -> Result<()> {
    if State::load(&container.root)?.status != ContainerStatus::Created {
        return Ok(());
    }
    let draft = container.root.join(format!("state.{}", std::process::id()));
    std::fs::write(&draft, serde_json::to_vec(&container.state)?)?;
    Ok(std::fs::rename(draft, State::file_path(&container.root))?)
}

pub fn start(root: &Path, id: &str) -> Result<()> {
    let status = Status::open(root, id)?;
    load(root, id)?.start()?;
    executed(status)
}

pub fn kill(root: &Path, id: &str, signal: &str, all: bool) -> Result<()> {
    let signal: libcontainer::signal::Signal = signal.try_into()?;
    Ok(load(root, id)?.kill(signal, all)?)
}

pub fn pause(root: &Path, id: &str) -> Result<()> {
    Ok(load(root, id)?.pause()?)
}

pub fn resume(root: &Path, id: &str) -> Result<()> {
    Ok(load(root, id)?.resume()?)
}

/// Idempotent with `force`, as runc's.
pub fn delete(root: &Path, id: &str, force: bool) -> Result<()> {
    if !force || root.join(id).exists() {
        load(root, id)?.delete(force)?;
    }
    Ok(Status::remove(root, id)?)
}

/// OCI runtime spec, runtime.md, "State".
pub fn state(root: &Path, id: &str) -> Result<String> {
    let mut container = load(root, id)?;
    container.refresh_status()?;
    Ok(serde_json::to_string(&container.state)?)
}
