//! What the supervisor does of its own accord over a container's life: core's `Supervision`.

use std::time::Duration;

use serde::Deserialize;

use crate::health::HealthConfig;
use crate::restart::Policy;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Supervision {
    pub restart: Policy,
    pub health: Option<HealthConfig>,
    /// Of each run.
    pub time_limit_ms: Option<u64>,
    /// The container is killed when this process has ended.
    pub die_with: Option<ProcessIdentity>,
    pub stop: StopConfig,
}

/// How the container wants to be stopped.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StopConfig {
    pub signal: i32,
    /// Then SIGKILL; negative: never.
    pub timeout_ms: i64,
}

impl Default for StopConfig {
    fn default() -> Self {
        StopConfig {
            signal: libc::SIGTERM,
            timeout_ms: 10_000,
        }
    }
}

impl StopConfig {
    pub fn patience(&self) -> Option<Duration> {
        u64::try_from(self.timeout_ms)
            .ok()
            .map(Duration::from_millis)
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessIdentity {
    pub pid: i32,
    pub start_time: u64,
}
