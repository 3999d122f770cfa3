//! Running the launcher: an OCI runtime command line, executed from a copy that a container cannot write to.

use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use ramekin_sys::process::{self, Ended};
use ramekin_sys::{mount, Code, Context, Error, Result};

use crate::config::LauncherConfig;
use crate::run_directory::RunDirectory;
use crate::stdio;

/// The operation that makes a container.
const CREATE: &str = "create";

#[derive(Debug)]
pub struct Launcher {
    program: Program,
    /// The program's name, its arguments and the options of every operation.
    argv: Vec<CString>,
    id: String,
    /// Of the caller's, for the program, as its 3, 4 and so on.
    descriptors: Vec<OwnedFd>,
}

#[derive(Debug)]
enum Program {
    /// A descriptor of a read-only clone, or of a sealed copy.
    Sealed(OwnedFd),
    /// A script: the kernel's interpreter mechanism wants a name.
    Named(CString),
}

impl Launcher {
    pub fn open(config: &LauncherConfig, id: &str, run: &RunDirectory) -> Result<Self> {
        let path = find(&config.argv[0])?;
        let own = |option: &str| option.to_owned();
        let root = run.path("launcher").to_string_lossy().into_owned();
        let log = run.path("launcher.log").to_string_lossy().into_owned();
        let options = [
            own("--root"),
            root,
            own("--log"),
            log,
            own("--log-format"),
            own("json"),
        ];
        let argv = config
            .argv
            .iter()
            .chain(&config.options)
            .chain(&options)
            .map(|word| c_string(word))
            .collect::<Result<_>>()?;
        Ok(Launcher {
            program: seal(&path)?,
            argv,
            id: id.to_owned(),
            descriptors: Vec::new(),
        })
    }

    /// Takes `count` descriptors from `first` on for the programs that `create` makes.
    pub fn pass_on(&mut self, first: RawFd, count: u16) -> Result<()> {
        self.descriptors = (first..first + i32::from(count))
            .map(|number| {
                // SAFETY: integers only.
                if unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
                    let error = std::io::Error::last_os_error();
                    return Err(Error::io(error, format!("descriptor {number} to pass on")));
                }
                // SAFETY: it is open, our caller has put it there for this, and nobody else here knows of it.
                Ok(unsafe { OwnedFd::from_raw_fd(number) })
            })
            .collect::<Result<_>>()?;
        Ok(())
    }

    /// No other program gets them: whoever waits for the end of a pipe of theirs must not wait for us.
    pub fn forget_descriptors(&mut self) {
        self.descriptors = Vec::new();
    }

    /// Starts `verb [arguments…] ID`; the pid of the launcher.
    pub fn spawn(&self, verb: &str, arguments: &[&str], stdio: [BorrowedFd<'_>; 3]) -> Result<i32> {
        let mut argv = self.argv.clone();
        for word in std::iter::once(&verb)
            .chain(arguments)
            .chain([&self.id.as_str()])
        {
            argv.push(c_string(word)?);
        }
        // SAFETY: this process has one thread, so the child may go on as its parent could; `become_launcher` does not return.
        match unsafe { libc::fork() } {
            -1 => Err(Error::io(
                std::io::Error::last_os_error(),
                "fork the launcher",
            )),
            0 => self.become_launcher(&argv, stdio, verb == CREATE),
            pid => Ok(pid),
        }
    }

    /// Runs an operation that concerns no stdio to its end.
    pub fn run(&self, verb: &str, arguments: &[&str]) -> Result<()> {
        let (errors, theirs) = stdio::pipe()?;
        let null = stdio::null()?;
        let pid = self.spawn(
            verb,
            arguments,
            [null.as_fd(), theirs.as_fd(), theirs.as_fd()],
        )?;
        drop(theirs);
        let ended = process::wait(pid).context(|| "wait for the launcher")?;
        check(verb, ended, &errors)
    }

    fn become_launcher(&self, argv: &[CString], stdio: [BorrowedFd<'_>; 3], passes_on: bool) -> ! {
        let mut pointers: Vec<_> = argv.iter().map(|word| word.as_ptr()).collect();
        pointers.push(std::ptr::null());
        let environment = [
            c"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".as_ptr(),
            std::ptr::null(),
        ];
        enter_clean_state(stdio);
        let descriptors = if passes_on {
            &self.descriptors[..]
        } else {
            &[]
        };
        let program = match &self.program {
            // SAFETY: integers only. Above all that is about to be placed.
            Program::Sealed(fd) => unsafe {
                let above = 3 + descriptors.len() as i32;
                libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, above)
            },
            Program::Named(_) => -1,
        };
        place(descriptors);
        // SAFETY: both arrays end with a null and point to strings that are alive.
        unsafe {
            match &self.program {
                Program::Sealed(_) => {
                    libc::syscall(
                        libc::SYS_execveat,
                        program,
                        c"".as_ptr(),
                        pointers.as_ptr(),
                        environment.as_ptr(),
                        libc::AT_EMPTY_PATH,
                    );
                }
                Program::Named(path) => {
                    libc::execve(path.as_ptr(), pointers.as_ptr(), environment.as_ptr());
                }
            }
        }
        eprintln!(
            "cannot run the launcher {}: {}",
            argv[0].to_string_lossy(),
            std::io::Error::last_os_error()
        );
        // SAFETY: ends the child at once; nothing of its parent's may run in it.
        unsafe { libc::_exit(127) }
    }
}

