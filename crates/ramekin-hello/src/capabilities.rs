//! What it may do: capabilities(7), no_new_privs and seccomp(2), from /proc/self/status.

use crate::process::field;

/// By number, linux/capability.h.
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

const WIDTH: usize = 62;

pub fn describe(status: &str) -> Vec<String> {
    let names = effective(status);
    let mut lines = match names.len() {
        0 => vec!["no capabilities".to_string()],
        count => {
            let mut lines = vec![format!("{count} of {} capabilities:", NAMES.len())];
            lines.extend(wrap(&names));
            lines
        }
    };
    let fences: Vec<&str> = [
        (field(status, "Seccomp") == Some("2")).then_some("system calls are filtered"),
        (field(status, "NoNewPrivs") == Some("1")).then_some("no new privileges can be gained"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !fences.is_empty() {
        lines.push(fences.join(", "));
    }
    lines
}

fn effective(status: &str) -> Vec<&'static str> {
    let bits = field(status, "CapEff")
        .and_then(|hex| u64::from_str_radix(hex, 16).ok())
        .unwrap_or(0);
    NAMES
        .iter()
        .enumerate()
        .filter(|(bit, _)| bits & (1 << bit) != 0)
        .map(|(_, name)| *name)
        .collect()
}

fn wrap(names: &[&str]) -> Vec<String> {
    let mut lines = vec![String::new()];
    for name in names {
        let last = lines.last_mut().expect("there is always one");
        if last.is_empty() {
            last.push_str(name);
        } else if last.len() + 1 + name.len() <= WIDTH {
            last.push(' ');
            last.push_str(name);
        } else {
            lines.push((*name).to_string());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_bits() {
        assert_eq!(effective("CapEff:\t0000000000000021\n"), ["chown", "kill"]);
        assert_eq!(
            effective("CapEff:\t00000000a80425fb\n").len(),
            14,
            "Docker's default set"
        );
        assert_eq!(describe("CapEff:\t0000000000000000\n"), ["no capabilities"]);
    }

    #[test]
    fn says_what_fences_it_in() {
        let lines = describe("CapEff:\t0\nNoNewPrivs:\t1\nSeccomp:\t2\n");
        assert_eq!(
            lines[1],
            "system calls are filtered, no new privileges can be gained"
        );
    }

    #[test]
    fn long_lists_are_broken() {
        let lines = wrap(&NAMES);
        assert!(lines.iter().all(|line| line.len() <= WIDTH));
        assert_eq!(lines.join(" "), NAMES.join(" "));
    }
}
