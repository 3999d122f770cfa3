//! After a container: core's `CleanupOperation`s. Each may be run again, and a failure does not stop the rest.

mod address;
mod link;
mod name;
mod program;
mod volume;

use std::fs;
use std::path::Path;
use std::time::Duration;

use ramekin_sys::cgroup::Cgroup;
use ramekin_sys::rooted::Root;
use ramekin_sys::{mount, tree, Context, Error, Result};

use crate::config::{CleanupOperation, Config};
use crate::events;
use crate::launcher::Launcher;
use crate::no_cgroup;
use crate::run_directory::RunDirectory;
use crate::sources;

const CGROUP_PATIENCE: Duration = Duration::from_secs(5);

/// Everything that follows the exit status: the launcher's `delete`, the root's mounts, the list. Failures are reported.
pub fn after_exit(config: &Config, run: &RunDirectory, launcher: &Launcher) {
    forget_container(config, run, launcher);
    for operation in &config.cleanup {
        note(label(operation), perform(operation, run));
    }
}

/// What the launcher knows of the container, and the root.
pub fn forget_container(config: &Config, run: &RunDirectory, launcher: &Launcher) {
    if config.userns.is_some() {
        note("remove the pretended cgroups", no_cgroup::stop_pretending());
    }
    forget_launched(config, run, launcher);
    forget_root(run);
}

/// What there is of one run of a container that will run again: the next finds what the first has found.
pub fn forget_run(config: &Config, run: &RunDirectory, launcher: &Launcher) {
    let pretended = no_cgroup::is_for(config);
    if pretended {
        note("remove the pretended cgroups", no_cgroup::stop_pretending());
    }
    forget_launched(config, run, launcher);
    if pretended {
        note("pretend cgroups", no_cgroup::pretend());
    }
}

fn forget_launched(config: &Config, run: &RunDirectory, launcher: &Launcher) {
    note("delete by the launcher", forget(run, launcher, &config.id));
    // A launcher removes the group that it has made, and fails at one in which the container has made others.
    if let Some(path) = config.cgroup.as_deref() {
        let cgroup = Cgroup::find(path).context(|| "cgroups");
        note(
            "remove the control group",
            cgroup.and_then(|cgroup| cgroup.remove(CGROUP_PATIENCE)),
        );
    }
}

/// Before there was a launcher, or after.
pub fn forget_root(run: &RunDirectory) {
    note("unmount the root", mount::unmount_all(&run.path("rootfs")));
    note("unmount what mounts showed", sources::forget(run));
}

fn forget(run: &RunDirectory, launcher: &Launcher, id: &str) -> Result<()> {
    match run.path("launcher").join(id).exists() {
        true => launcher.run("delete", &["--force"]),
        false => Ok(()),
    }
}

fn note(what: &str, result: Result<()>) {
    if let Err(error) = result {
        crate::report(format_args!("cleanup: {what}: {error}"));
    }
}

fn perform(operation: &CleanupOperation, run: &RunDirectory) -> Result<()> {
    match operation {
        CleanupOperation::Unmount { path } => run.in_every_namespace(|| mount::unmount_all(path)),
        CleanupOperation::RemoveTree { root, path } => match Root::open(root) {
            Ok(root) => tree::remove_tree(&root, path),
            Err(error) => absent_is_done(error),
        },
        CleanupOperation::DeleteLink { name } => link::delete(name),
        CleanupOperation::DeleteNetns { path } => {
            run.in_every_namespace(|| mount::unmount_all(path))?;
            unlink(path)
        }
        CleanupOperation::RemoveCgroup { path } => Cgroup::find(path)
            .context(|| "cgroups")?
            .remove(CGROUP_PATIENCE),
        CleanupOperation::AppendEvent { directory, event } => {
            events::append(directory, event.clone())
        }
        CleanupOperation::FreeAddress {
            pool,
            address,
            holder,
        } => address::free(pool, address, holder),
        CleanupOperation::ReleaseVolume { directory, holder } => volume::release(directory, holder),
        CleanupOperation::ReleaseName { path, holder } => name::release(path, holder),
        CleanupOperation::Exec { argv, timeout_ms } => {
            program::run(argv, Duration::from_millis(*timeout_ms))
        }
    }
}

fn label(operation: &CleanupOperation) -> &'static str {
    match operation {
        CleanupOperation::Unmount { .. } => "unmount",
        CleanupOperation::RemoveTree { .. } => "remove-tree",
        CleanupOperation::DeleteLink { .. } => "delete-link",
        CleanupOperation::DeleteNetns { .. } => "delete-netns",
        CleanupOperation::RemoveCgroup { .. } => "remove-cgroup",
        CleanupOperation::AppendEvent { .. } => "append-event",
        CleanupOperation::FreeAddress { .. } => "free-address",
        CleanupOperation::ReleaseVolume { .. } => "release-volume",
        CleanupOperation::ReleaseName { .. } => "release-name",
        CleanupOperation::Exec { .. } => "exec",
    }
}

fn absent_is_done(error: Error) -> Result<()> {
    match error.code {
        ramekin_sys::Code::NotFound => Ok(()),
        _ => Err(error),
    }
}

fn unlink(path: &Path) -> Result<()> {
    fs::remove_file(path)
        .context(|| format!("remove {}", path.display()))
        .or_else(absent_is_done)
}
