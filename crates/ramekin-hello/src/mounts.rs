//! What it sees of files, from /proc/self/mountinfo (proc(5)).

/// Mounted into every container; not worth a line.
const USUAL: [&str; 5] = ["/proc", "/dev", "/sys", "/etc/hosts", "/etc/resolv.conf"];

#[derive(Debug, PartialEq)]
struct Mount {
    target: String,
    kind: String,
    read_only: bool,
}

pub fn describe(mountinfo: &str) -> Vec<String> {
    let mounts: Vec<Mount> = mountinfo.lines().filter_map(parse).collect();
    let how = |mount: &Mount| {
        if mount.read_only {
            "read-only"
        } else {
            "writable"
        }
    };
    // a later mount on the same place covers the earlier
    let mut lines: Vec<String> = mounts
        .iter()
        .rev()
        .find(|mount| mount.target == "/")
        .map_or_else(Vec::new, |root| {
            vec![format!(
                "/ is {} ({}), with one file in it: this program",
                how(root),
                root.kind
            )]
        });
    let own: Vec<&Mount> = mounts
        .iter()
        .filter(|mount| mount.target != "/" && !is_usual(&mount.target))
        .collect();
    lines.extend(
        own.iter()
            .map(|mount| format!("{} is {} ({})", mount.target, how(mount), mount.kind)),
    );
    let usual =
        mounts.len() - own.len() - usize::from(!lines.is_empty() && lines.len() > own.len());
    if usual > 0 {
        lines.push(format!(
            "and {usual} mounts that every container has, such as /proc and /dev"
        ));
    }
    if lines.is_empty() {
        lines.push("unknown".to_string());
    }
    lines
}

fn is_usual(target: &str) -> bool {
    target == "/etc/hostname"
        || USUAL.iter().any(|usual| {
            target == *usual
                || target
                    .strip_prefix(usual)
                    .is_some_and(|rest| rest.starts_with('/'))
        })
}

/// `36 35 98:0 /root /target options optional… - type source options`; the target is escaped in octal.
fn parse(line: &str) -> Option<Mount> {
    let (head, tail) = line.split_once(" - ")?;
    let mut fields = head.split(' ').skip(4);
    let target = unescape(fields.next()?);
    let options = fields.next()?;
    let mut tail = tail.split(' ');
    let kind = tail.next()?.to_string();
    let super_options = tail.nth(1).unwrap_or("");
    let is_read_only = |options: &str| options.split(',').any(|option| option == "ro");
    Some(Mount {
        target,
        kind,
        read_only: is_read_only(options) || is_read_only(super_options),
    })
}

/// `\040` is a space.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let octal = after
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(byte) if first == b'\\' => {
                bytes.push(byte);
                rest = &after[3..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "36 35 0:42 / / rw,relatime - overlay overlay rw,lowerdir=/a";
    const DATA: &str = "40 36 8:1 /src /my\\040data ro,relatime master:3 - ext4 /dev/sda1 rw";
    const PROC: &str = "41 36 0:50 / /proc rw,nosuid - proc proc rw";

    #[test]
    fn reads_a_line() {
        let mount = parse(DATA).expect("a mount");
        assert_eq!(
            (mount.target.as_str(), mount.kind.as_str(), mount.read_only),
            ("/my data", "ext4", true)
        );
    }

    #[test]
    fn shows_what_is_special() {
        assert_eq!(
            describe(&format!("{ROOT}\n{PROC}\n{DATA}\n")),
            [
                "/ is writable (overlay), with one file in it: this program",
                "/my data is read-only (ext4)",
                "and 1 mounts that every container has, such as /proc and /dev",
            ]
        );
        assert_eq!(describe(""), ["unknown"]);
    }

    #[test]
    fn only_whole_names_are_usual() {
        assert!(is_usual("/dev/shm") && is_usual("/proc"));
        assert!(!is_usual("/device") && !is_usual("/etc"));
    }
}
