//! The state file: what any process may know of the container without asking us.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use ramekin_sys::{process, Code, Context, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Created,
    Running,
    Paused,
    /// Between two runs.
    Restarting,
    Stopped,
}

/// Core's `ExitStatus`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exit {
    pub code: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub oom_killed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub exited_at: String,
}

impl Exit {
    pub fn of(ended: process::Ended) -> Self {
        let signal = match ended {
            process::Ended::Signaled(number) => Some(crate::signal::name(number)),
            process::Ended::Exited(_) => None,
        };
        Exit {
            code: ended.code(),
            signal,
            oom_killed: false,
            error: None,
            exited_at: crate::time::now(),
        }
    }

    pub fn failed(code: i32, error: String) -> Self {
        Exit {
            code,
            signal: None,
            oom_killed: false,
            error: Some(error),
            exited_at: crate::time::now(),
        }
    }

    /// For who has waited for the program to run.
    pub fn as_error(&self) -> Error {
        let code = match self.code {
            127 => Code::CommandNotFound,
            126 => Code::CommandNotExecutable,
            _ => Code::FailedPrecondition,
        };
        let ended = || format!("it has ended with {}", self.code);
        Error::new(code, self.error.clone().unwrap_or_else(ended))
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    pub version: u32,
    pub status: Status,
    pub pid: i32,
    pub start_time: u64,
    pub boot_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    pub shim: ShimIdentity,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    /// Since somebody started the container by hand.
    #[serde(skip_serializing_if = "is_zero")]
    pub restart_count: u32,
    /// Of the log, since somebody started it by hand.
    #[serde(skip_serializing_if = "is_none")]
    pub dropped_records: u64,
    /// Until somebody starts it again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stopped_by_hand: bool,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShimIdentity {
    pub pid: i32,
    pub start_time: u64,
}

impl State {
    pub fn created(pid: i32) -> Result<Self> {
        let shim = std::process::id() as i32;
        let identify =
            |pid| process::start_time(pid).context(|| format!("start time of process {pid}"));
        Ok(State {
            version: 1,
            status: Status::Created,
            pid,
            start_time: identify(pid)?,
            boot_id: process::boot_id().context(|| "boot id")?,
            started_at: None,
            shim: ShimIdentity {
                pid: shim,
                start_time: identify(shim)?,
            },
            exit: None,
            restart_count: 0,
            dropped_records: 0,
            stopped_by_hand: false,
        })
    }

    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).expect("a state has string keys only")
    }

    /// Replaces the file at once. Fields of others stay; ours that no longer apply go. Only worth to be durable once stopped:
    /// before that, a reboot makes it stale anyway, and says so by its boot id.
    pub fn write(&self, file: &Path, durably: bool) -> Result<()> {
        self.change(file, durably, |_| {})
    }

    /// A container that has just been created knows nothing of the checks of an earlier one.
    pub fn write_first(&self, file: &Path) -> Result<()> {
        self.amend(file, |state| drop(state.remove("health")))
    }

    /// Changes a field that only the file has.
    pub fn amend(&self, file: &Path, change: impl FnOnce(&mut Map<String, Value>)) -> Result<()> {
        self.change(file, false, change)
    }

    fn change(
        &self,
        file: &Path,
        durably: bool,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Result<()> {
        let mut object = match fs::read(file)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
        {
            Some(Value::Object(object)) => object,
            _ => Map::new(),
        };
        for ours in [
            "startedAt",
            "exit",
            "restartCount",
            "droppedRecords",
            "stoppedByHand",
        ] {
            object.remove(ours);
        }
        if let Value::Object(fields) = self.to_json() {
            object.extend(fields);
        }
        change(&mut object);
        replace(file, &Value::Object(object), durably)
    }
}

/// Readers see the old content or the new.
pub fn replace(file: &Path, content: &Value, durably: bool) -> Result<()> {
    let temporary = file.with_extension(format!("{}.tmp", std::process::id()));
    let what = || format!("write {}", file.display());
    let mut out = File::create(&temporary).context(what)?;
    out.write_all(content.to_string().as_bytes())
        .context(what)?;
    if durably {
        out.sync_data().context(what)?;
    }
    fs::rename(&temporary, file).context(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_others_are_kept_and_ours_replaced() {
        let file = std::env::temp_dir().join(format!("ramekin-state-{}.json", std::process::id()));
        fs::write(
            &file,
            r#"{"note":3,"health":{},"status":"stopped","exit":{"code":1}}"#,
        )
        .unwrap();
        State::created(std::process::id() as i32)
            .unwrap()
            .write_first(&file)
            .unwrap();
        let read: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        fs::remove_file(&file).unwrap();
        assert_eq!(
            (&read["note"], &read["status"]),
            (&3.into(), &"created".into())
        );
        assert!(read.get("exit").is_none() && read.get("health").is_none());
    }

    #[test]
    fn a_killed_process_says_by_what() {
        let exit = Exit::of(process::Ended::Signaled(libc::SIGTERM));
        assert_eq!((exit.code, exit.signal.as_deref()), (143, Some("SIGTERM")));
    }
}
