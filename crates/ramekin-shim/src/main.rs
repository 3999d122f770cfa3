//! The parent and supervisor of one container (ARCHITECTURE.md, "ramekin-shim RUN_DIRECTORY").

mod borrowed;
mod cleanup;
mod config;
mod connection;
mod create;
mod ending;
mod events;
mod flow;
mod frame;
mod grace_period;
mod health;
mod job;
mod launcher;
mod limits;
mod log;
mod lost;
mod memory;
mod no_cgroup;
mod operations;
mod partners;
mod poll;
mod prepare;
mod queue;
mod request;
mod restart;
mod run_directory;
mod shim;
mod signal;
mod sources;
mod spec;
mod starting;
mod startup_check;
mod state;
mod stdio;
mod supervision;
mod task;
mod time;
mod unprivileged;

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::os::fd::FromRawFd;
use std::path::Path;
use std::process::ExitCode;

use ramekin_sys::Result;
use serde_json::{json, Value};

use config::Config;
use run_directory::RunDirectory;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let answer = take_answer_pipe();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--build-id"] => {
            println!("{}", ramekin_sys::build::id());
            ExitCode::SUCCESS
        }
        ["--cleanup", directory] => reply(
            answer,
            &lost::clean_up_after(Path::new(directory)).map(|()| json!({})),
        ),
        [directory] if !directory.starts_with('-') => supervise(Path::new(directory), answer),
        _ => {
            eprintln!("usage: ramekin-shim [--cleanup] RUN_DIRECTORY");
            ExitCode::from(2)
        }
    }
}

fn supervise(directory: &Path, answer: Option<File>) -> ExitCode {
    let created = open(directory).and_then(|(config, run)| create::create(config, run));
    let status = reply(
        answer,
        &created
            .as_ref()
            .map(|shim| json!({ "pid": shim.state.pid }))
            .map_err(Clone::clone),
    );
    let Ok(mut shim) = created else { return status };
    match shim.serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(format_args!("{error}"));
            ExitCode::FAILURE
        }
    }
}

pub fn open(directory: &Path) -> Result<(Config, RunDirectory)> {
    let run = RunDirectory::open(directory)?;
    Ok((Config::read(&run.path("shim.json"))?, run))
}

/// Descriptor 3, when the caller gave one. Children must not inherit it.
fn take_answer_pipe() -> Option<File> {
    // SAFETY: integers only.
    if unsafe { libc::fcntl(3, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
        return None;
    }
    // SAFETY: it is open, and nothing in this process has opened a descriptor yet.
    Some(unsafe { File::from_raw_fd(3) })
}

/// One line of JSON to whoever started us; he may have gone.
fn reply(answer: Option<File>, result: &Result<Value>) -> ExitCode {
    let line = format!("{}\n", connection::envelope(result));
    if let Some(mut pipe) = answer {
        let _ = pipe.write_all(line.as_bytes());
    }
    match result {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            report(format_args!("{error}"));
            ExitCode::FAILURE
        }
    }
}

/// To stderr, which is `shim.log`.
pub fn report(what: fmt::Arguments<'_>) {
    eprintln!("{} {what}", time::now());
}
