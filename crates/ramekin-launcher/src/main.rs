//! An OCI runtime over libcontainer: what ramekin-shim runs to make a container, to start it, and to enter it.
//!
//! A process of its own, so that the supervisor that stays behind is small and only this one, which enters the container,
//! has to be sealed (the shim starts it from a read-only clone of its mount, CVE-2019-5736).

#[path = "../../ramekin-sys/src/build.rs"]
mod build;

mod arguments;
mod cgroup_v1;
mod container;
mod devices;
mod guard;
mod status;
mod user_namespace;
mod workload;

use arguments::{Command, Invocation};
use std::error::Error;
use std::process::ExitCode;

fn main() -> ExitCode {
    let invocation = match arguments::parse(std::env::args().skip(1)) {
        Ok(invocation) => invocation,
        Err(message) => {
            eprintln!("ramekin-launcher: {message}");
            return ExitCode::from(2);
        }
    };
    match run(invocation) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ramekin-launcher: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn run(Invocation { root, command }: Invocation) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Create {
            id,
            bundle,
            pid_file,
            console_socket,
            preserve_fds,
        } => container::create(
            &root,
            &id,
            &bundle,
            (pid_file, console_socket),
            preserve_fds,
        ),
        Command::Start { id } => container::start(&root, &id),
        Command::Exec {
            id,
            process,
            pid_file,
            console_socket,
        } => container::exec(&root, &id, &process, pid_file, console_socket),
        Command::Kill { id, signal, all } => container::kill(&root, &id, &signal, all),
        Command::Pause { id } => container::pause(&root, &id),
        Command::Resume { id } => container::resume(&root, &id),
        Command::Delete { id, force } => container::delete(&root, &id, force),
        Command::State { id } => {
            println!("{}", container::state(&root, &id)?);
            Ok(())
        }
        Command::BuildId => {
            println!("{}", build::id());
            Ok(())
        }
    }
}

/// An error and what caused it, in one line, without what a wrapper repeats of it.
fn chain(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = error.source();
    }
    message
}
