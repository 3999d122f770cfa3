//! The way out for what has no operation: a program, no shell.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ramekin_sys::process::{self, Ended};
use ramekin_sys::{Code, Context, Error, Result};

/// In a process group of its own, all of which is killed when the time is up. Its words go to our log.
pub fn run(argv: &[String], patience: Duration) -> Result<()> {
    let Some((program, arguments)) = argv
        .split_first()
        .filter(|(program, _)| program.starts_with('/'))
    else {
        return Err(Error::new(
            Code::InvalidArgument,
            format!("not an absolute path: {argv:?}"),
        ));
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env(
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    );
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .process_group(0);
    // SAFETY: between fork and exec, only system calls on locals.
    unsafe {
        command.pre_exec(|| {
            let mut none = std::mem::zeroed();
            libc::sigemptyset(&mut none);
            libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
            Ok(())
        });
    }
    let pid = command.spawn().context(|| program.clone())?.id() as i32;
    let deadline = Instant::now() + patience;
    loop {
        match process::try_wait(pid) {
            Some((_, Ended::Exited(0))) => return Ok(()),
            Some((_, ended)) => {
                return Err(Error::new(
                    Code::FailedPrecondition,
                    format!("{program} ended with {}", ended.code()),
                ))
            }
            None if Instant::now() >= deadline => break,
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    }
    // SAFETY: integers; the group is that of our own child, which we have not reaped.
    unsafe { libc::kill(-pid, libc::SIGKILL) };
    process::wait(pid).context(|| program.clone())?;
    Err(Error::new(
        Code::Timeout,
        format!("{program} was killed after {} ms", patience.as_millis()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(argv: &[&str], patience: u64) -> Result<()> {
        run(
            &argv.iter().map(|word| word.to_string()).collect::<Vec<_>>(),
            Duration::from_millis(patience),
        )
    }

    #[test]
    fn a_program_is_waited_for_and_killed_in_time() {
        of(&["/bin/true"], 5000).unwrap();
        assert_eq!(
            of(&["/bin/false"], 5000).unwrap_err().message,
            "/bin/false ended with 1"
        );
        let begin = Instant::now();
        assert_eq!(
            of(&["/bin/sleep", "60"], 50).unwrap_err().code,
            Code::Timeout
        );
        assert!(begin.elapsed() < Duration::from_secs(20));
        assert_eq!(of(&["true"], 50).unwrap_err().code, Code::InvalidArgument);
    }
}
