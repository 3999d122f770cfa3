//! Health checks: a program that runs in the container every so often, and what its exit statuses mean.
//!
//! Counting is Docker's (daemon/health.go). Of the results only the state file knows: an idle supervisor keeps a few numbers.

use std::fs;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use ramekin_sys::process::{pidfd_open, pidfd_signal};
use ramekin_sys::Result;
use serde::Deserialize;
use serde_json::{json, Map, Value};

use crate::config::{IoConfig, LogConfig, StdinMode};
use crate::connection::Role;
use crate::shim::Shim;
use crate::startup_check::{Startup, StartupConfig, Verdict};
use crate::state::{Exit, Status};
use crate::task::Task;

/// Results that the state file has.
const KEPT: usize = 5;
/// What a launcher may take, beside the check's own time: milliseconds, as a rule.
const LAUNCH: Duration = Duration::from_secs(10);
/// How often a check that is overdue before it has begun is looked at.
const LAUNCHED_YET: Duration = Duration::from_millis(20);
/// Bytes of each check's output.
const OUTPUT: usize = 4096;

/// Core's `HealthCheck`, with defaults filled in.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthConfig {
    pub args: Vec<String>,
    pub interval_ms: u64,
    pub timeout_ms: u64,
    pub retries: u32,
    #[serde(default)]
    pub start_period_ms: u64,
    pub start_interval_ms: u64,
    #[serde(default)]
    pub on_failure: OnFailure,
    pub startup: Option<StartupConfig>,
}

const USUAL: &str = "health.json";
const STARTUP: &str = "startup-health.json";

impl HealthConfig {
    /// File names in the run directory, and what the processes in them execute.
    pub fn programs(&self) -> impl Iterator<Item = (&str, &[String])> {
        let startup = self
            .startup
            .as_ref()
            .map(|startup| (STARTUP, &startup.args[..]));
        [(USUAL, &self.args[..])].into_iter().chain(startup)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    #[default]
    None,
    Kill,
    Restart,
    Stop,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    #[default]
    Starting,
    Healthy,
    Unhealthy,
}

impl Health {
    pub fn name(self) -> &'static str {
        match self {
            Health::Starting => "starting",
            Health::Healthy => "healthy",
            Health::Unhealthy => "unhealthy",
        }
    }
}

#[derive(Debug, Default)]
pub struct Monitor {
    pub status: Health,
    streak: u32,
    /// When the next check is due.
    pub next: Option<Instant>,
    pub check: Option<Check>,
    /// While it has not passed.
    startup: Option<Startup>,
}

/// One that runs.
#[derive(Debug)]
pub struct Check {
    pub key: usize,
    began: Instant,
    start: String,
    /// `None`: it has taken too long and was killed.
    pub deadline: Option<Instant>,
    /// A launcher that takes longer hangs.
    launched_by: Instant,
    limit: Duration,
}

impl Monitor {
    /// After `since_start` of a run.
    fn interval(&self, config: &HealthConfig, since_start: Duration) -> Duration {
        if let (Some(startup), Some(_)) = (&config.startup, &self.startup) {
            return Duration::from_millis(startup.interval_ms);
        }
        let starting = self.status == Health::Starting
            && since_start < Duration::from_millis(config.start_period_ms);
        Duration::from_millis(match starting {
            true => config.start_interval_ms,
            false => config.interval_ms,
        })
    }

    /// Takes a result of the startup check; when the next check is due.
    fn take_startup(
        &mut self,
        config: &HealthConfig,
        healthy: bool,
    ) -> (Verdict, Option<Duration>) {
        let (Some(startup), Some(progress)) = (&config.startup, &mut self.startup) else {
            return (Verdict::NotYet, None);
        };
        let verdict = progress.take(startup, healthy);
        match verdict {
            Verdict::NotYet => (verdict, Some(Duration::from_millis(startup.interval_ms))),
            Verdict::Started => {
                self.startup = None;
                (verdict, Some(Duration::ZERO))
            }
            Verdict::Failed => (verdict, None),
        }
    }

    /// Takes a result; whether that has changed the status.
    fn take(&mut self, config: &HealthConfig, healthy: bool, since_start: Duration) -> bool {
        let before = self.status;
        if healthy {
            self.streak = 0;
            self.status = Health::Healthy;
        } else if before != Health::Starting
            || since_start >= Duration::from_millis(config.start_period_ms)
        {
            self.streak += 1;
            if self.streak >= config.retries.max(1) {
                self.status = Health::Unhealthy;
            }
        }
        self.status != before
    }
}

