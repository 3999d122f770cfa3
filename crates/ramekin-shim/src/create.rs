//! From `shim.json` to a container that waits to be started.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use ramekin_sys::process;
use ramekin_sys::{netns, Code, Context, Error, Result};

use crate::cleanup;
use crate::config::Config;
use crate::grace_period;
use crate::launcher::{self, Launcher};
use crate::poll::Poll;
use crate::prepare::{prepare, Prepared};
use crate::run_directory::RunDirectory;
use crate::shim::{Ending, Shim, FIRST};
use crate::state::State;
use crate::stdio::Console;
use crate::task::Task;

/// Leaves nothing behind when it fails.
pub fn create(mut config: Config, run: RunDirectory) -> Result<Shim> {
    let children = block_signals()?;
    if config.cgroup.is_some() {
        grace_period::begin();
    }
    process::become_subreaper().context(|| "become the reaper of orphans")?;
    let prepared = prepare(&config, &run)?;
    let made = make(&config, &run, &prepared);
    let (launcher, task) = match made {
        Ok(made) => made,
        Err(error) => {
            run.forget("console");
            cleanup::forget_root(&run);
            return Err(error);
        }
    };
    let created = finish(&config, &run, &prepared, task);
    let (state, task, listener) = match created {
        Ok(created) => created,
        Err(error) => {
            cleanup::forget_container(&config, &run, &launcher);
            return Err(error);
        }
    };
    // Only `prepare` needed them, and hundreds of layers are hundreds of strings.
    config.rootfs = Vec::new();
    Ok(Shim {
        config,
        run,
        launcher,
        state,
        root: Some(prepared.root),
        own_pids: prepared.own_pids,
        maps_ids: prepared.uid.is_none(),
        tasks: BTreeMap::from([(FIRST, task)]),
        connections: BTreeMap::new(),
        jobs: Vec::new(),
        poll: Poll::new()?,
        listener: Some(listener),
        children,
        buffer: Vec::new(),
        restless: true,
        next_key: FIRST,
        ending: Ending::NotYet,
        start_error: None,
        hooks: prepared.hooks,
        starting: None,
    })
}

fn make(config: &Config, run: &RunDirectory, prepared: &Prepared) -> Result<(Launcher, Task)> {
    let launcher = Launcher::open(&config.launcher, &config.id, run)?;
    let console = if config.io.terminal {
        Some(Console::listen(run, "console".into())?)
    } else {
        None
    };
    let console_path = console.as_ref().map(|console| console.path.clone());
    let mut task = Task::new(
        None,
        &config.io,
        prepared.uid,
        prepared.console_size,
        console,
    )?;
    let (bundle, pid_file) = (run.path("bundle"), run.path("pid"));
    let (bundle, pid_file) = (bundle.to_string_lossy(), pid_file.to_string_lossy());
    let mut arguments = vec!["--bundle", &bundle, "--pid-file", &pid_file];
    if let Some(path) = &console_path {
        arguments.extend(["--console-socket", path]);
    }
    let theirs = task
        .theirs
        .take()
        .ok_or_else(|| Error::new(Code::Internal, "no stdio"))?;
    let pid = launcher.spawn(
        "create",
        &arguments,
        [
            theirs.stdin.as_fd(),
            theirs.stdout.as_fd(),
            theirs.stderr.as_fd(),
        ],
    )?;
    drop(theirs);
    let ended = process::wait(pid).context(|| "wait for the launcher")?;
    let errors = task
        .stderr
        .as_ref()
        .ok_or_else(|| Error::new(Code::Internal, "no stderr"))?;
    if let Err(error) = launcher::check("create", ended, errors) {
        cleanup::forget_container(config, run, &launcher);
        return Err(error);
    }
    Ok((launcher, task))
}

fn finish(
    config: &Config,
    run: &RunDirectory,
    prepared: &Prepared,
    mut task: Task,
) -> Result<(State, Task, std::os::unix::net::UnixListener)> {
    let text = run.read("pid")?;
    let pid = text.trim().parse().map_err(|_| {
        Error::new(
            Code::Internal,
            format!("the launcher wrote {text:?} as a pid"),
        )
    })?;
    task.pid = pid;
    task.pidfd = Some(process::pidfd_open(pid).context(|| format!("watch process {pid}"))?);
    task.connect_terminal(run)?;
    if task.terminal {
        task.stderr = None;
    }
    if prepared.new_network {
        let namespace =
            File::open(format!("/proc/{pid}/ns/net")).context(|| "the network namespace")?;
        netns::loopback_up_in(&namespace).context(|| "bring lo up")?;
    }
    let state = State::created(pid)?;
    state.write(&config.state_file, false)?;
    Ok((state, task, run.listen("sock")?))
}

/// Before the first child: one that ends at once is then never missed. SIGCHLD comes by descriptor, the rest never.
fn block_signals() -> Result<OwnedFd> {
    // SAFETY: sets on this stack, initialised by the calls that fill them; the descriptor is ours alone.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigfillset(&mut set);
        libc::sigprocmask(libc::SIG_SETMASK, &set, std::ptr::null_mut());
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGCHLD);
        match libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) {
            -1 => Err(Error::io(std::io::Error::last_os_error(), "signalfd")),
            fd => Ok(OwnedFd::from_raw_fd(fd)),
        }
    }
}
