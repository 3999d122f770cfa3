//! What the kernel refuses to some: to those without CAP_SYS_RESOURCE, and to root of a user namespace. Asking for it all
//! the same would fail; each of these is granted as far as it goes.

use ramekin_sys::userns::IdMap;
use serde_json::{json, Value};

/// Hard limits above our own are lowered to it. `hard`: ours, by the OCI name. What was lowered.
pub fn clamp_limits(process: &mut Value, hard: impl Fn(&str) -> Option<u64>) -> Vec<String> {
    let mut lowered = Vec::new();
    for limit in process
        .get_mut("rlimits")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let Some(name) = limit.get("type").and_then(Value::as_str).map(str::to_owned) else {
            continue;
        };
        let Some(most) = hard(&name) else { continue };
        for side in ["hard", "soft"] {
            if limit
                .get(side)
                .and_then(Value::as_u64)
                .is_some_and(|asked| asked > most)
            {
                limit[side] = most.into();
                lowered.push(format!("{name} {side}"));
            }
        }
    }
    lowered
}

/// A limit that is none has the greatest number of 64 bits, which callers that count in floating point cannot write.
pub fn restore_infinity(process: &mut Value) {
    for limit in process
        .get_mut("rlimits")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        for side in ["hard", "soft"] {
            let number = limit.get(side).and_then(Value::as_f64).unwrap_or(0.0);
            if number < 0.0 || number >= u64::MAX as f64 {
                limit[side] = u64::MAX.into();
            }
        }
    }
}

