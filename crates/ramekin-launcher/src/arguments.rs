//! The OCI runtime command line, as runc has it.

use std::path::PathBuf;

/// `[--root DIR] COMMAND [OPTIONS] ID`.
#[derive(Debug, PartialEq, Eq)]
pub struct Invocation {
    /// Where the states of containers are kept.
    pub root: PathBuf,
    pub command: Command,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    Create {
        id: String,
        bundle: PathBuf,
        pid_file: Option<PathBuf>,
        console_socket: Option<PathBuf>,
        /// So many descriptors from 3 on go to the program.
        preserve_fds: i32,
    },
    Start {
        id: String,
    },
    Exec {
        id: String,
        process: PathBuf,
        pid_file: Option<PathBuf>,
        console_socket: Option<PathBuf>,
    },
    Kill {
        id: String,
        signal: String,
        all: bool,
    },
    Pause {
        id: String,
    },
    Resume {
        id: String,
    },
    Delete {
        id: String,
        force: bool,
    },
    State {
        id: String,
    },
    BuildId,
}

/// Options that take a value; all others are switches.
const VALUED: &[&str] = &[
    "--root",
    "--bundle",
    "-b",
    "--pid-file",
    "--console-socket",
    "--process",
    "-p",
    "--log",
    "--log-format",
    "--preserve-fds",
];

pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Invocation, String> {
    let mut words = Vec::new();
    let mut options: Vec<(String, String)> = Vec::new();
    let mut switches = Vec::new();
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        if !argument.starts_with('-') {
            words.push(argument);
            continue;
        }
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        if !VALUED.contains(&name.as_str()) {
            switches.push(name);
            continue;
        }
        let value = inline
            .or_else(|| rest.next())
            .ok_or_else(|| format!("{name} needs a value"))?;
        options.push((name, value));
    }
    let option = |names: &[&str]| {
        options
            .iter()
            .rev()
            .find(|(name, _)| names.contains(&name.as_str()))
            .map(|(_, value)| PathBuf::from(value))
    };
    let switch = |name: &str| switches.iter().any(|given| given == name);
    if switch("--build-id") {
        return Ok(Invocation {
            root: PathBuf::new(),
            command: Command::BuildId,
        });
    }
    let mut words = words.into_iter();
    let verb = words
        .next()
        .ok_or("no command given: create, start, exec, kill, pause, resume, delete or state")?;
    let id = words
        .next()
        .ok_or_else(|| format!("{verb} needs a container id"))?;
    let command = match verb.as_str() {
        "create" => Command::Create {
            id,
            bundle: option(&["--bundle", "-b"]).unwrap_or_else(|| PathBuf::from(".")),
            pid_file: option(&["--pid-file"]),
            console_socket: option(&["--console-socket"]),
            preserve_fds: match option(&["--preserve-fds"]) {
                None => 0,
                Some(number) => number
                    .to_str()
                    .and_then(|number| number.parse().ok())
                    .ok_or("--preserve-fds needs a number")?,
            },
        },
        "start" => Command::Start { id },
        "exec" => Command::Exec {
            id,
            process: option(&["--process", "-p"]).ok_or("exec needs --process FILE")?,
            pid_file: option(&["--pid-file"]),
            console_socket: option(&["--console-socket"]),
        },
        "kill" => Command::Kill {
            id,
            signal: words.next().unwrap_or_else(|| "SIGTERM".to_owned()),
            all: switch("--all") || switch("-a"),
        },
        "pause" => Command::Pause { id },
        "resume" => Command::Resume { id },
        "delete" => Command::Delete {
            id,
            force: switch("--force") || switch("-f"),
        },
        "state" => Command::State { id },
        _ => return Err(format!("unknown command {verb}")),
    };
    let root = option(&["--root"]).ok_or("--root DIRECTORY is needed")?;
    Ok(Invocation { root, command })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Invocation, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn create_takes_its_options_in_any_order() {
        let expected = Command::Create {
            id: "a".into(),
            bundle: "/b".into(),
            pid_file: Some("/p".into()),
            console_socket: None,
            preserve_fds: 2,
        };
        assert_eq!(
            parsed("--root /r create --bundle /b --preserve-fds 2 --pid-file=/p a")
                .unwrap()
                .command,
            expected
        );
        assert_eq!(
            parsed("--root /r create a --pid-file /p --preserve-fds=2 -b /b")
                .unwrap()
                .command,
            expected
        );
    }

    #[test]
    fn kill_defaults_to_sigterm() {
        assert_eq!(
            parsed("--root /r kill a").unwrap().command,
            Command::Kill {
                id: "a".into(),
                signal: "SIGTERM".into(),
                all: false
            }
        );
        assert_eq!(
            parsed("--root /r kill --all a 9").unwrap().command,
            Command::Kill {
                id: "a".into(),
                signal: "9".into(),
                all: true
            }
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(parsed("").unwrap_err().contains("no command"));
        assert!(parsed("--root /r start")
            .unwrap_err()
            .contains("container id"));
        assert!(parsed("--root /r exec a")
            .unwrap_err()
            .contains("--process"));
        assert!(parsed("start a").unwrap_err().contains("--root"));
        assert!(parsed("--root /r fly a")
            .unwrap_err()
            .contains("unknown command fly"));
        assert!(parsed("--root").unwrap_err().contains("needs a value"));
        assert!(parsed("--root /r create a --preserve-fds x")
            .unwrap_err()
            .contains("needs a number"));
    }
}
