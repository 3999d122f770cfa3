//! `<runRoot>/containers/<id>/`, which belongs to the supervisor.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use ramekin_sys::flock::{try_lock, Kind, Lock};
use ramekin_sys::{Code, Context, Error, Result};
use rustix::fs::{Mode, OFlags};
use rustix::process::umask;
use serde_json::Value;

#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    /// Names the directory however long its path is: a socket's address ends at 108 bytes.
    directory: OwnedFd,
    /// The mount namespace that we came from; `None` where a user namespace bars the way back.
    home: Option<File>,
    /// Held as long as we live; whoever finds it free knows that the supervisor is gone.
    _lock: Lock,
}

impl RunDirectory {
    pub fn open(path: &Path) -> Result<Self> {
        let path = path.canonicalize().context(|| path.display().to_string())?;
        let lock = try_lock(&path.join("lock"), Kind::Exclusive)?.ok_or_else(|| {
            Error::new(
                Code::Unavailable,
                format!("{} has a supervisor already", path.display()),
            )
        })?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory =
            rustix::fs::open(&path, flags, Mode::empty()).context(|| path.display().to_string())?;
        Ok(RunDirectory {
            path,
            directory,
            home: File::open("/proc/self/ns/mnt").ok(),
            _lock: lock,
        })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Short whatever the directory; works in our children and in processes of the same user.
    pub fn short_path(&self, name: &str) -> String {
        format!(
            "/proc/{}/fd/{}/{name}",
            std::process::id(),
            self.directory.as_raw_fd()
        )
    }

    /// A listening socket, 0600, in place of what a dead supervisor has left.
    pub fn listen(&self, name: &str) -> Result<UnixListener> {
        self.forget(name);
        // By the umask, since between bind and chmod there would be a moment for others. There is one thread.
        let usual = umask(Mode::from_raw_mode(0o177));
        let listener = UnixListener::bind(self.short_path(name));
        umask(usual);
        let listener = listener.context(|| format!("listen on {}", self.path(name).display()))?;
        listener
            .set_nonblocking(true)
            .context(|| "listen without blocking")?;
        Ok(listener)
    }

    pub fn forget(&self, name: &str) {
        let _ = std::fs::remove_file(self.path(name));
    }

    /// Does what concerns mounts here and in the namespace that we came from, which does not follow us.
    pub fn in_every_namespace(&self, work: impl Fn() -> Result<()>) -> Result<()> {
        work()?;
        let Some(home) = &self.home else {
            return Ok(());
        };
        let here = File::open("/proc/self/ns/mnt").context(|| "our mount namespace")?;
        if enter(home).is_err() {
            return Ok(());
        }
        let result = work();
        enter(&here).context(|| "return to our mount namespace")?;
        result
    }

    pub fn read(&self, name: &str) -> Result<String> {
        std::fs::read_to_string(self.path(name)).context(|| self.path(name).display().to_string())
    }

    /// Replaces fields of a JSON file at once; only we may read it.
    pub fn change(&self, name: &str, fields: &[(&str, &Value)]) -> Result<()> {
        let file = self.path(name);
        let what = || file.display().to_string();
        let mut content: Value = serde_json::from_str(&self.read(name)?)
            .map_err(|error| Error::new(Code::DataLoss, format!("{}: {error}", what())))?;
        for (field, value) in fields {
            content[*field] = (*value).clone();
        }
        let temporary = self.path(&format!(".{name}"));
        self.forget(&format!(".{name}"));
        let mut out = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)
            .context(what)?;
        out.write_all(content.to_string().as_bytes())
            .and_then(|()| std::fs::rename(&temporary, &file))
            .context(what)
    }

    pub fn create(&self, name: &str) -> Result<File> {
        File::create(self.path(name)).context(|| self.path(name).display().to_string())
    }
}

fn enter(namespace: &File) -> std::io::Result<()> {
    // SAFETY: a descriptor and a constant; this process has one thread.
    match unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNS) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}
