//! Everything before the launcher: namespaces, the root file system, users, mount targets, the final bundle.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

use ramekin_sys::rooted::Root;
use ramekin_sys::{idmap, mount, passwd, userns, Code, Context, Error, Result};
use rustix::fs::{FileType, Mode};
use serde_json::Value;

use crate::config::Config;
use crate::run_directory::RunDirectory;
use crate::{borrowed, no_cgroup, partners, sources, spec, unprivileged};

/// What the supervisor keeps of the specification.
#[derive(Debug)]
pub struct Prepared {
    /// The root, for looking up users of later processes.
    pub root: Root,
    pub first: Final,
}

/// What the final specification says of the first process and its surroundings.
#[derive(Clone, Copy, Debug)]
pub struct Final {
    pub new_network: bool,
    /// The launcher runs programs of the caller's around the container's start.
    pub hooks: bool,
    /// The processes die with the first one: the kernel sees to that.
    pub own_pids: bool,
    /// For the ownership of pipes; `None` where ids are mapped.
    pub uid: Option<u32>,
    pub console_size: Option<(u16, u16)>,
}

pub fn prepare(config: &Config, run: &RunDirectory) -> Result<Prepared> {
    match &config.userns {
        Some(maps) => {
            userns::enter(maps)?;
            mount::make_slave()?;
        }
        None => mount::unshare_namespace()?,
    }
    let root_path = run.path("rootfs");
    fs::create_dir_all(&root_path).context(|| root_path.display().to_string())?;
    if config.rootfs.is_empty() {
        let spec = read_spec(&config.bundle.join("config.json"))?;
        let given = spec
            .get("root")
            .and_then(|root| root.get("path"))
            .and_then(Value::as_str)
            .unwrap_or("rootfs");
        let source = config.bundle.join(given).to_string_lossy().into_owned();
        mount::mount_one(
            &mount::Mount {
                kind: "bind".into(),
                source,
                options: vec!["rbind".into()],
            },
            &root_path,
        )?;
    } else if let Some(maps) = &config.id_map {
        let mounts = idmap::mapped(&config.rootfs, maps, &run.path("layers"))?;
        mount::mount_all(&mounts, &root_path)?;
    } else {
        mount::mount_all(&config.rootfs, &root_path)?;
    }
    if no_cgroup::is_for(config) {
        no_cgroup::pretend()?;
    }
    let root = Root::open(&root_path)?;
    let first = write_bundle(config, run, &root)?;
    Ok(Prepared { root, first })
}

/// The final bundle, from the given one and the root as they are now: before each run.
pub fn write_bundle(config: &Config, run: &RunDirectory, root: &Root) -> Result<Final> {
    let mut spec = read_spec(&config.bundle.join("config.json"))?;
    spec::relocate(&mut spec, &config.bundle, &run.path("rootfs"));
    partners::join(&config.partners, &mut spec)?;
    sources::provide(&config.sources, config.id_map.as_ref(), run, &mut spec)?;
    spec::deny_devices(&mut spec);
    if let (true, Some(process)) = (
        config.user.is_some() || !config.groups.is_empty(),
        spec.get_mut("process"),
    ) {
        identify(root, process, config.user.as_deref(), &config.groups)?;
    }
    if let Some(process @ Value::Object(_)) = spec.get_mut("process") {
        process["terminal"] = config.io.terminal.into();
    }
    let new_network = spec::has_new_namespace(&spec, "network");
    if let Some(maps) = &config.userns {
        let cgroup = config
            .cgroup
            .as_deref()
            .is_some_and(no_cgroup::has_writable_cgroup);
        unprivileged::adapt(&mut spec, &maps.gids, new_network, cgroup);
    }
    if let Some(process) = spec.get_mut("process") {
        limit(process, config.userns.is_some());
    }
    borrowed::provide(run, &mut spec, config.id_map.is_some())?;
    match &config.id_map {
        Some(maps) => idmap::as_root_of(maps, || make_targets(root, &spec))?,
        None => make_targets(root, &spec)?,
    }
    let bundle = run.path("bundle");
    fs::create_dir_all(&bundle).context(|| bundle.display().to_string())?;
    // Without the secrets that the process itself is about to get: this file is on the disk.
    if let Some(health) = &config.supervision.health {
        let process = spec.get("process").unwrap_or(&Value::Null);
        for (name, args) in health.programs() {
            let file = run.path(name);
            let check = spec::check_process(process, args);
            fs::write(&file, check.to_string()).context(|| file.display().to_string())?;
        }
    }
    sources::add_variables(&config.variables, &bundle, &mut spec)?;
    let file = bundle.join("config.json");
    fs::write(&file, spec.to_string()).context(|| file.display().to_string())?;
    let process = spec.get("process").unwrap_or(&Value::Null);
    Ok(Final {
        new_network,
        hooks: spec.get("hooks").is_some_and(|hooks| !hooks.is_null()),
        own_pids: spec::has_new_namespace(&spec, "pid"),
        uid: (!spec::has_namespace(&spec, "user")).then(|| uid_of(process)),
        console_size: spec::console_size(process),
    })
}

