//! The journal of events, `<root>/events/`: what happens while nobody is there is written down by the supervisor. The
//! format is that of `packages/engine/src/store/journal.ts`; both sides write it, any process reads it.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ramekin_sys::{Context, Result};
use serde::Deserialize;
use serde_json::{json, Map, Value};

/// A segment that has grown to this is followed by the next.
const SEGMENT_BYTES: u64 = 4 << 20;
/// Older ones go.
const SEGMENTS: u64 = 8;

/// Core's `EventJournal`.
#[derive(Clone, Debug, Deserialize)]
pub struct Journal {
    pub directory: PathBuf,
    /// With every event of this container: its image, name and labels.
    #[serde(default)]
    pub attributes: Map<String, Value>,
}

impl Journal {
    /// One event of container `id`. A journal that cannot be written to changes nothing else: that is reported.
    pub fn tell(&self, id: &str, action: &str, more: &[(&str, String)]) {
        let mut attributes = self.attributes.clone();
        attributes.extend(
            more.iter()
                .map(|(name, value)| ((*name).into(), value.as_str().into())),
        );
        let event =
            json!({ "type": "container", "action": action, "id": id, "attributes": attributes });
        if let Value::Object(event) = event {
            if let Err(error) = append(&self.directory, event) {
                crate::report(format_args!("event {action}: {error}"));
            }
        }
    }
}

/// The event, with the time, as one line at the end of the newest segment: one write, so that lines of several writers do
/// not mix.
pub fn append(directory: &Path, mut event: Map<String, Value>) -> Result<()> {
    event.insert("time".into(), crate::time::now().into());
    let mut segment = open(directory)?;
    let line = format!("{}\n", Value::Object(event));
    let text = match is_torn(&segment) {
        true => format!("\n{line}"),
        false => line,
    };
    segment
        .write_all(text.as_bytes())
        .context(|| directory.display().to_string())
}

fn open(directory: &Path) -> Result<File> {
    let what = || directory.display().to_string();
    let newest = match newest(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            match fs::DirBuilder::new().mode(0o700).create(directory) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
                _ => Ok(0),
            }
        }
        newest => newest,
    }
    .context(what)?;
    let mut options = File::options();
    options.read(true).append(true).create(true).mode(0o600);
    let current = options
        .open(directory.join(name(newest.max(1))))
        .context(what)?;
    if current.metadata().context(what)?.len() < SEGMENT_BYTES {
        return Ok(current);
    }
    let next = newest + 1;
    let created = options
        .clone()
        .create_new(true)
        .open(directory.join(name(next)));
    match created {
        Ok(file) => {
            forget(directory, next.saturating_sub(SEGMENTS));
            Ok(file)
        }
        // Somebody else was there first.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            options.open(directory.join(name(next))).context(what)
        }
        Err(error) => Err(error).context(what),
    }
}

/// Whether the last line has no end: a disk was full, or a machine went down. It must not take the next one along.
fn is_torn(segment: &File) -> bool {
    let mut last = [b'\n'];
    match segment.metadata().map(|metadata| metadata.len()) {
        Ok(length) if length > 0 => {
            segment.read_exact_at(&mut last, length - 1).is_ok() && last != [b'\n']
        }
        _ => false,
    }
}

fn numbers(directory: &Path) -> std::io::Result<impl Iterator<Item = u64>> {
    Ok(fs::read_dir(directory)?.filter_map(|entry| number(entry.ok()?.file_name().to_str()?)))
}

fn newest(directory: &Path) -> std::io::Result<u64> {
    Ok(numbers(directory)?.max().unwrap_or(0))
}

fn forget(directory: &Path, up_to: u64) {
    for old in numbers(directory)
        .into_iter()
        .flatten()
        .filter(|number| *number <= up_to)
    {
        let _ = fs::remove_file(directory.join(name(old)));
    }
}

fn name(number: u64) -> String {
    format!("{number:010}.jsonl")
}

fn number(name: &str) -> Option<u64> {
    name.strip_suffix(".jsonl")
        .filter(|digits| digits.len() == 10)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("ramekin-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    fn journal(directory: &Path) -> Journal {
        serde_json::from_value(
            json!({ "directory": directory, "attributes": { "name": "web", "image": "busybox" } }),
        )
        .unwrap()
    }

    #[test]
    fn a_line_says_what_happened_to_whom_and_when() {
        let directory = scratch("events-line");
        journal(&directory).tell("c1", "die", &[("exitCode", "3".into())]);
        let text = fs::read_to_string(directory.join("0000000001.jsonl")).unwrap();
        let line: Value = serde_json::from_str(text.strip_suffix('\n').unwrap()).unwrap();
        assert_eq!(
            (&line["type"], &line["action"], &line["id"]),
            (&"container".into(), &"die".into(), &"c1".into())
        );
        assert_eq!(
            line["attributes"],
            json!({ "name": "web", "image": "busybox", "exitCode": "3" })
        );
        assert!(line["time"].as_str().unwrap().ends_with('Z'));
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_torn_line_takes_none_along() {
        let directory = scratch("events-torn");
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("0000000007.jsonl"), "{\"time\":\"20").unwrap();
        journal(&directory).tell("c1", "die", &[]);
        let text = fs::read_to_string(directory.join("0000000007.jsonl")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "{\"time\":\"20");
        assert_eq!(serde_json::from_str::<Value>(lines[1]).unwrap()["id"], "c1");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_full_segment_is_followed_by_the_next_and_the_oldest_goes() {
        let directory = scratch("events-full");
        fs::create_dir(&directory).unwrap();
        for number in 1..=8 {
            File::create(directory.join(name(number))).unwrap();
        }
        let last = File::options()
            .write(true)
            .open(directory.join(name(8)))
            .unwrap();
        last.write_all_at(b"\n", SEGMENT_BYTES - 1).unwrap();
        journal(&directory).tell("c1", "die", &[]);
        let mut left: Vec<u64> = numbers(&directory).unwrap().collect();
        left.sort_unstable();
        assert_eq!(left, (2..=9).collect::<Vec<_>>());
        assert!(fs::metadata(directory.join(name(9))).unwrap().len() > 0);
        fs::remove_dir_all(directory).unwrap();
    }
}
