//! From the caller's OCI specification to the one that the launcher gets. Pure.

use std::path::{Path, PathBuf};

use ramekin_sys::passwd::Identity;
use ramekin_sys::{Code, Error, Result};
use serde_json::{json, Value};

/// What must exist below the root before the first process runs.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    pub path: PathBuf,
    /// A bind mount of this; anything but a directory gets a file to be mounted on.
    pub source: Option<PathBuf>,
}

/// The root where we have mounted it; bind sources no longer relative to the caller's bundle.
pub fn relocate(spec: &mut Value, bundle: &Path, root: &Path) {
    match spec.get_mut("root") {
        Some(Value::Object(given)) => drop(given.insert("path".into(), path_value(root))),
        _ => spec["root"] = json!({ "path": path_value(root) }),
    }
    for mount in mounts(spec) {
        let bind = is_bind(mount);
        if let Some(Value::String(source)) = mount.get_mut("source").filter(|_| bind) {
            if !source.starts_with('/') {
                *source = bundle.join(&*source).to_string_lossy().into_owned();
            }
        }
    }
}

/// Devices are denied unless allowed: runc sees to that by itself, libcontainer only where there are rules at all.
pub fn deny_devices(spec: &mut Value) {
    let Value::Object(spec) = spec else { return };
    let linux = spec.entry("linux").or_insert_with(|| json!({}));
    if linux.get("resources").is_none_or(Value::is_null) {
        linux["resources"] = json!({});
    }
    if linux["resources"].get("devices").is_none_or(Value::is_null) {
        linux["resources"]["devices"] = json!([{ "allow": false, "access": "rwm" }]);
    }
}

/// The process as that user, with a HOME.
pub fn impersonate(process: &mut Value, identity: &Identity) {
    let Value::Object(process) = process else {
        return;
    };
    let user =
        json!({ "uid": identity.uid, "gid": identity.gid, "additionalGids": identity.groups });
    match process.get_mut("user") {
        Some(Value::Object(given)) => user
            .as_object()
            .into_iter()
            .flatten()
            .for_each(|(key, value)| drop(given.insert(key.clone(), value.clone()))),
        _ => drop(process.insert("user".into(), user)),
    }
    if identity.uid != 0 {
        drop_capabilities(process);
    }
    let env = process.entry("env").or_insert_with(|| json!([]));
    if let Value::Array(env) = env {
        if !env.iter().any(|entry| {
            entry
                .as_str()
                .is_some_and(|entry| entry.starts_with("HOME="))
        }) {
            env.push(format!("HOME={}", identity.home.as_deref().unwrap_or("/")).into());
        }
    }
}

/// As execve(2) would for a user other than root; the bounding set stays, for what set-user-ID programs may get.
fn drop_capabilities(process: &mut serde_json::Map<String, Value>) {
    if let Some(Value::Object(sets)) = process.get_mut("capabilities") {
        for set in ["effective", "permitted", "inheritable", "ambient"] {
            if sets.contains_key(set) {
                sets.insert(set.into(), json!([]));
            }
        }
    }
}