/// Replaces the user of an OCI process by a choice of names; without a user, only adds groups.
pub fn identify(
    root: &Root,
    process: &mut Value,
    user: Option<&str>,
    groups: &[String],
) -> Result<()> {
    let given = || {
        format!(
            "{}:{}",
            uid_of(process),
            process
                .pointer("/user/gid")
                .and_then(Value::as_u64)
                .unwrap_or(0)
        )
    };
    let identity = match user {
        Some(user) => passwd::resolve(root, user, groups)?,
        None => passwd::resolve(root, &given(), groups)?,
    };
    spec::impersonate(process, &identity);
    Ok(())
}

/// Resource limits that we may not raise stay as they are; that is said, and no reason to fail.
pub fn limit(process: &mut Value, in_user_namespace: bool) {
    unprivileged::restore_infinity(process);
    let asked = process
        .get("rlimits")
        .and_then(Value::as_array)
        .is_some_and(|limits| !limits.is_empty());
    if asked && !unprivileged::may_raise_limits(in_user_namespace) {
        let lowered = unprivileged::clamp_limits(process, unprivileged::hard_limit);
        if !lowered.is_empty() {
            crate::report(format_args!(
                "limits kept at ours, which we may not raise: {}",
                lowered.join(", ")
            ));
        }
    }
}

pub fn uid_of(process: &Value) -> u32 {
    process
        .pointer("/user/uid")
        .and_then(Value::as_u64)
        .unwrap_or(0) as u32
}

fn read_spec(file: &Path) -> Result<Value> {
    let text = fs::read(file).context(|| file.display().to_string())?;
    serde_json::from_slice(&text).map_err(|error| {
        Error::new(
            Code::InvalidArgument,
            format!("{}: {error}", file.display()),
        )
    })
}

fn make_targets(root: &Root, spec: &Value) -> Result<()> {
    for place in ["dev", "proc", "sys"] {
        refuse_link(root, Path::new(place))?;
    }
    for target in spec::targets(spec)? {
        let what = "mount target";
        match target.source {
            Some(source) if !is_directory(&source)? => {
                make_file(root, &target.path).map_err(|error| explain(error, what, &target.path))?
            }
            _ => drop(
                make_directory(root, &target.path)
                    .map_err(|error| explain(error, what, &target.path))?,
            ),
        }
    }
    if let Some(cwd) = spec::working_directory(spec) {
        make_directory(root, &cwd).map_err(|error| explain(error, "working directory", &cwd))?;
    }
    Ok(())
}

/// Runtimes stay inside the root where they mount, but make `fd`, `ptmx`, `stdin` … by name, before they enter it: runc 1.1 and
/// libcontainer 0.7 both do so through a link to the host.
fn refuse_link(root: &Root, path: &Path) -> Result<()> {
    let is_link = root
        .stat(path)?
        .is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink);
    match is_link {
        true => Err(Error::new(
            Code::FailedPrecondition,
            format!("/{} of the image is a symbolic link", path.display()),
        )
        .hint("use an image where it is a directory, or not there")),
        false => Ok(()),
    }
}

fn is_directory(source: &Path) -> Result<bool> {
    Ok(fs::metadata(source)
        .context(|| format!("mount source {}", source.display()))?
        .is_dir())
}

fn make_directory(root: &Root, path: &Path) -> Result<OwnedFd> {
    root.mkdir_all(path, Mode::from_raw_mode(0o755))
}

fn make_file(root: &Root, path: &Path) -> Result<()> {
    match root.open_path(path) {
        Ok(found) => match FileType::from_raw_mode(
            rustix::fs::fstat(&found)
                .context(|| path.display().to_string())?
                .st_mode,
        ) {
            FileType::Directory => Err(Error::new(
                Code::FailedPrecondition,
                "is a directory, and what is mounted there is not",
            )),
            _ => Ok(()),
        },
        Err(error) if error.code == Code::NotFound => {
            make_directory(root, path.parent().unwrap_or(Path::new("/")))?;
            match root.create(path, Mode::from_raw_mode(0o644)) {
                // A dangling link: mounting on it would follow it, and there is nothing to mount on.
                Err(error) if error.code == Code::AlreadyExists => {
                    Err(Error::new(Code::FailedPrecondition, "is a dangling link"))
                }
                result => result.map(drop),
            }
        }
        Err(error) => Err(error),
    }
}

fn explain(error: Error, what: &str, path: &Path) -> Error {
    let message = match error.message.contains("read-only file system") {
        true => format!(
            "{what} {} does not exist and the root file system is read-only",
            path.display()
        ),
        false => format!("{what} {}: {}", path.display(), error.message),
    };
    Error { message, ..error }
}
