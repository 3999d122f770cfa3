//! Pid 1 of `--init`: starts a program, passes signals on to it, reaps whatever ends, and ends as the program did.
//!
//! `ramekin-init -- PROGRAM [ARGUMENT…]`

#[path = "../../ramekin-sys/src/build.rs"]
mod build;

use std::ffi::CString;
use std::os::unix::ffi::OsStringExt;

fn main() {
    let mut arguments: Vec<CString> = std::env::args_os()
        .skip(1)
        .filter_map(|argument| CString::new(argument.into_vec()).ok())
        .collect();
    if arguments
        .first()
        .is_some_and(|first| first.as_bytes() == b"--build-id")
    {
        println!("{}", build::id());
        return;
    }
    if arguments
        .first()
        .is_some_and(|first| first.as_bytes() == b"--")
    {
        arguments.remove(0);
    }
    if arguments.is_empty() {
        eprintln!("ramekin-init: no program given");
        std::process::exit(127);
    }
    std::process::exit(supervise(&arguments));
}

/// Resolves to the exit status, as a shell has it.
fn supervise(arguments: &[CString]) -> i32 {
    let mut vector: Vec<*const libc::c_char> =
        arguments.iter().map(|argument| argument.as_ptr()).collect();
    vector.push(std::ptr::null());
    // SAFETY: plain system calls. `vector` ends with a null and points into `arguments`, which outlives it; the child calls
    // only async-signal-safe functions between fork and exec.
    unsafe {
        // Blocked before the fork: a program that ends at once is still waited for.
        let mut all = std::mem::zeroed();
        libc::sigfillset(&mut all);
        let mut before = std::mem::zeroed();
        libc::sigprocmask(libc::SIG_SETMASK, &all, &mut before);
        let child = libc::fork();
        if child < 0 {
            eprintln!("ramekin-init: fork: {}", std::io::Error::last_os_error());
            return 126;
        }
        if child == 0 {
            libc::signal(libc::SIGPIPE, libc::SIG_DFL); // Rust ignores it
            libc::setpgid(0, 0);
            if libc::isatty(0) == 1 {
                libc::tcsetpgrp(0, libc::getpid());
            }
            libc::sigprocmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
            libc::execvp(vector[0], vector.as_ptr());
            let status = if *libc::__errno_location() == libc::ENOENT {
                127
            } else {
                126
            };
            eprintln!(
                "ramekin-init: {}: {}",
                arguments[0].to_string_lossy(),
                std::io::Error::last_os_error()
            );
            libc::_exit(status);
        }
        loop {
            let mut signal = 0;
            if libc::sigwait(&all, &mut signal) != 0 {
                continue;
            }
            if signal != libc::SIGCHLD {
                // The program's whole process group, so that a shell's children hear it too.
                if libc::kill(-child, signal) != 0 {
                    libc::kill(child, signal);
                }
                continue;
            }
            if let Some(status) = reap(child) {
                return status;
            }
        }
    }
}

/// Reaps all that have ended; the status of `child`, if it is among them.
fn reap(child: libc::pid_t) -> Option<i32> {
    let mut found = None;
    loop {
        let mut status = 0;
        // SAFETY: waits for any child without blocking, into a local.
        let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) };
        if pid <= 0 {
            return found;
        }
        if pid == child {
            found = Some(if libc::WIFSIGNALED(status) {
                128 + libc::WTERMSIG(status)
            } else {
                libc::WEXITSTATUS(status)
            });
        }
    }
}
