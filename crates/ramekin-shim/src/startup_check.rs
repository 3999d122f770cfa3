//! A check of its own while a container starts, as Podman has it: until it has passed, the usual one does not run; if it fails too
//! often, the container is started again, whatever its restart policy.

use serde::Deserialize;

/// Core's `StartupCheck`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartupConfig {
    pub args: Vec<String>,
    pub interval_ms: u64,
    pub timeout_ms: u64,
    /// So many failures, and it is started again; 0: never.
    #[serde(default)]
    pub retries: u32,
    /// So many successes in all, and it has started.
    #[serde(default)]
    pub successes: u32,
}

/// How it has gone in this run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Startup {
    successes: u32,
    failures: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    NotYet,
    Started,
    Failed,
}

impl Startup {
    pub fn take(&mut self, config: &StartupConfig, healthy: bool) -> Verdict {
        match healthy {
            true => self.successes += 1,
            false => self.failures += 1,
        }
        if healthy && self.successes >= config.successes.max(1) {
            Verdict::Started
        } else if !healthy && config.retries > 0 && self.failures >= config.retries {
            Verdict::Failed
        } else {
            Verdict::NotYet
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(retries: u32, successes: u32, results: &[bool]) -> Vec<Verdict> {
        let config = StartupConfig {
            args: Vec::new(),
            interval_ms: 1,
            timeout_ms: 1,
            retries,
            successes,
        };
        let mut startup = Startup::default();
        results
            .iter()
            .map(|healthy| startup.take(&config, *healthy))
            .collect()
    }

    #[test]
    fn one_success_is_enough_unless_more_are_wanted() {
        use Verdict::{NotYet, Started};
        assert_eq!(verdicts(0, 0, &[false, true]), [NotYet, Started]);
        assert_eq!(
            verdicts(0, 2, &[true, false, true]),
            [NotYet, NotYet, Started]
        );
    }

    #[test]
    fn failures_end_it_only_where_they_are_counted() {
        use Verdict::{Failed, NotYet};
        assert_eq!(
            verdicts(3, 9, &[false, false, true, false]),
            [NotYet, NotYet, NotYet, Failed]
        );
        assert_eq!(verdicts(0, 1, &[false; 9]), [NotYet; 9]);
    }
}
