//! From `shim.json` to a container that waits to be started.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use ramekin_sys::process;
use ramekin_sys::{netns, Code, Context, Error, Result};

use crate::cleanup;
use crate::config::Config;
use crate::grace_period;
use crate::health::Monitor;
use crate::launcher::{self, Launcher};
use crate::limits;
use crate::poll::Poll;
use crate::prepare::{prepare, Final, Prepared};
use crate::restart::{Policy, Restarts};
use crate::run_directory::RunDirectory;
use crate::shim::{Ending, Shim, FIRST};
use crate::state::State;
use crate::stdio::Console;
use crate::task::Task;

/// After the answer pipe.
const PASSED_ON: i32 = 4;

/// Leaves nothing behind when it fails.
pub fn create(mut config: Config, run: RunDirectory) -> Result<Shim> {
    let children = block_signals()?;
    if config.cgroup.is_some() {
        grace_period::begin();
    }
    let parent = config
        .supervision
        .die_with
        .map(limits::watch_process)
        .transpose()?;
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
    let created = finish(&config, &run, &prepared.first, task);
    let (state, task, listener) = match created {
        Ok(created) => created,
        Err(error) => {
            cleanup::forget_container(&config, &run, &launcher);
            return Err(error);
        }
    };
    // Only `prepare` needed them, and hundreds of layers are hundreds of strings.
    config.rootfs = Vec::new();
    let restarts = Restarts::new(config.supervision.restart);
    Ok(Shim {
        config,
        run,
        launcher,
        state,
        root: Some(prepared.root),
        own_pids: prepared.first.own_pids,
        maps_ids: prepared.first.uid.is_none(),
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
        first: prepared.first,
        starting: None,
        running_since: None,
        restarts,
        health: Monitor::default(),
        limit_at: None,
        timed_out: false,
        kill_at: None,
        dropped_saved: None,
        parent,
    })
}

fn make(config: &Config, run: &RunDirectory, prepared: &Prepared) -> Result<(Launcher, Task)> {
    let mut launcher = Launcher::open(&config.launcher, &config.id, run)?;
    launcher.pass_on(PASSED_ON, config.descriptors)?;
    let console = if config.io.terminal {
        Some(Console::listen(run, "console".into())?)
    } else {
        None
    };
    let console_path = console.as_ref().map(|console| console.path.clone());
    let mut task = Task::new(
        None,
        &config.io,
        prepared.first.uid,
        prepared.first.console_size,
        console,
    )?;
    let arguments = launcher::create_arguments(&launcher, run, console_path.as_deref());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
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
    if config.supervision.restart == Policy::No {
        launcher.forget_descriptors();
    }
    Ok((launcher, task))
}

fn finish(
    config: &Config,
    run: &RunDirectory,
    first: &Final,
    mut task: Task,
) -> Result<(State, Task, std::os::unix::net::UnixListener)> {
    adopt(run, first, &mut task)?;
    let state = State::created(task.pid)?;
    state.write_first(&config.state_file)?;
    Ok((state, task, run.listen("sock")?))
}

/// Takes over the process that the launcher has made.
pub fn adopt(run: &RunDirectory, first: &Final, task: &mut Task) -> Result<()> {
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
    if first.new_network {
        let namespace =
            File::open(format!("/proc/{pid}/ns/net")).context(|| "the network namespace")?;
        netns::loopback_up_in(&namespace).context(|| "bring lo up")?;
    }
    Ok(())
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
