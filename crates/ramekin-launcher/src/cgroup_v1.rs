//! What libcontainer 0.7 leaves open in cgroup v1: groups mounted read-only are writable, and tunnel devices open.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use libcontainer::oci_spec::runtime::{LinuxDeviceCgroup, LinuxDeviceType, Spec};
use serde_json::{json, Value};

/// Where each hierarchy of version 1 is mounted, with its options.
fn hierarchies() -> std::io::Result<Vec<(PathBuf, String)>> {
    let mountinfo = fs::read_to_string("/proc/self/mountinfo")?;
    Ok(mountinfo
        .lines()
        .filter_map(|line| {
            let (left, right) = line.split_once(" - ")?;
            let mut right = right.split(' ');
            let target = left.split(' ').nth(4)?;
            (right.next()? == "cgroup")
                .then(|| (PathBuf::from(target), right.nth(1).unwrap_or("").to_owned()))
        })
        .collect())
}

/// libcontainer mounts the hierarchies below a read-only mount of type `cgroup` without its options: the container could
/// lift its own limits. So each is named as a read-only path.
pub fn seal_mounts(bundle: &Path) -> Result<(), Box<dyn Error>> {
    let file = bundle.join("config.json");
    let mut spec: Value = serde_json::from_slice(&fs::read(&file)?)?;
    let Some(target) = read_only_cgroup(&spec) else {
        return Ok(());
    };
    let paths: Vec<Value> = hierarchies()?
        .iter()
        .filter_map(|(mount, _)| mount.file_name())
        .map(|name| json!(Path::new(&target).join(name)))
        .collect();
    let Some(linux) = spec.get_mut("linux").and_then(Value::as_object_mut) else {
        return Ok(());
    };
    if paths.is_empty() {
        return Ok(());
    }
    match linux
        .entry("readonlyPaths")
        .or_insert_with(|| json!([]))
        .as_array_mut()
    {
        Some(known) => known.extend(paths),
        None => return Err(format!("{}: linux.readonlyPaths is no list", file.display()).into()),
    }
    Ok(fs::write(&file, serde_json::to_vec(&spec)?)?)
}

fn read_only_cgroup(spec: &Value) -> Option<String> {
    spec.get("mounts")?.as_array()?.iter().find_map(|mount| {
        let read_only = mount
            .get("options")?
            .as_array()?
            .iter()
            .any(|option| option == "ro");
        let is_cgroup = mount.get("type")? == "cgroup";
        (read_only && is_cgroup).then(|| mount.get("destination")?.as_str().map(str::to_owned))?
    })
}

const TUNNEL: (i64, i64) = (10, 200);

/// libcontainer allows its own list of devices after the container's, and tunnels are on it.
pub fn deny_tunnels(spec: &Spec) -> Result<(), Box<dyn Error>> {
    let Some(linux) = spec.linux() else {
        return Ok(());
    };
    let rules = linux
        .resources()
        .as_ref()
        .and_then(|all| all.devices().as_ref());
    let (Some(rules), Some(path)) = (rules, linux.cgroups_path()) else {
        return Ok(());
    };
    if rules
        .iter()
        .rev()
        .find(|rule| covers(rule))
        .is_none_or(LinuxDeviceCgroup::allow)
    {
        return Ok(());
    }
    for (mount, options) in hierarchies()? {
        let group = mount.join(path.strip_prefix("/").unwrap_or(path));
        if options.split(',').any(|option| option == "devices") && group.exists() {
            fs::write(group.join("devices.deny"), "c 10:200 rwm")?;
        }
    }
    Ok(())
}

/// A rule that only lets nodes be made opens nothing.
fn covers(rule: &LinuxDeviceCgroup) -> bool {
    let opens = rule
        .access()
        .as_deref()
        .is_none_or(|access| access.contains(['r', 'w']));
    let matches =
        |number: Option<i64>, wanted| number.is_none_or(|number| number == wanted || number < 0);
    let character = rule.typ() != Some(LinuxDeviceType::B);
    opens && character && matches(rule.major(), TUNNEL.0) && matches(rule.minor(), TUNNEL.1)
}