/// The words of a process's command, as events show them.
pub fn command_line(process: &Value) -> String {
    let words = process["args"].as_array().into_iter().flatten();
    words
        .filter_map(Value::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Another program with all that the first process has, but no terminal.
pub fn check_process(first: &Value, args: &[String]) -> Value {
    let mut process = first.clone();
    process["args"] = args.into();
    process["terminal"] = false.into();
    if let Value::Object(fields) = &mut process {
        fields.remove("consoleSize");
    }
    process
}

/// Rows and columns that the process asks for.
pub fn console_size(process: &Value) -> Option<(u16, u16)> {
    let size = process.get("consoleSize")?;
    let side = |name| {
        size.get(name)?
            .as_u64()
            .map(|side| side.min(u16::MAX.into()) as u16)
    };
    Some((side("height")?, side("width")?))
}

/// Destinations below the root file system itself. One below another mount is the launcher's to make, since it would be
/// made in the wrong file system here.
pub fn targets(spec: &Value) -> Result<Vec<Target>> {
    let mut seen: Vec<PathBuf> = Vec::new();
    let mut targets = Vec::new();
    for mount in spec
        .get("mounts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let path = mount
            .get("destination")
            .and_then(Value::as_str)
            .map(Path::new)
            .filter(|path| path.is_absolute());
        let path = path.ok_or_else(|| {
            Error::new(
                Code::InvalidArgument,
                "a mount of config.json without an absolute destination",
            )
        })?;
        if !seen
            .iter()
            .any(|above| path != above && path.starts_with(above))
        {
            let source = mount
                .get("source")
                .and_then(Value::as_str)
                .filter(|_| is_bind(mount))
                .map(PathBuf::from);
            targets.push(Target {
                path: path.into(),
                source,
            });
        }
        seen.push(path.into());
    }
    Ok(targets)
}

/// The working directory, unless a mount provides it.
pub fn working_directory(spec: &Value) -> Option<PathBuf> {
    let cwd = Path::new(spec.get("process")?.get("cwd")?.as_str()?);
    let mounted = spec
        .get("mounts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let below = |mount: &Value| {
        mount
            .get("destination")
            .and_then(Value::as_str)
            .is_some_and(|above| cwd.starts_with(above))
    };
    (cwd.is_absolute() && !mounted.into_iter().any(below)).then(|| cwd.into())
}

/// Whether the container gets a namespace of this type that is new, not joined.
pub fn has_new_namespace(spec: &Value, kind: &str) -> bool {
    namespaces(spec).any(|namespace| {
        namespace["type"] == kind && namespace.get("path").is_none_or(|path| path == "")
    })
}

pub fn has_namespace(spec: &Value, kind: &str) -> bool {
    namespaces(spec).any(|namespace| namespace["type"] == kind)
}

fn namespaces(spec: &Value) -> impl Iterator<Item = &Value> {
    spec.get("linux")
        .and_then(|linux| linux.get("namespaces"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn mounts(spec: &mut Value) -> impl Iterator<Item = &mut Value> {
    spec.get_mut("mounts")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

pub fn is_bind(mount: &Value) -> bool {
    let options = mount
        .get("options")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    mount.get("type").is_some_and(|kind| kind == "bind")
        || options
            .into_iter()
            .any(|option| option == "bind" || option == "rbind")
}

fn path_value(path: &Path) -> Value {
    path.to_string_lossy().into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_moves_and_the_rest_of_it_stays() {
        let mut spec = json!({ "root": { "path": "x", "readonly": true }, "mounts": [
            { "destination": "/a", "type": "bind", "source": "hosts" }, { "destination": "/t", "type": "tmpfs", "source": "tmpfs" }] });
        relocate(&mut spec, Path::new("/b"), Path::new("/run/c/rootfs"));
        assert_eq!(
            spec["root"],
            json!({ "path": "/run/c/rootfs", "readonly": true })
        );
        assert_eq!(
            (&spec["mounts"][0]["source"], &spec["mounts"][1]["source"]),
            (&"/b/hosts".into(), &"tmpfs".into())
        );
    }

    #[test]
    fn a_user_replaces_ids_and_keeps_the_umask() {
        let mut process = json!({ "user": { "uid": 5, "gid": 5, "umask": 18 }, "env": ["A=1"] });
        impersonate(
            &mut process,
            &Identity {
                uid: 1000,
                gid: 10,
                groups: vec![10, 44],
                home: Some("/home/ann".into()),
            },
        );
        assert_eq!(
            process["user"],
            json!({ "uid": 1000, "gid": 10, "additionalGids": [10, 44], "umask": 18 })
        );
        assert_eq!(process["env"], json!(["A=1", "HOME=/home/ann"]));
    }

    #[test]
    fn a_user_other_than_root_has_no_capabilities_and_keeps_the_bounds() {
        let sets = json!({ "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"], "bounding": ["CAP_KILL"] });
        let mut process = json!({ "capabilities": sets });
        let root = Identity {
            uid: 0,
            gid: 0,
            groups: vec![0],
            home: None,
        };
        impersonate(&mut process, &root);
        assert_eq!(process["capabilities"], sets);
        impersonate(&mut process, &Identity { uid: 5, ..root });
        assert_eq!(
            process["capabilities"],
            json!({ "effective": [], "permitted": [], "bounding": ["CAP_KILL"] })
        );
    }

    #[test]
    fn a_home_that_was_given_holds() {
        let mut process = json!({ "env": ["HOME=/x"] });
        impersonate(
            &mut process,
            &Identity {
                uid: 0,
                gid: 0,
                groups: vec![0],
                home: None,
            },
        );
        assert_eq!(process["env"], json!(["HOME=/x"]));
    }

    #[test]
    fn devices_are_denied_where_nobody_said_anything() {
        let denied = json!([{ "allow": false, "access": "rwm" }]);
        let mut spec = json!({});
        deny_devices(&mut spec);
        assert_eq!(spec["linux"]["resources"]["devices"], denied);
        let mut spec =
            json!({ "linux": { "resources": { "devices": [], "pids": { "limit": 5 } } } });
        deny_devices(&mut spec);
        assert_eq!(
            spec["linux"]["resources"],
            json!({ "devices": [], "pids": { "limit": 5 } })
        );
    }

    #[test]
    fn only_targets_in_the_root_itself_are_made_beforehand() {
        let spec = json!({ "mounts": [
            { "destination": "/dev", "type": "tmpfs" }, { "destination": "/dev/pts", "type": "devpts" },
            { "destination": "/etc/hosts", "type": "bind", "source": "/h", "options": ["rbind"] }] });
        let targets = targets(&spec).unwrap();
        assert_eq!(
            targets,
            [
                Target {
                    path: "/dev".into(),
                    source: None
                },
                Target {
                    path: "/etc/hosts".into(),
                    source: Some("/h".into())
                }
            ]
        );
    }

    #[test]
    fn a_working_directory_in_a_mount_is_not_made_in_the_root() {
        let spec =
            json!({ "process": { "cwd": "/data/x" }, "mounts": [{ "destination": "/data" }] });
        assert_eq!(working_directory(&spec), None);
        assert_eq!(
            working_directory(&json!({ "process": { "cwd": "/w" } })),
            Some("/w".into())
        );
    }

    #[test]
    fn a_namespace_with_a_path_is_joined() {
        let spec = json!({ "linux": { "namespaces": [{ "type": "network", "path": "/n" }, { "type": "pid" }] } });
        assert!(
            has_new_namespace(&spec, "pid")
                && !has_new_namespace(&spec, "network")
                && has_namespace(&spec, "network")
        );
    }
}
