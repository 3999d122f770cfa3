//! Namespaces of other containers: whose processes those are now, looked up anew before each run.

use std::fs;
use std::path::PathBuf;

use ramekin_sys::{process, Code, Error, Result};
use serde::Deserialize;
use serde_json::{json, Value};

/// Core's `Partner`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Partner {
    /// The type of namespace, as the specification has it.
    pub namespace: String,
    /// What it is called where nobody can ask it.
    pub name: String,
    pub state_file: PathBuf,
}

/// Whether all of them can be joined now.
pub fn check(partners: &[Partner]) -> Result<()> {
    partners
        .iter()
        .try_for_each(|partner| partner.pid().map(drop))
}

/// NOT_FOUND when one is gone; FAILED_PRECONDITION while it does not run.
pub fn join(partners: &[Partner], spec: &mut Value) -> Result<()> {
    for partner in partners {
        let pid = partner.pid()?;
        let file = match partner.namespace.as_str() {
            "network" => "net",
            other => other,
        };
        let namespaces = spec.pointer_mut("/linux/namespaces");
        for namespace in namespaces
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
            .filter(|namespace| namespace["type"] == *partner.namespace)
        {
            namespace["path"] = json!(format!("/proc/{pid}/ns/{file}"));
        }
        if partner.namespace == "ipc" {
            share_memory(spec, pid);
        }
    }
    Ok(())
}

/// Where the specification shows another container's shared memory, it is that of the process `pid`.
fn share_memory(spec: &mut Value, pid: i32) {
    const OF_A_PROCESS: (&str, &str) = ("/proc/", "/root/dev/shm");
    let mounts = spec.get_mut("mounts").and_then(Value::as_array_mut);
    for mount in mounts.into_iter().flatten() {
        if mount["source"].as_str().is_some_and(|source| {
            source.starts_with(OF_A_PROCESS.0) && source.ends_with(OF_A_PROCESS.1)
        }) {
            mount["source"] = json!(format!("{}{pid}{}", OF_A_PROCESS.0, OF_A_PROCESS.1));
        }
    }
}

impl Partner {
    fn pid(&self) -> Result<i32> {
        let cannot = |code, why: &str| {
            Error::new(
                code,
                format!(
                    "cannot join the {} namespace of container {}, which {why}",
                    self.namespace, self.name
                ),
            )
        };
        let text = fs::read(&self.state_file).map_err(|_| cannot(Code::NotFound, "is gone"))?;
        let state: Value = serde_json::from_slice(&text).unwrap_or_default();
        let running = state["status"] == "running" || state["status"] == "paused";
        let same_boot = state["bootId"].as_str() == process::boot_id().ok().as_deref();
        let pid = state["pid"]
            .as_i64()
            .and_then(|pid| i32::try_from(pid).ok());
        match pid {
            // Its pid may be somebody else's by now: the start time tells.
            Some(pid)
                if running
                    && same_boot
                    && process::start_time(pid).ok() == state["startTime"].as_u64() =>
            {
                Ok(pid)
            }
            _ => Err(cannot(Code::FailedPrecondition, "does not run")
                .hint(format!("start it first: ramekin start {}", self.name))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partner(state: &Value) -> (PathBuf, Partner) {
        let file = std::env::temp_dir().join(format!(
            "partner-{}-{}",
            std::process::id(),
            state["status"].as_str().unwrap_or("none")
        ));
        fs::write(&file, state.to_string()).unwrap();
        let partner = Partner {
            namespace: "ipc".into(),
            name: "db".into(),
            state_file: file.clone(),
        };
        (file, partner)
    }

    #[test]
    fn the_process_that_runs_now_is_joined() {
        let me = std::process::id() as i32;
        let mut state = json!({ "status": "running", "pid": me, "bootId": process::boot_id().unwrap(),
            "startTime": process::start_time(me).unwrap() });
        let mut spec = json!({ "linux": { "namespaces": [{ "type": "pid" }, { "type": "ipc", "path": "/proc/1/ns/ipc" }] },
            "mounts": [{ "destination": "/dev/shm", "source": "/proc/1/root/dev/shm" }, { "destination": "/x", "source": "/proc/1/root/x" }] });
        let (file, running) = partner(&state);
        join(&[running], &mut spec).unwrap();
        fs::remove_file(file).unwrap();
        assert_eq!(
            spec["linux"]["namespaces"],
            json!([{ "type": "pid" }, { "type": "ipc", "path": format!("/proc/{me}/ns/ipc") }])
        );
        assert_eq!(
            spec["mounts"][0]["source"],
            json!(format!("/proc/{me}/root/dev/shm"))
        );
        assert_eq!(spec["mounts"][1]["source"], "/proc/1/root/x");

        state["startTime"] = json!(1);
        state["status"] = "paused".into();
        let (file, reused) = partner(&state);
        let error = join(std::slice::from_ref(&reused), &mut spec).unwrap_err();
        assert_eq!(error.code, Code::FailedPrecondition);
        fs::remove_file(file).unwrap();
        assert_eq!(join(&[reused], &mut spec).unwrap_err().code, Code::NotFound);
    }
}