/// In a child: nothing of ours reaches what it executes. Signals at their defaults (Rust ignores SIGPIPE, and an ignored
/// signal stays so), no groups, no descriptors but 0 to 2, the usual umask; and it dies with us.
pub fn enter_clean_state(stdio: [BorrowedFd<'_>; 3]) {
    // SAFETY: system calls on integers and on locals that outlive them.
    unsafe {
        for signal in 1..=64 {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0);
        libc::umask(0o022);
        libc::setgroups(0, std::ptr::null());
        libc::chdir(c"/".as_ptr());
        // Above 2 first, so that no copy overwrites a descriptor still to be copied.
        let high = stdio.map(|fd| libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 3));
        for (to, from) in high.into_iter().enumerate() {
            libc::dup2(from, to as i32);
        }
        libc::syscall(
            libc::SYS_close_range,
            3,
            u32::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        );
    }
}

/// In a child: they become 3, 4 and so on.
fn place(descriptors: &[OwnedFd]) {
    let above = 3 + descriptors.len() as i32;
    // SAFETY: integers only; what is overwritten belongs to a process that is about to execute another program.
    unsafe {
        // Above all places first, so that no copy overwrites a descriptor still to be copied.
        let high: Vec<i32> = descriptors
            .iter()
            .map(|fd| libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, above))
            .collect();
        for (to, from) in high.into_iter().enumerate() {
            libc::dup2(from, 3 + to as i32);
        }
    }
}

/// Of `create`.
pub fn create_arguments(
    launcher: &Launcher,
    run: &RunDirectory,
    console: Option<&str>,
) -> Vec<String> {
    let path = |name: &str| run.path(name).to_string_lossy().into_owned();
    let mut arguments = vec![
        "--bundle".into(),
        path("bundle"),
        "--pid-file".into(),
        path("pid"),
    ];
    if let Some(console) = console {
        arguments.extend(["--console-socket".into(), console.into()]);
    }
    if !launcher.descriptors.is_empty() {
        let count = launcher.descriptors.len().to_string();
        arguments.extend(["--preserve-fds".into(), count]);
    }
    arguments
}

/// The error of a launcher that has ended, from what it said on `errors`.
pub fn check(verb: &str, ended: Ended, errors: &impl AsFd) -> Result<()> {
    match ended {
        Ended::Exited(0) => Ok(()),
        _ => Err(explain(verb, ended, &stdio::read_available(errors))),
    }
}

