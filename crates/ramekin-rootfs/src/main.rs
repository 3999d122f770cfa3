//! `ramekin-rootfs OPERATION`: one operation on a root file system, in a process of its own and, without root, in a user
//! namespace of its own. Request: JSON on descriptor 3. Data: stdin, stdout. Result: a line of JSON on descriptor 4.
//! ARCHITECTURE.md has the table of operations. Killing the process cancels.

mod operations;
mod view;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::ExitCode;

use ramekin_sys::userns::{self, Maps};
use ramekin_sys::{Code, Error, Result};
use serde::Deserialize;
use serde_json::{json, Value};

const REQUEST: i32 = 3;
const RESULT: i32 = 4;

/// What any request may carry.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Common {
    userns: Option<Maps>,
    /// The caller's build.
    build_id: Option<String>,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(operation), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: ramekin-rootfs OPERATION, with a request on descriptor 3 and the result on descriptor 4");
        return ExitCode::from(2);
    };
    if operation == "--build-id" {
        println!("{}", ramekin_sys::build::id());
        return ExitCode::SUCCESS;
    }
    let (Some(request), Some(mut result)) = (inherited(REQUEST), inherited(RESULT)) else {
        eprintln!("ramekin-rootfs: descriptors 3 (request) and 4 (result) must be open");
        return ExitCode::from(2);
    };
    let answer = match run(&operation, request) {
        Ok(value) => json!({ "ok": value }),
        Err(error) => json!({ "error": error.to_json() }),
    };
    match result.write_all(format!("{answer}\n").as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run(operation: &str, mut request: File) -> Result<Value> {
    let invalid = |error: &dyn std::fmt::Display| {
        Error::new(
            Code::InvalidArgument,
            format!("{operation}: bad request: {error}"),
        )
    };
    let mut text = String::new();
    request
        .read_to_string(&mut text)
        .map_err(|error| invalid(&error))?;
    let request: Value = serde_json::from_str(&text).map_err(|error| invalid(&error))?;
    let common = Common::deserialize(&request).map_err(|error| invalid(&error))?;
    if common
        .build_id
        .is_some_and(|wanted| wanted != ramekin_sys::build::id())
    {
        return Err(Error::new(
            Code::Unsupported,
            format!(
                "ramekin-rootfs is of build {}, not the caller's",
                ramekin_sys::build::id()
            ),
        )
        .hint("native parts of two builds are mixed: build or install them again"));
    }
    // What a layer says is made exactly so, whatever the caller's umask.
    rustix::process::umask(rustix::fs::Mode::empty());
    if let Some(maps) = &common.userns {
        userns::enter(maps)?;
    }
    // Cancelled with its caller, however that ends. After the change of ids, which would undo it.
    // SAFETY: takes no pointers.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    operations::dispatch(operation, request)
}

/// Ours from here on, and never a child's.
fn inherited(number: i32) -> Option<File> {
    // SAFETY: only asks about the number.
    if unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } != 0 {
        return None;
    }
    // SAFETY: it is open, was given to us for this purpose, and nothing else here uses it.
    Some(File::from(unsafe { OwnedFd::from_raw_fd(number) }))
}