impl Shim {
    /// A run has begun.
    pub fn start_checking(&mut self) {
        let Some(config) = &self.config.supervision.health else {
            return;
        };
        self.health = Monitor {
            startup: config.startup.as_ref().map(|_| Startup::default()),
            ..Monitor::default()
        };
        self.health.next = Some(Instant::now() + self.health.interval(config, Duration::ZERO));
        self.save_health(None);
    }

    /// The run has ended: whoever waits for a check's result is told.
    pub fn stop_checking(&mut self) {
        self.health.next = None;
        if let Some(check) = self.health.check.take() {
            self.tell_checkers(check.key, &Err(self.wrong_status()));
        }
    }

    /// Begins what is due, and ends what takes too long.
    pub fn advance_health(&mut self) -> Result<()> {
        let now = Instant::now();
        let overdue = self
            .health
            .check
            .as_mut()
            .filter(|check| check.deadline.is_some_and(|deadline| now >= deadline));
        if let Some(check) = overdue {
            let (key, deadline) = (check.key, check.deadline.take());
            let launching = now < check.launched_by;
            let task = self.tasks.get(&key);
            if let Some(pid) = task.map(|task| task.pid).filter(|pid| *pid > 0) {
                self.kill_whole(pid);
            } else if launching {
                // Killed now, the launcher could leave a process behind that nobody knows yet.
                check.deadline = deadline.map(|_| now + LAUNCHED_YET);
            } else if let Some(job) = self.jobs.iter().find(|job| job.is_for(key)) {
                // SAFETY: integers only; a child that is not reaped yet keeps its pid.
                unsafe { libc::kill(job.pid, libc::SIGKILL) };
            }
        }
        let due = self.health.next.is_some_and(|next| now >= next);
        if due && self.state.status == Status::Running {
            self.begin_check()?;
        }
        Ok(())
    }

    /// The key of the check that runs now.
    pub fn begin_check(&mut self) -> Result<usize> {
        if let Some(check) = &self.health.check {
            return Ok(check.key);
        }
        self.health.next = None;
        let Some(config) = &self.config.supervision.health else {
            return Err(ramekin_sys::Error::new(
                ramekin_sys::Code::FailedPrecondition,
                format!("container {} has no health check", self.config.id),
            ));
        };
        let now = Instant::now();
        let (file, timeout_ms) = match (&config.startup, &self.health.startup) {
            (Some(startup), Some(_)) => (STARTUP, startup.timeout_ms),
            _ => (USUAL, config.timeout_ms),
        };
        let timeout = Duration::from_millis(timeout_ms);
        let io = IoConfig {
            terminal: false,
            stdin: StdinMode::Closed,
            log: LogConfig::None,
        };
        let owner = (!self.maps_ids).then_some(self.first.uid).flatten();
        let mut task = Task::new(None, &io, owner, None, None)?;
        task.log = crate::log::Log::keeping(OUTPUT);
        let key = self.key();
        self.tasks.insert(key, task);
        self.health.check = Some(Check {
            key,
            began: now,
            start: crate::time::now(),
            deadline: Some(now + timeout),
            launched_by: now + timeout + LAUNCH,
            limit: timeout,
        });
        let (pid_file, process) = (format!("exec-{key}.pid"), self.run.path(file));
        let pid_path = self.run.path(&pid_file);
        let (pid_path, process) = (pid_path.to_string_lossy(), process.to_string_lossy());
        let arguments = ["--process", &process, "--pid-file", &pid_path, "--detach"];
        if let Err(error) = self.launch_task(key, &arguments, pid_file, None) {
            self.check_ended(key, Some(&Exit::failed(-1, error.message)), &[]);
            self.tasks.remove(&key);
        }
        Ok(key)
    }

