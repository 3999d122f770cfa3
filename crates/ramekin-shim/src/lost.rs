//! `--cleanup`: what a supervisor that was killed could not do.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ramekin_sys::cgroup::Cgroup;
use ramekin_sys::process::{self, pidfd_open, pidfd_signal};
use ramekin_sys::{mount, userns, Context, Result};
use serde_json::{json, Value};

use crate::config::Config;
use crate::launcher::Launcher;
use crate::state::Exit;
use crate::{cleanup, open};

const PATIENCE: Duration = Duration::from_secs(10);

/// UNAVAILABLE while there is a supervisor. May be run again.
pub fn clean_up_after(directory: &Path) -> Result<()> {
    let (config, run) = open(directory)?;
    let state = fs::read(&config.state_file)
        .ok()
        .and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    if let Some(state) = &state {
        kill_first_process(state);
    }
    if let Some(path) = &config.cgroup {
        Cgroup::find(path).context(|| "cgroups")?.kill_all(PATIENCE);
    }
    write_exit(&config, state)?;
    match &config.userns {
        Some(maps) => {
            userns::enter(maps)?;
            mount::make_slave()?;
        }
        None => mount::unshare_namespace()?,
    }
    let launcher = Launcher::open(&config.launcher, &config.id, &run)?;
    cleanup::after_exit(&config, &run, &launcher);
    run.forget("sock");
    Ok(())
}

/// Without a cgroup nothing else leads to it. Its pid may be somebody else's by now: the start time tells.
fn kill_first_process(state: &Value) {
    let number = |name: &str| state.get(name).and_then(Value::as_u64);
    let (Some(pid), Some(start_time)) = (number("pid"), number("startTime")) else {
        return;
    };
    if state.get("bootId").and_then(Value::as_str) != process::boot_id().ok().as_deref() {
        return;
    }
    let Ok(pidfd) = pidfd_open(pid as i32) else {
        return;
    };
    if process::start_time(pid as i32).is_ok_and(|found| found == start_time) {
        if let Err(error) = pidfd_signal(&pidfd, libc::SIGKILL) {
            crate::report(format_args!("kill process {pid}: {error}"));
        }
        wait_for(&pidfd);
    }
}

/// Not our child: a pidfd is readable once its process has ended.
fn wait_for(pidfd: &std::os::fd::OwnedFd) {
    let mut fds = [rustix::event::PollFd::new(
        pidfd,
        rustix::event::PollFlags::IN,
    )];
    let timeout = rustix::event::Timespec {
        tv_sec: PATIENCE.as_secs() as i64,
        tv_nsec: 0,
    };
    let _ = rustix::event::poll(&mut fds, Some(&timeout));
}

/// The exit status that is there, or else that of a container whose supervisor was lost.
fn write_exit(config: &Config, state: Option<Value>) -> Result<()> {
    let Some(Value::Object(mut state)) = state else {
        return Ok(());
    };
    if state
        .get("status")
        .is_some_and(|status| status == "stopped")
    {
        return Ok(());
    }
    // Between two runs: how the last one ended stands there.
    let last = state
        .get("exit")
        .cloned()
        .and_then(|exit| serde_json::from_value(exit).ok());
    let told = last.is_some();
    let exit = match last {
        Some(exit) => Exit {
            error: Some("monitor lost".into()),
            ..exit
        },
        None => Exit {
            signal: Some("SIGKILL".into()),
            ..Exit::failed(137, "monitor lost".into())
        },
    };
    state.insert("status".into(), "stopped".into());
    state.insert("exit".into(), json!(exit));
    crate::state::replace(&config.state_file, &Value::Object(state), true)?;
    if told {
        return Ok(());
    }
    if let Some(journal) = &config.events {
        journal.tell(&config.id, "die", &[("exitCode", exit.code.to_string())]);
    }
    Ok(())
}