/// Our own hard limit of that name.
pub fn hard_limit(name: &str) -> Option<u64> {
    let resource = match name {
        "RLIMIT_AS" => libc::RLIMIT_AS,
        "RLIMIT_CORE" => libc::RLIMIT_CORE,
        "RLIMIT_CPU" => libc::RLIMIT_CPU,
        "RLIMIT_DATA" => libc::RLIMIT_DATA,
        "RLIMIT_FSIZE" => libc::RLIMIT_FSIZE,
        "RLIMIT_LOCKS" => libc::RLIMIT_LOCKS,
        "RLIMIT_MEMLOCK" => libc::RLIMIT_MEMLOCK,
        "RLIMIT_MSGQUEUE" => libc::RLIMIT_MSGQUEUE,
        "RLIMIT_NICE" => libc::RLIMIT_NICE,
        "RLIMIT_NOFILE" => libc::RLIMIT_NOFILE,
        "RLIMIT_NPROC" => libc::RLIMIT_NPROC,
        "RLIMIT_RSS" => libc::RLIMIT_RSS,
        "RLIMIT_RTPRIO" => libc::RLIMIT_RTPRIO,
        "RLIMIT_RTTIME" => libc::RLIMIT_RTTIME,
        "RLIMIT_SIGPENDING" => libc::RLIMIT_SIGPENDING,
        "RLIMIT_STACK" => libc::RLIMIT_STACK,
        _ => return None,
    };
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` outlives the call.
    (unsafe { libc::getrlimit(resource, &mut limit) } == 0).then_some(limit.rlim_max)
}

/// Whether limits may be raised: CAP_SYS_RESOURCE, and outside of any user namespace.
pub fn may_raise_limits(in_user_namespace: bool) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok());
    const CAP_SYS_RESOURCE: u32 = 24;
    !in_user_namespace && effective.is_some_and(|set| set >> CAP_SYS_RESOURCE & 1 == 1)
}

/// A specification for a container in the user namespace that we have entered.
pub fn adapt(spec: &mut Value, gids: &[IdMap], new_network: bool, cgroup: bool) {
    for mount in spec
        .get_mut("mounts")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        match mount.get("type").and_then(Value::as_str) {
            Some("devpts") => drop_unmapped_group(mount, gids),
            // Only who owns the network namespace may mount a sysfs, which shows its devices.
            Some("sysfs") if !new_network => bind_sys(mount),
            _ => {}
        }
    }
    if let Some(Value::Object(linux)) = spec.get_mut("linux").filter(|_| !cgroup) {
        linux.remove("resources");
        linux.insert("cgroupsPath".into(), crate::no_cgroup::PATH.into());
    }
    // A namespace without maps is the one that we have entered.
    if let Some(Value::Object(linux)) = spec
        .get_mut("linux")
        .filter(|linux| linux.get("uidMappings").is_none())
    {
        if let Some(Value::Array(namespaces)) = linux.get_mut("namespaces") {
            namespaces.retain(|namespace| namespace["type"] != "user");
        }
    }
    if let Some(process) = spec.get_mut("process") {
        adapt_process(process, gids);
    }
}

/// With one gid only, setgroups(2) is forbidden; lowering the out-of-memory score always is.
pub fn adapt_process(process: &mut Value, gids: &[IdMap]) {
    if let (Some(Value::Object(user)), [_]) = (process.get_mut("user"), gids) {
        user.remove("additionalGids");
    }
    if let Value::Object(process) = process {
        process.remove("oomScoreAdj");
    }
}

fn drop_unmapped_group(mount: &mut Value, gids: &[IdMap]) {
    let mapped = |gid: u32| {
        gids.iter()
            .any(|map| gid >= map.container_id && gid - map.container_id < map.size)
    };
    if let Some(Value::Array(options)) = mount.get_mut("options") {
        options.retain(|option| {
            let gid = option
                .as_str()
                .and_then(|option| option.strip_prefix("gid=")?.parse().ok());
            gid.is_none_or(mapped)
        });
    }
}

fn bind_sys(mount: &mut Value) {
    mount["type"] = "bind".into();
    mount["source"] = "/sys".into();
    mount["options"] = json!(["rbind", "nosuid", "noexec", "nodev", "ro"]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_above_ours_are_lowered_and_named() {
        let mut process = json!({ "rlimits": [
            { "type": "RLIMIT_NOFILE", "hard": 100, "soft": 10 }, { "type": "RLIMIT_NPROC", "hard": 5, "soft": 5 }] });
        let lowered = clamp_limits(&mut process, |name| (name == "RLIMIT_NOFILE").then_some(50));
        assert_eq!(lowered, ["RLIMIT_NOFILE hard"]);
        assert_eq!(
            process["rlimits"][0],
            json!({ "type": "RLIMIT_NOFILE", "hard": 50, "soft": 10 })
        );
        assert!(hard_limit("RLIMIT_NOFILE").is_some() && hard_limit("RLIMIT_X").is_none());
    }

    #[test]
    fn a_limit_that_is_none_comes_back_from_floating_point() {
        let mut process: Value =
            serde_json::from_str(r#"{"rlimits":[{"hard":18446744073709552000,"soft":-1},{"hard":18446744073709551615,"soft":7}]}"#)
                .unwrap();
        restore_infinity(&mut process);
        assert_eq!(
            process["rlimits"],
            json!([{ "hard": u64::MAX, "soft": u64::MAX }, { "hard": u64::MAX, "soft": 7 }])
        );
    }

    #[test]
    fn a_user_with_one_id_gets_what_one_id_can_have() {
        let one = [IdMap {
            container_id: 0,
            host_id: 1000,
            size: 1,
        }];
        let mut spec = json!({
            "process": { "user": { "uid": 0, "gid": 0, "additionalGids": [0] }, "oomScoreAdj": -5 },
            "mounts": [{ "type": "devpts", "options": ["newinstance", "gid=5"] }, { "type": "sysfs" }],
            "linux": { "resources": {}, "cgroupsPath": "/x", "namespaces": [{ "type": "user" }, { "type": "pid" }] } });
        adapt(&mut spec, &one, false, false);
        assert_eq!(spec["mounts"][0]["options"], json!(["newinstance"]));
        assert_eq!(spec["mounts"][1]["source"], "/sys");
        assert_eq!(spec["process"], json!({ "user": { "uid": 0, "gid": 0 } }));
        assert_eq!(
            spec["linux"],
            json!({ "cgroupsPath": "/ramekin-pretended", "namespaces": [{ "type": "pid" }] })
        );
    }

    #[test]
    fn a_range_of_ids_keeps_groups() {
        let many = [
            IdMap {
                container_id: 0,
                host_id: 1000,
                size: 1,
            },
            IdMap {
                container_id: 1,
                host_id: 100_000,
                size: 65_536,
            },
        ];
        let mut spec = json!({ "process": { "user": { "additionalGids": [10] } }, "mounts": [{ "type": "devpts", "options": ["gid=5"] }, { "type": "sysfs" }] });
        adapt(&mut spec, &many, true, true);
        assert_eq!(spec["mounts"][0]["options"], json!(["gid=5"]));
        assert_eq!(spec["mounts"][1]["type"], "sysfs");
        assert_eq!(spec["process"]["user"]["additionalGids"], json!([10]));
    }
}