    /// The task `key` has ended. Nothing, unless that is a check.
    pub fn check_ended(&mut self, key: usize, exit: Option<&Exit>, output: &[u8]) {
        if self
            .health
            .check
            .as_ref()
            .is_none_or(|check| check.key != key)
        {
            return;
        }
        let (Some(check), Some(config)) =
            (self.health.check.take(), &self.config.supervision.health)
        else {
            return;
        };
        let since_start = |at: Instant| {
            self.running_since
                .map_or(Duration::ZERO, |began| at.saturating_duration_since(began))
        };
        let (code, said) = result_of(&check, exit, output);
        let now = Instant::now();
        let (verdict, changed, wait) = match self.health.startup {
            Some(_) => {
                let (verdict, wait) = self.health.take_startup(config, code == 0);
                (verdict, false, wait)
            }
            None => {
                let changed = self
                    .health
                    .take(config, code == 0, since_start(check.began));
                let wait = self.health.interval(config, since_start(now));
                (Verdict::NotYet, changed, Some(wait))
            }
        };
        self.health.next = self.running_since.and(wait).map(|wait| now + wait);
        let action = config.on_failure;
        let result = json!({ "start": check.start, "end": crate::time::now(), "exitCode": code, "output": said });
        self.save_health(Some(&result));
        self.tell_checkers(
            key,
            &Ok(json!({ "status": self.health.status.name(), "result": result })),
        );
        if verdict == Verdict::Failed {
            self.act_on_failure(OnFailure::Restart);
        }
        if changed {
            let status = self.health.status.name();
            self.tell(&format!("health_status: {status}"), &[]);
            if self.health.status == Health::Unhealthy {
                self.act_on_failure(action);
            }
        }
    }

    fn act_on_failure(&mut self, action: OnFailure) {
        match action {
            OnFailure::None => {}
            OnFailure::Kill => self.kill_first(),
            OnFailure::Stop => {
                self.end_restarts();
                self.begin_stop();
            }
            OnFailure::Restart => {
                self.restarts.once = true;
                self.begin_stop();
            }
        }
    }

    fn tell_checkers(&mut self, key: usize, answer: &Result<Value>) {
        let waiting: Vec<usize> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.role == Role::Checking(key))
            .map(|(client, _)| *client)
            .collect();
        for client in waiting {
            self.answer(client, answer.clone());
        }
    }

    fn save_health(&self, result: Option<&Value>) {
        let (status, streak) = (self.health.status.name(), self.health.streak);
        let saved = self.state.amend(&self.config.state_file, |state| {
            let mut log = match state.remove("health") {
                Some(Value::Object(mut before)) => before.remove("log"),
                _ => None,
            }
            .and_then(|log| match log {
                Value::Array(log) => Some(log),
                _ => None,
            })
            .unwrap_or_default();
            log.extend(result.cloned());
            log.drain(..log.len().saturating_sub(KEPT));
            let mut health = Map::new();
            health.insert("status".into(), status.into());
            health.insert("failingStreak".into(), streak.into());
            health.insert("log".into(), log.into());
            state.insert("health".into(), health.into());
        });
        if let Err(error) = saved {
            crate::report(format_args!("{error}"));
        }
    }

    /// Which only the file has.
    pub fn described_health(&self) -> Option<Value> {
        self.config.supervision.health.as_ref()?;
        let text = fs::read(&self.config.state_file).ok()?;
        let mut state: Value = serde_json::from_slice(&text).ok()?;
        state.get_mut("health").map(Value::take)
    }

    /// A process, its session and all that descend from it. Who has left its session and lost his parent gets away.
    fn kill_whole(&self, leader: i32) {
        // Each round may meet children of the last one's; those that are dying do not count.
        for _ in 0..16 {
            let members = members_of(leader, &self.candidates());
            for pid in &members {
                if let Ok(pidfd) = pidfd_open(*pid) {
                    let _ = pidfd_signal(&pidfd.as_raw_fd(), libc::SIGKILL);
                }
            }
            if members.is_empty() {
                return;
            }
        }
    }

    fn candidates(&self) -> Vec<i32> {
        match self.cgroup().map(|cgroup| cgroup.processes()) {
            Some(processes) if !processes.is_empty() => processes,
            _ => fs::read_dir("/proc")
                .into_iter()
                .flatten()
                .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
                .collect(),
        }
    }
}

/// Docker's words for what has no exit status.
fn result_of(check: &Check, exit: Option<&Exit>, output: &[u8]) -> (i32, String) {
    let said = String::from_utf8_lossy(output);
    let Some(exit) = exit else {
        return (-1, said.into_owned());
    };
    match &exit.error {
        _ if check.deadline.is_none() => {
            let mut text = format!("Health check exceeded timeout ({:?})", check.limit);
            if !said.is_empty() {
                text = format!("{text}: {said}");
            }
            (-1, text)
        }
        Some(error) => (-1, error.clone()),
        None => (exit.code, said.into_owned()),
    }
}

