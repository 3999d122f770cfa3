//! What bind mounts of the container show where that is no path of the host: trees out of the storage, directories below a
//! volume, secrets. All of it is mounted below the run directory, in our own mount namespace, and ends with us.

use std::fs;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Component, Path, PathBuf};

use ramekin_sys::mount::{mount_all, mount_one, unmount_all, Mount};
use ramekin_sys::rooted::Root;
use ramekin_sys::userns::Maps;
use ramekin_sys::{idmap, Code, Context, Error, Result};
use rustix::fs::{FileType, Gid, Mode, Uid};
use serde::Deserialize;
use serde_json::{json, Value};

use crate::run_directory::RunDirectory;

/// A kernel buffer's worth is plenty for a secret; Docker and Podman stop at 500 kB.
const MAX_SECRET: u64 = 512 << 10;

/// Core's `MountSource`.
#[derive(Clone, Debug, Deserialize)]
pub struct Source {
    /// Of the mount that it is for.
    pub destination: PathBuf,
    pub mounts: Vec<Mount>,
    /// Put into it when it is mounted.
    #[serde(default)]
    pub files: Vec<SecretFile>,
    /// What of it is shown, resolved within it.
    pub subpath: Option<PathBuf>,
    /// Owners in it are ids of the container's user namespace.
    #[serde(default)]
    pub mapped: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct SecretFile {
    /// On the host.
    pub file: PathBuf,
    /// Below the tree's root; made of names only.
    pub path: PathBuf,
    #[serde(default)]
    pub uid: u32,
    #[serde(default)]
    pub gid: u32,
    pub mode: u32,
}

#[derive(Clone, Debug, Deserialize)]
pub struct SecretVariable {
    pub name: String,
    pub file: PathBuf,
}

/// Mounts them, and has the specification's mounts show them. Done again, it replaces what is there.
pub fn provide(
    sources: &[Source],
    maps: Option<&Maps>,
    run: &RunDirectory,
    spec: &mut Value,
) -> Result<()> {
    if sources.is_empty() {
        return Ok(());
    }
    let directory = run.path("sources");
    fs::create_dir_all(&directory).context(|| directory.display().to_string())?;
    for (number, source) in sources.iter().enumerate() {
        let maps = maps.filter(|_| source.mapped);
        let place = provide_one(source, maps, &directory, number).map_err(|error| Error {
            message: format!("mount {}: {}", source.destination.display(), error.message),
            ..error
        })?;
        let mounts = spec.get_mut("mounts").and_then(Value::as_array_mut);
        for mount in mounts.into_iter().flatten() {
            if mount
                .get("destination")
                .and_then(Value::as_str)
                .map(Path::new)
                == Some(&source.destination)
            {
                mount["type"] = "bind".into();
                mount["source"] = place.to_string_lossy().into_owned().into();
            }
        }
    }
    Ok(())
}

/// So that the run directory can be removed: a mount point cannot.
pub fn forget(run: &RunDirectory) -> Result<()> {
    unmount_all(&run.path("bundle"))?;
    for name in ["sources", "borrowed", "layers"] {
        unmount_below(&run.path(name))?;
    }
    Ok(())
}

fn unmount_below(directory: &Path) -> Result<()> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        result => result.context(|| directory.display().to_string())?,
    };
    for entry in entries {
        let entry = entry.context(|| directory.display().to_string())?;
        unmount_all(&entry.path())?;
    }
    Ok(())
}

