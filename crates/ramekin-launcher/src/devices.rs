//! The device rules of cgroup v2, which libcontainer leaves out unless it is built with libbpf.

use std::error::Error;
use std::fs;
use std::path::Path;

use libcontainer::oci_spec::runtime::{LinuxDeviceCgroup, LinuxDeviceType, Spec};
use ramekin_sys::device_filter::{attach, Kind, Rule, ALL, MKNOD, READ, WRITE};

/// After the container is made and before its program runs. Nothing to do where cgroup v1 has a say, where the container
/// shares our own group, and in a user namespace, in which no device node can be opened anyway.
pub fn restrict(spec: &Spec, init: i32) -> Result<(), Box<dyn Error>> {
    let (theirs, ours) = (
        fs::read_to_string(format!("/proc/{init}/cgroup"))?,
        fs::read_to_string("/proc/self/cgroup")?,
    );
    let Some(path) = unified_path(&theirs).filter(|path| unified_path(&ours) != Some(path)) else {
        return Ok(());
    };
    let given = spec
        .linux()
        .as_ref()
        .and_then(|linux| linux.resources().as_ref())
        .and_then(|resources| resources.devices().clone());
    let mut rules: Vec<Rule> = given.iter().flatten().map(rule).collect();
    let everything = rules.last().is_some_and(|last| {
        *last
            == Rule {
                allow: true,
                kind: None,
                major: None,
                minor: None,
                access: ALL,
            }
    });
    if !everything {
        rules.extend(defaults());
    }
    let group = Path::new("/sys/fs/cgroup").join(path.trim_start_matches('/'));
    match attach(&group, &rules) {
        Err(error) if error.raw_os_error() == Some(libc::EPERM) && in_user_namespace() => Ok(()),
        result => {
            result.map_err(|error| format!("device rules for {}: {error}", group.display()).into())
        }
    }
}

/// `None` where the devices controller is one of cgroup v1.
fn unified_path(cgroup: &str) -> Option<&str> {
    let has_v1 = cgroup.lines().any(|line| {
        line.split(':')
            .nth(1)
            .is_some_and(|names| names.split(',').any(|name| name == "devices"))
    });
    cgroup
        .lines()
        .find_map(|line| line.strip_prefix("0::"))
        .filter(|_| !has_v1)
}

/// What every container needs, and nothing that it could do harm with (no 10:200, tun): any node may be made, these opened.
fn defaults() -> impl Iterator<Item = Rule> {
    let nodes = [Kind::Block, Kind::Char].map(|kind| Rule {
        allow: true,
        kind: Some(kind),
        major: None,
        minor: None,
        access: MKNOD,
    });
    let numbers = [
        (1, Some(3)),
        (1, Some(5)),
        (1, Some(7)),
        (1, Some(8)),
        (1, Some(9)),
        (5, Some(0)),
        (5, Some(1)),
        (5, Some(2)),
        (136, None),
    ];
    let usable = numbers.map(|(major, minor)| Rule {
        allow: true,
        kind: Some(Kind::Char),
        major: Some(major),
        minor,
        access: ALL,
    });
    nodes.into_iter().chain(usable)
}

fn rule(given: &LinuxDeviceCgroup) -> Rule {
    let number = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok());
    let access = given.access().as_deref().unwrap_or("rwm");
    Rule {
        allow: given.allow(),
        kind: match given.typ() {
            Some(LinuxDeviceType::B) => Some(Kind::Block),
            Some(LinuxDeviceType::C | LinuxDeviceType::U) => Some(Kind::Char),
            _ => None,
        },
        major: number(given.major()),
        minor: number(given.minor()),
        access: [('r', READ), ('w', WRITE), ('m', MKNOD)]
            .iter()
            .filter(|(letter, _)| access.contains(*letter))
            .map(|(_, bit)| bit)
            .sum(),
    }
}

fn in_user_namespace() -> bool {
    let initial = |map: String| map.split_whitespace().eq(["0", "0", "4294967295"]);
    !fs::read_to_string("/proc/self/uid_map").is_ok_and(initial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cgroup_v1_has_the_last_word_where_it_has_devices() {
        assert_eq!(unified_path("0::/ramekin/x\n"), Some("/ramekin/x"));
        assert_eq!(unified_path("5:devices:/ramekin/x\n0::/ramekin/x\n"), None);
    }

    #[test]
    fn tunnels_are_not_among_the_defaults() {
        assert!(!defaults().any(|rule| rule.major == Some(10)));
        assert!(defaults()
            .all(|rule| rule.allow && (rule.access == MKNOD || rule.kind == Some(Kind::Char))));
    }
}