/// Living processes among `candidates` that are the leader, of its session, or its descendants.
fn members_of(leader: i32, candidates: &[i32]) -> Vec<i32> {
    let known: Vec<(i32, i32, i32)> = candidates
        .iter()
        .filter_map(|pid| {
            let (parent, session) = parse_stat(&fs::read(format!("/proc/{pid}/stat")).ok()?)?;
            Some((*pid, parent, session))
        })
        .collect();
    let mut members: Vec<i32> = known
        .iter()
        .filter(|(pid, _, session)| *pid == leader || *session == leader)
        .map(|(pid, ..)| *pid)
        .collect();
    let mut at = 0;
    while let Some(parent) = members.get(at).copied() {
        at += 1;
        for (pid, of, _) in &known {
            if *of == parent && !members.contains(pid) {
                members.push(*pid);
            }
        }
    }
    members
}

/// Parent and session of /proc/PID/stat; `None` of one that has ended.
fn parse_stat(stat: &[u8]) -> Option<(i32, i32)> {
    let after = &stat[stat.iter().rposition(|byte| *byte == b')')? + 1..];
    let mut fields = std::str::from_utf8(after).ok()?.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some((parent, session))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(retries: u32, start_period_ms: u64) -> HealthConfig {
        HealthConfig {
            args: vec!["true".into()],
            interval_ms: 30_000,
            timeout_ms: 1500,
            retries,
            start_period_ms,
            start_interval_ms: 5000,
            on_failure: OnFailure::None,
            startup: None,
        }
    }

    #[test]
    fn as_many_failures_in_a_row_as_there_are_retries_make_unhealthy() {
        let (config, mut monitor) = (config(2, 0), Monitor::default());
        assert!(!monitor.take(&config, false, Duration::ZERO));
        assert!(monitor.take(&config, true, Duration::ZERO));
        assert!(!monitor.take(&config, false, Duration::ZERO));
        assert!(monitor.take(&config, false, Duration::ZERO));
        assert_eq!((monitor.status, monitor.streak), (Health::Unhealthy, 2));
        assert!(monitor.take(&config, true, Duration::ZERO));
        assert_eq!((monitor.status, monitor.streak), (Health::Healthy, 0));
    }

    #[test]
    fn failures_while_it_starts_do_not_count_and_checks_come_more_often() {
        let (config, mut monitor) = (config(1, 60_000), Monitor::default());
        let early = Duration::from_secs(59);
        assert!(!monitor.take(&config, false, early));
        assert_eq!(monitor.interval(&config, early), Duration::from_secs(5));
        assert_eq!(
            monitor.interval(&config, Duration::from_secs(60)),
            Duration::from_secs(30)
        );
        assert!(monitor.take(&config, true, early));
        assert_eq!(monitor.interval(&config, early), Duration::from_secs(30));
        assert!(monitor.take(&config, false, early));
    }

    #[test]
    fn until_the_startup_check_has_passed_it_comes_at_its_own_pace_and_then_the_usual_one_at_once()
    {
        let mut config = config(1, 0);
        config.startup = Some(StartupConfig {
            args: vec!["false".into()],
            interval_ms: 700,
            timeout_ms: 1,
            retries: 2,
            successes: 1,
        });
        let mut monitor = Monitor {
            startup: Some(Startup::default()),
            ..Monitor::default()
        };
        let pause = Duration::from_millis(700);
        assert_eq!(monitor.interval(&config, Duration::ZERO), pause);
        assert_eq!(
            monitor.take_startup(&config, false),
            (Verdict::NotYet, Some(pause))
        );
        assert_eq!(
            monitor.take_startup(&config, true),
            (Verdict::Started, Some(Duration::ZERO))
        );
        assert_eq!(
            (monitor.status, monitor.startup.is_none()),
            (Health::Starting, true)
        );
        assert_eq!(
            monitor.interval(&config, Duration::ZERO),
            Duration::from_secs(30)
        );
    }

    #[test]
    fn one_that_took_too_long_says_so_and_what_it_had_said() {
        let check = Check {
            key: 1,
            began: Instant::now(),
            start: String::new(),
            deadline: None,
            launched_by: Instant::now(),
            limit: Duration::from_millis(1500),
        };
        let exit = Exit::of(ramekin_sys::process::Ended::Signaled(9));
        assert_eq!(
            result_of(&check, Some(&exit), b"hm\n"),
            (-1, "Health check exceeded timeout (1.5s): hm\n".into())
        );
    }

    #[test]
    fn sessions_and_descendants_belong_together() {
        let stat = b"42 (a) b (c)) S 7 41 40 0 -1 4194304";
        assert_eq!(parse_stat(stat), Some((7, 40)));
        assert_eq!(parse_stat(b"42 (x) Z 7 41 40 0"), None);
        let me = std::process::id() as i32;
        assert!(members_of(me, &[me]).contains(&me));
        assert!(members_of(me, &[1]).is_empty());
    }
}
