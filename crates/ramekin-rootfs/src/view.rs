//! Opening what `Mount[]` describes, seen by nobody else.

use std::cell::Cell;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use ramekin_sys::mount::{bind_on, mount_all, mount_one, unshare_namespace, Mount};
use ramekin_sys::rooted::Root;
use ramekin_sys::{Code, Context, Error, Result};
use rustix::fs::{FileType, Mode, OFlags, Stat};
use serde::Deserialize;

/// Exists on every Linux, and nothing below it can be anybody's layer: trees are mounted over it, in our own mount
/// namespace, so that nothing has to be made or removed for it.
const STAGE: &str = "/sys";

/// A tree, by its directory or by its mounts.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Tree {
    pub directory: Option<PathBuf>,
    pub mounts: Option<Vec<Mount>>,
    /// What this process sees, with all that is mounted there.
    pub process: Option<Process>,
    /// Mounted in it, in this order; what has no place to be mounted on in a read-only tree is not.
    #[serde(default)]
    pub binds: Vec<Bind>,
}

/// `start_time` as in /proc/PID/stat: a pid alone may be another process's by now.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    pub pid: i32,
    pub start_time: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bind {
    pub source: PathBuf,
    pub destination: PathBuf,
    /// Below the source, resolved within it.
    pub subpath: Option<PathBuf>,
    #[serde(default)]
    pub read_only: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

/// Where trees of one process are mounted; the mounts end with it.
#[derive(Default)]
pub struct Stage {
    begun: Cell<bool>,
    used: Cell<u32>,
}

impl Stage {
    pub fn open(&self, tree: &Tree, access: Access) -> Result<Root> {
        match (&tree.directory, &tree.mounts, &tree.process) {
            (Some(directory), None, None) => Root::open(directory),
            (None, Some(mounts), None) => {
                if !tree.binds.is_empty() {
                    self.begin()?; // a directory opened before would be of the mount namespace that we leave
                }
                let root = self.mount(mounts, access)?;
                for bind in &tree.binds {
                    bind_in(&root, bind)
                        .map_err(|error| error.within(bind.destination.display()))?;
                }
                Ok(root)
            }
            (None, None, Some(process)) => root_of(process),
            _ => Err(Error::new(
                Code::InvalidArgument,
                "a tree is either a directory, mounts or a process's",
            )),
        }
    }

    /// No mounts at all are an empty tree.
    pub fn mount(&self, mounts: &[Mount], access: Access) -> Result<Root> {
        if let [only] = mounts {
            if let Some(source) = plain_directory(only, access) {
                return Root::open(source);
            }
        }
        let target = self.slot()?;
        mount_all(mounts, &target)?;
        Root::open(&target)
    }

    /// A mount namespace of our own, with an empty place in it.
    fn begin(&self) -> Result<()> {
        if self.begun.replace(true) {
            return Ok(());
        }
        unshare_namespace()?;
        let tmpfs = Mount {
            kind: "tmpfs".into(),
            source: "tmpfs".into(),
            options: vec!["mode=0700".into()],
        };
        mount_one(&tmpfs, Path::new(STAGE))
    }

    fn slot(&self) -> Result<PathBuf> {
        self.begin()?;
        let number = self.used.replace(self.used.get() + 1);
        let target = Path::new(STAGE).join(number.to_string());
        std::fs::create_dir(&target).context(|| target.display().to_string())?;
        Ok(target)
    }
}

fn root_of(process: &Process) -> Result<Root> {
    let is_it = || {
        ramekin_sys::process::start_time(process.pid)
            .is_ok_and(|started| started == process.start_time)
    };
    let gone = || {
        Error::new(
            Code::Aborted,
            format!("process {} has ended meanwhile", process.pid),
        )
    };
    if !is_it() {
        return Err(gone());
    }
    ramekin_sys::userns::join(process.pid)?;
    // Undone by the change of ids.
    // SAFETY: takes no pointers.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    let root = Root::open(Path::new(&format!("/proc/{}/root", process.pid)))?;
    // Else it is of whoever has got the pid since.
    is_it().then_some(root).ok_or_else(gone)
}

/// By descriptors on both sides: neither a link in the volume nor one in the tree leads elsewhere.
fn bind_in(root: &Root, bind: &Bind) -> Result<()> {
    let source = match &bind.subpath {
        Some(subpath) => Root::open(&bind.source)?.open_path(subpath)?,
        None => rustix::fs::open(&bind.source, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
            .context(|| bind.source.display().to_string())?,
    };
    let stat = rustix::fs::fstat(&source).context(|| bind.source.display().to_string())?;
    let target = match target_in(root, &bind.destination, &stat) {
        Err(error) if error.message.contains("read-only file system") => return Ok(()),
        result => result?,
    };
    let mount = Mount {
        kind: "bind".into(),
        source: format!("/proc/self/fd/{}", source.as_raw_fd()),
        options: vec![
            "rbind".into(),
            if bind.read_only { "ro" } else { "rw" }.into(),
        ],
    };
    bind_on(&mount, target.as_fd())
}

/// The place to mount on, made if it is not there, as the supervisor would.
fn target_in(root: &Root, path: &Path, source: &Stat) -> Result<OwnedFd> {
    match root.open_path(path) {
        Err(error) if error.code == Code::NotFound => {}
        result => return result,
    }
    if FileType::from_raw_mode(source.st_mode) == FileType::Directory {
        root.mkdir_all(path, Mode::from_raw_mode(0o755))?;
    } else {
        if let Some(parent) = path.parent() {
            root.mkdir_all(parent, Mode::from_raw_mode(0o755))?;
        }
        root.create(path, Mode::from_raw_mode(0o644))?;
    }
    root.open_path(path)
}

/// A bind mount of a directory shows what the directory shows: no need to make it.
fn plain_directory(mount: &Mount, access: Access) -> Option<&Path> {
    let is_bind = mount.kind == "bind"
        || mount
            .options
            .iter()
            .any(|option| option == "bind" || option == "rbind");
    let known = |option: &String| match option.as_str() {
        "bind" | "rbind" | "rw" => true,
        "ro" => access == Access::Read,
        _ => false,
    };
    (is_bind && mount.options.iter().all(known)).then(|| Path::new(&mount.source))
}