pub fn explain(verb: &str, ended: Ended, said: &str) -> Error {
    let said = said.trim().trim_end_matches(": unknown");
    let line = said.lines().last().unwrap_or("").trim();
    let has = |words: &[&str]| words.iter().any(|word| line.contains(word));
    if let Some(start) = line.find("exec: \"").or_else(|| line.find("exec ")) {
        if has(&["executable file not found", "no such file or directory"]) {
            return Error::new(Code::CommandNotFound, &line[start..]);
        }
        if has(&["permission denied", "is a directory", "exec format error"]) {
            return Error::new(Code::CommandNotExecutable, &line[start..]);
        }
    }
    match (line, ended) {
        ("", Ended::Signaled(signal)) => Error::new(
            Code::Internal,
            format!(
                "the launcher was killed in {verb} by {}",
                crate::signal::name(signal)
            ),
        ),
        ("", Ended::Exited(code)) => Error::new(
            Code::Internal,
            format!("the launcher failed in {verb} with status {code}"),
        ),
        _ => Error::new(Code::FailedPrecondition, format!("{verb}: {line}")),
    }
}

fn find(program: &str) -> Result<PathBuf> {
    if program.contains('/') {
        return Ok(program.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file());
    found.ok_or_else(|| Error::new(Code::Unsupported, format!("no launcher {program} in PATH")))
}

fn seal(path: &Path) -> Result<Program> {
    let what = || format!("launcher {}", path.display());
    let mut file = File::open(path).context(what)?;
    let mut start = [0; 2];
    if file.read(&mut start).context(what)? == 2 && start == *b"#!" {
        return Ok(Program::Named(c_string(&path.to_string_lossy())?));
    }
    match mount::sealed_clone(path) {
        Ok(clone) => Ok(Program::Sealed(clone)),
        Err(_) => sealed_copy(path).context(what).map(Program::Sealed),
    }
}

/// Where mounts cannot be cloned: a copy in memory that nothing can write to any more.
fn sealed_copy(path: &Path) -> std::io::Result<OwnedFd> {
    let name = CString::new(path.file_name().unwrap_or_default().as_bytes()).unwrap_or_default();
    // SAFETY: a string that is alive; the descriptor is ours alone.
    let copy =
        unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
    if copy < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: as above.
    let mut copy = File::from(unsafe { OwnedFd::from_raw_fd(copy) });
    std::io::copy(&mut File::open(path)?, &mut copy)?;
    let seals = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;
    // SAFETY: integers only.
    match unsafe { libc::fcntl(copy.as_raw_fd(), libc::F_ADD_SEALS, seals) } {
        0 => Ok(copy.into()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::new(Code::InvalidArgument, format!("a NUL in {text:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(said: &str) -> Error {
        explain("create", Ended::Exited(1), said)
    }

    #[test]
    fn what_docker_calls_127_and_126() {
        let runc = "runc create failed: unable to start container process: exec: \"foo\": executable file not found in $PATH\n";
        assert_eq!(
            of(runc),
            Error::new(
                Code::CommandNotFound,
                "exec: \"foo\": executable file not found in $PATH"
            )
        );
        assert_eq!(
            of("x: exec: \"/foo\": stat /foo: no such file or directory: unknown").code,
            Code::CommandNotFound
        );
        assert_eq!(
            of("x: exec: \"/etc\": is a directory").code,
            Code::CommandNotExecutable
        );
        assert_eq!(
            of("ramekin-launcher: exec: \"/x\": permission denied").message,
            "exec: \"/x\": permission denied"
        );
    }

    #[test]
    fn other_failures_keep_their_words() {
        assert_eq!(
            of("warning\nno such file or directory: /b/config.json").message,
            "create: no such file or directory: /b/config.json"
        );
        assert_eq!(of("").code, Code::Internal);
        assert_eq!(
            explain("start", Ended::Signaled(9), "").message,
            "the launcher was killed in start by SIGKILL"
        );
    }
}
