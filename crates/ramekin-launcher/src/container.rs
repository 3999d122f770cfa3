//! The only module that knows libcontainer: each operation of the OCI runtime command line, in its terms.

use crate::workload::Program;
use libcontainer::container::builder::ContainerBuilder;
use libcontainer::container::Container;
use libcontainer::syscall::syscall::SyscallType;
use std::error::Error;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn builder(
    root: &Path,
    id: &str,
    pid_file: Option<PathBuf>,
    console_socket: Option<PathBuf>,
) -> Result<ContainerBuilder> {
    let mut builder = ContainerBuilder::new(id.to_owned(), SyscallType::default())
        .with_executor(Program)
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
    pid_file: Option<PathBuf>,
    console_socket: Option<PathBuf>,
) -> Result<()> {
    std::fs::create_dir_all(root)?;
    builder(root, id, pid_file, console_socket)?
        .as_init(bundle)
        .with_systemd(false)
        .with_detach(true)
        .build()?;
    Ok(())
}

pub fn exec(
    root: &Path,
    id: &str,
    process: &Path,
    pid_file: Option<PathBuf>,
    console_socket: Option<PathBuf>,
) -> Result<()> {
    builder(root, id, pid_file, console_socket)?
        .as_tenant()
        .with_detach(true)
        .with_process(Some(process))
        .build()?;
    Ok(())
}

fn load(root: &Path, id: &str) -> Result<Container> {
    let directory = root.join(id);
    if !directory.exists() {
        return Err(format!("container {id} does not exist").into());
    }
    Ok(Container::load(directory)?)
}

pub fn start(root: &Path, id: &str) -> Result<()> {
    Ok(load(root, id)?.start()?)
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
    if force && !root.join(id).exists() {
        return Ok(());
    }
    Ok(load(root, id)?.delete(force)?)
}

/// OCI runtime spec, runtime.md, "State".
pub fn state(root: &Path, id: &str) -> Result<String> {
    let mut container = load(root, id)?;
    container.refresh_status()?;
    Ok(serde_json::to_string(&container.state)?)
}
