//! What it may use, from its control group: v2 in one folder, v1 in one per controller (cgroups(7)).

use std::fs;
use std::path::Path;

/// Absent: no limit that can be seen from here.
#[derive(Debug, Default, PartialEq)]
pub struct Limits {
    pub memory: Option<u64>,
    pub pids: Option<u64>,
    /// In thousandths of a CPU.
    pub cpu: Option<u64>,
}

/// v1 has no word for "none"; it says a number that no machine has.
const UNLIMITED: u64 = 1 << 60;

pub fn read() -> Limits {
    let membership = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let root = Path::new("/sys/fs/cgroup");
    // what a namespace shows as the root is the group itself; without one the whole path is there
    let value = |controllers: &[&str], file: &str| -> Option<String> {
        controllers.iter().find_map(|controller| {
            let folder = root.join(controller);
            let below = path_of(&membership, controller).trim_start_matches('/');
            fs::read_to_string(folder.join(below).join(file))
                .or_else(|_| fs::read_to_string(folder.join(file)))
                .ok()
        })
    };
    let v2 = |file: &str| value(&[""], file);
    Limits {
        memory: v2("memory.max")
            .or_else(|| value(&["memory"], "memory.limit_in_bytes"))
            .and_then(|text| number(&text)),
        pids: v2("pids.max")
            .or_else(|| value(&["pids"], "pids.max"))
            .and_then(|text| number(&text)),
        cpu: v2("cpu.max").and_then(|text| bandwidth(&text)).or_else(|| {
            let folders = ["cpu", "cpu,cpuacct"];
            let quota = value(&folders, "cpu.cfs_quota_us")?;
            let period = value(&folders, "cpu.cfs_period_us")?;
            bandwidth(&format!("{} {}", quota.trim(), period.trim()))
        }),
    }
}

pub fn describe(limits: &Limits) -> String {
    let memory = limits
        .memory
        .map(|bytes| format!("{} of memory", size(bytes)));
    let pids = limits.pids.map(|count| format!("{count} processes"));
    let cpu = limits
        .cpu
        .map(|thousandths| format!("{} CPUs", thousandths as f64 / 1000.0));
    let all: Vec<String> = [memory, pids, cpu].into_iter().flatten().collect();
    match all.len() {
        0 => "none: memory, processes and CPUs as your machine has them".to_string(),
        _ => all.join(", "),
    }
}

/// `hierarchy:controllers:path` per line; v2 has no controllers.
fn path_of<'a>(membership: &'a str, controller: &str) -> &'a str {
    membership
        .lines()
        .filter_map(|line| {
            line.splitn(3, ':')
                .skip(1)
                .collect::<Vec<_>>()
                .try_into()
                .ok()
        })
        .find(|[controllers, _]: &[&str; 2]| {
            *controllers == controller
                || controllers
                    .split(',')
                    .any(|each| each == controller && !each.is_empty())
        })
        .map_or("", |[_, path]| path)
}

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|&value| value < UNLIMITED)
}

/// `quota period`, in microseconds; a quota of `max` or -1 is none.
fn bandwidth(text: &str) -> Option<u64> {
    let (quota, period) = text.trim().split_once(' ')?;
    let quota: u64 = quota.parse().ok()?;
    let period: u64 = period.parse().ok().filter(|&period| period > 0)?;
    Some(quota * 1000 / period)
}

fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    if bytes >= 1 << 30 && bytes.trailing_zeros() >= 30 {
        format!("{} GiB", bytes >> 30)
    } else if bytes >= MIB {
        format!("{} MiB", bytes / MIB)
    } else {
        format!("{} KiB", bytes / 1024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_mean_none() {
        assert_eq!(number("67108864\n"), Some(64 << 20));
        assert_eq!(number("max\n"), None);
        assert_eq!(number("9223372036854771712\n"), None);
    }

    #[test]
    fn cpu_bandwidth() {
        assert_eq!(bandwidth("150000 100000\n"), Some(1500));
        assert_eq!(bandwidth("max 100000\n"), None);
        assert_eq!(bandwidth("-1 100000"), None);
    }

    #[test]
    fn finds_its_group() {
        let membership = "5:cpu,cpuacct:/a\n3:memory:/b\n0::/c\n";
        assert_eq!(path_of(membership, "memory"), "/b");
        assert_eq!(path_of(membership, "cpuacct"), "/a");
        assert_eq!(path_of(membership, "cpu,cpuacct"), "/a");
        assert_eq!(path_of(membership, ""), "/c");
        assert_eq!(path_of(membership, "pids"), "");
    }

    #[test]
    fn says_it_in_words() {
        assert_eq!(
            describe(&Limits {
                memory: Some(64 << 20),
                pids: Some(100),
                cpu: Some(1500)
            }),
            "64 MiB of memory, 100 processes, 1.5 CPUs"
        );
        assert!(describe(&Limits::default()).starts_with("none"));
    }
}
