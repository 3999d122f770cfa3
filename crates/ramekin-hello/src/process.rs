//! Who this program is, from /proc/self/status (proc(5)).

/// The value of one `Name:\tvalue` line.
pub fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

/// `pid 1, as it sees itself`.
pub fn describe(status: &str) -> String {
    match field(status, "Pid") {
        Some("1") => "pid 1: the first process here, and the only one".to_string(),
        Some(pid) => format!("pid {pid}"),
        None => format!("pid {}", std::process::id()),
    }
}

/// `Uid:` and `Gid:` hold real, effective, saved and file system ids.
pub fn user(status: &str) -> String {
    let effective = |name| field(status, name).and_then(|ids| ids.split_whitespace().nth(1));
    let uid = effective("Uid").unwrap_or("?");
    let gid = effective("Gid").unwrap_or("?");
    let name = if uid == "0" { "root " } else { "" };
    format!("{name}(uid {uid}, gid {gid})").trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\thello\nPid:\t1\nPPid:\t0\nUid:\t0\t1000\t0\t0\nGid:\t0\t0\t0\t0\n";

    #[test]
    fn reads_whole_names_only() {
        assert_eq!(field(STATUS, "Pid"), Some("1"));
        assert_eq!(field(STATUS, "PP"), None);
    }

    #[test]
    fn the_effective_user_counts() {
        assert_eq!(user(STATUS), "(uid 1000, gid 0)");
        assert_eq!(
            user("Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n"),
            "root (uid 0, gid 0)"
        );
    }

    #[test]
    fn says_when_it_is_the_first_process() {
        assert!(describe(STATUS).starts_with("pid 1:"));
        assert_eq!(describe("Pid:\t7\n"), "pid 7");
    }
}