fn provide_one(
    source: &Source,
    maps: Option<&Maps>,
    directory: &Path,
    number: usize,
) -> Result<PathBuf> {
    let tree = directory.join(number.to_string());
    unmount_all(&tree)?;
    fs::create_dir_all(&tree).context(|| tree.display().to_string())?;
    match maps {
        Some(maps) => {
            let layers = directory.join(format!("{number}.mapped"));
            unmount_below(&layers)?;
            mount_all(&idmap::mapped(&source.mounts, maps, &layers)?, &tree)?;
            // What is mounted on it holds them.
            unmount_below(&layers)?;
        }
        None => mount_all(&source.mounts, &tree)?,
    }
    let root = Root::open(&tree)?;
    for file in &source.files {
        put(&root, file)?;
    }
    let Some(subpath) = &source.subpath else {
        return Ok(tree);
    };
    // By its descriptor: whatever the volume's users rename meanwhile, it is this one, and in the volume.
    let found = root.open_path(subpath)?;
    let shown = directory.join(format!("{number}.part"));
    let kind = rustix::fs::fstat(&found).context(|| subpath.display().to_string())?;
    unmount_all(&shown)?;
    if FileType::from_raw_mode(kind.st_mode) == FileType::Directory {
        fs::create_dir_all(&shown).context(|| shown.display().to_string())?;
    } else if !shown.exists() {
        fs::File::create(&shown).context(|| shown.display().to_string())?;
    }
    let mount = Mount {
        kind: "bind".into(),
        source: format!("/proc/self/fd/{}", found.as_raw_fd()),
        options: vec!["rbind".into()],
    };
    mount_one(&mount, &shown)?;
    Ok(shown)
}

fn put(root: &Root, secret: &SecretFile) -> Result<()> {
    let content = read(&secret.file)?;
    if !secret
        .path
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        return Err(Error::new(
            Code::InvalidArgument,
            format!("{} is no place for a secret", secret.path.display()),
        ));
    }
    if let Some(parent) = secret.path.parent() {
        root.mkdir_all(parent, Mode::from_raw_mode(0o755))?;
    }
    let mut file = root.create(&secret.path, Mode::from_raw_mode(0o600))?;
    let what = || format!("write secret {}", secret.path.display());
    file.write_all(&content).context(what)?;
    let (uid, gid) = (Uid::from_raw(secret.uid), Gid::from_raw(secret.gid));
    rustix::fs::fchown(file.as_fd(), Some(uid), Some(gid)).context(what)?;
    rustix::fs::fchmod(file.as_fd(), Mode::from_raw_mode(secret.mode)).context(what)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let store = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default();
    Root::open(store)?
        .read_file(Path::new(name), MAX_SECRET)
        .map_err(|error| match error.code {
            Code::NotFound => Error::new(
                Code::NotFound,
                format!(
                    "secret {} is not in the store any more",
                    name.to_string_lossy()
                ),
            ),
            _ => error,
        })
}

/// Adds them to the process, whose specification is then kept from the disk: `bundle` becomes a file system of its own.
pub fn add_variables(variables: &[SecretVariable], bundle: &Path, spec: &mut Value) -> Result<()> {
    if variables.is_empty() {
        return Ok(());
    }
    unmount_all(bundle)?;
    let memory = Mount {
        kind: "tmpfs".into(),
        source: "tmpfs".into(),
        options: vec!["nosuid".into(), "nodev".into(), "mode=0700".into()],
    };
    mount_one(&memory, bundle)?;
    set_variables(variables, &mut spec["process"])
}

/// Into the environment of a process.
pub fn set_variables(variables: &[SecretVariable], process: &mut Value) -> Result<()> {
    let mut env: Vec<Value> = match process.get_mut("env").map(Value::take) {
        Some(Value::Array(env)) => env,
        _ => Vec::new(),
    };
    for SecretVariable { name, file } in variables {
        let content = read(file)?;
        let value = std::str::from_utf8(&content)
            .ok()
            .filter(|value| !value.contains('\0'))
            .ok_or_else(|| {
                Error::new(
                    Code::InvalidArgument,
                    format!("the secret for the variable {name} is not text"),
                )
            })?;
        let prefix = format!("{name}=");
        env.retain(|entry| {
            !entry
                .as_str()
                .is_some_and(|entry| entry.as_bytes().starts_with(prefix.as_bytes()))
        });
        env.push(format!("{prefix}{value}").into());
    }
    process["env"] = json!(env);
    Ok(())
}
