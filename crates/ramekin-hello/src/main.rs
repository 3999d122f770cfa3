//! The program of the image `ramekin/hello`: greets, and shows the container it is in.
//!
//! It is alone in its root file system, so it asks nobody but the kernel, and depends on nothing but `std`.

mod capabilities;
mod limits;
mod mounts;
mod process;

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let style = Style {
        on: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    };
    let command = std::env::var("RAMEKIN_COMMAND").unwrap_or_else(|_| "ramekin".to_string());
    let text = greeting(&Facts::gather(), &command, &style);
    // a reader that has gone is no reason to complain
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What is worth showing; each line is ready to print.
struct Facts {
    rows: Vec<(&'static str, Vec<String>)>,
}

impl Facts {
    fn gather() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let status = read("/proc/self/status");
        let mountinfo = read("/proc/self/mountinfo");
        let rows = vec![
            ("process", vec![process::describe(&status)]),
            ("user", vec![process::user(&status)]),
            ("host name", vec![line(&read("/proc/sys/kernel/hostname"))]),
            ("kernel", vec![kernel(&read("/proc/sys/kernel/osrelease"))]),
            ("files", mounts::describe(&mountinfo)),
            ("network", vec![network(&read("/proc/net/dev"))]),
            ("limits", vec![limits::describe(&limits::read())]),
            ("rights", capabilities::describe(&status)),
        ];
        Facts { rows }
    }
}

/// Escape sequences, or nothing where nobody would see them.
struct Style {
    on: bool,
}

impl Style {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_string()
        }
    }
}

const NAME_WIDTH: usize = 10;

/// `command` is how one types ramekin where this was started.
fn greeting(facts: &Facts, command: &str, style: &Style) -> String {
    let mut text = format!(
        "\n  {}\n\n  This is a program in a container of its own. No daemon started it, nothing was\n  downloaded, and it sees only what it was given:\n\n",
        style.paint("1;33", "Hello from Ramekin!")
    );
    for (name, lines) in &facts.rows {
        for (index, line) in lines.iter().enumerate() {
            let name = if index == 0 { *name } else { "" };
            let padded = format!("{name:NAME_WIDTH$}");
            text += &format!("    {}  {line}\n", style.paint("36", &padded));
        }
    }
    text += "\n  What to try next:\n\n";
    let commands: Vec<String> = NEXT
        .iter()
        .map(|(arguments, _)| format!("{command} {arguments}"))
        .collect();
    let width = commands.iter().map(String::len).max().unwrap_or(0);
    for (command, (_, meaning)) in commands.iter().zip(NEXT) {
        text += &format!(
            "    {}  {}\n",
            style.paint("1", &format!("{command:<width$}")),
            style.paint("2", meaning)
        );
    }
    text += "\n";
    text
}

/// What follows the command, and what it does.
const NEXT: [(&str, &str); 4] = [
    ("run --rm -it debian bash", "a shell in a fresh Debian"),
    (
        "run --rm -m 64m --read-only ramekin/hello",
        "this, on a short leash",
    ),
    ("doctor", "what works on this machine"),
    ("--help", "everything else"),
];

fn line(text: &str) -> String {
    match text.trim() {
        "" => "unknown".to_string(),
        text => text.to_string(),
    }
}

fn kernel(release: &str) -> String {
    format!(
        "Linux {} on {}, your machine's own",
        line(release),
        std::env::consts::ARCH
    )
}

/// From /proc/net/dev: two lines of headings, then `name: counters`.
fn network(devices: &str) -> String {
    let names: Vec<&str> = devices
        .lines()
        .skip(2)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name.trim())
        .collect();
    match names.as_slice() {
        [] => "none".to_string(),
        ["lo"] => "lo alone: it can talk to nobody but itself".to_string(),
        names => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_network_devices() {
        let head = "Inter-|   Receive\n face |bytes\n";
        assert_eq!(
            network(&format!("{head}    lo:  0 0\n  eth0: 1 2\n")),
            "lo, eth0"
        );
        assert_eq!(
            network(&format!("{head}    lo:  0 0\n")),
            "lo alone: it can talk to nobody but itself"
        );
        assert_eq!(network(""), "none");
    }

    #[test]
    fn colours_only_where_they_are_seen() {
        let facts = Facts {
            rows: vec![("process", vec!["pid 1".to_string(), "more".to_string()])],
        };
        let plain = greeting(&facts, "ramekin", &Style { on: false });
        assert!(!plain.contains('\x1b'));
        assert!(
            greeting(&facts, "npm start --", &Style { on: false }).contains("npm start -- doctor")
        );
        assert!(plain.contains("    process     pid 1\n                more\n"));
        assert!(greeting(&facts, "ramekin", &Style { on: true })
            .contains("\x1b[1;33mHello from Ramekin!\x1b[0m"));
        assert!(
            plain.lines().all(|line| line.chars().count() <= 84),
            "fits a terminal"
        );
    }
}
