//! Restart policies: one run of the program after another, under one supervisor.
//!
//! The numbers are Docker's (restartmanager): 100 ms after the first end, twice as long each time, a minute at most, and
//! 100 ms again after a run of ten seconds. Whoever attached or waited is answered at the end of each run, as in Docker.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use ramekin_sys::process::{self, pidfd_signal, Ended};
use ramekin_sys::{Code, Context, Error, Result};
use rustix::event::epoll::EventFlags;
use serde::Deserialize;
use serde_json::Value;

use crate::connection::Role;
use crate::job::{code_of_failure, Work};
use crate::poll::Token;
use crate::request::Request;
use crate::shim::{Ending, Shim, FIRST};
use crate::state::{Exit, Status};
use crate::stdio::Console;
use crate::task::{Phase, Task};
use crate::{cleanup, launcher, partners, prepare};

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(60);
/// Who has run for so long counts as having worked.
const LONG_RUN: Duration = Duration::from_secs(10);
/// Other processes die with the first; this is for those that hang in the kernel.
const OTHERS: Duration = Duration::from_secs(5);

/// Core's `RestartPolicy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Policy {
    #[default]
    No,
    OnFailure {
        #[serde(default, rename = "maximumRetryCount")]
        most: u32,
    },
    Always,
    UnlessStopped,
}

/// What has become of the policy so far.
#[derive(Debug, Default)]
pub struct Restarts {
    pub policy: Policy,
    /// Since somebody started the container by hand.
    pub count: u32,
    delay: Duration,
    /// Somebody has stopped it: until he starts it again, no more runs.
    pub over: bool,
    /// One more run whatever the policy says: a health check wants it.
    pub once: bool,
    /// One more run, at once: somebody wants it.
    pub by_hand: bool,
}

impl Restarts {
    pub fn new(policy: Policy) -> Self {
        Restarts {
            policy,
            ..Restarts::default()
        }
    }

    /// After a run: how long to wait for the next, if there is to be one.
    pub fn next(&mut self, code: i32, ran_for: Duration) -> Option<Duration> {
        let once = std::mem::take(&mut self.once);
        if std::mem::take(&mut self.by_hand) {
            self.begin_anew();
            return Some(Duration::ZERO);
        }
        if self.over {
            return None;
        }
        let wanted = match self.policy {
            Policy::No => false,
            Policy::OnFailure { most } => code != 0 && (most == 0 || self.count < most),
            Policy::Always | Policy::UnlessStopped => true,
        };
        if !wanted && !once {
            return None;
        }
        self.delay = match ran_for >= LONG_RUN || self.delay.is_zero() {
            true => SHORTEST,
            false => (self.delay * 2).min(LONGEST),
        };
        self.count += 1;
        Some(self.delay)
    }

    fn begin_anew(&mut self) {
        (self.over, self.count, self.delay) = (false, 0, Duration::ZERO);
    }
}

/// Between two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// When the next run may begin.
    pub until: Instant,
    pub step: Step,
    /// Somebody has asked for the next run.
    pub by_hand: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Other processes may take until then.
    Others(Instant),
    /// A child removes what the launcher and the kernel know of the last run.
    Clearing,
    Waiting,
    /// The launcher makes the next process, or it is being started.
    Making,
}

impl Shim {
    pub fn interval(&self) -> Option<Interval> {
        match self.ending {
            Ending::Between(interval) => Some(interval),
            _ => None,
        }
    }

    /// The first process has ended, and all that it wrote is passed on: the container ends, or another run follows.
    pub fn run_ended(&mut self, exit: Option<Exit>) {
        let ran_for = self.running_since.map(|since| since.elapsed());
        self.limit_at = None;
        self.kill_at = None;
        self.stop_checking();
        // A next run that was called off before it began: the status of the last one stands.
        if self.state.status != Status::Restarting || self.start_error.is_some() {
            self.state.exit = exit;
        } else if let Some(task) = self.tasks.get_mut(&FIRST) {
            task.exit = self.state.exit.clone();
        }
        let code = self.state.exit.as_ref().map_or(0, |exit| exit.code);
        let by_hand = self.restarts.by_hand;
        match ran_for.and_then(|ran_for| self.restarts.next(code, ran_for)) {
            Some(delay) => {
                let now = Instant::now();
                self.state.status = Status::Restarting;
                self.state.restart_count = self.restarts.count;
                self.save(false);
                self.ending = Ending::Between(Interval {
                    until: now + delay,
                    step: Step::Others(now + OTHERS),
                    by_hand,
                });
            }
            None => self.end(),
        }
        self.kill_others();
    }

    /// No run follows.
    fn end(&mut self) {
        self.state.status = Status::Stopped;
        self.save(!self.config.is_temporary());
        self.ending = Ending::WaitingForTasks(Instant::now() + OTHERS);
        if let Some(error) = self.state.exit.as_ref().map(Exit::as_error) {
            self.answer_restarts(&Err(error));
        }
    }

    /// By hand: `signal`, after a while SIGKILL, and another run. All of it is ours to do: a client that is killed in between
    /// leaves no container stopped.
    pub fn restart(&mut self, client: usize, request: &Request) -> Result<()> {
        let running = matches!(self.state.status, Status::Running | Status::Paused);
        let interval = self.interval();
        if !running && interval.is_none() {
            return Err(self.wrong_status());
        }
        // Before anything is stopped for nothing.
        partners::check(&self.config.partners)?;
        self.state.stopped_by_hand = false;
        match interval {
            Some(interval) => {
                self.restarts.begin_anew();
                self.ending = Ending::Between(Interval {
                    until: Instant::now(),
                    ..interval
                });
            }
            None => self.end_for_another(request)?,
        }
        self.become_role(client, Role::Restarting);
        Ok(())
    }

    fn end_for_another(&mut self, request: &Request) -> Result<()> {
        self.restarts.by_hand = true;
        self.kill_at = u64::try_from(request.timeout_ms.unwrap_or(-1))
            .ok()
            .map(|patience| Instant::now() + Duration::from_millis(patience));
        if let Err(error) = self.kill(request) {
            self.restarts.by_hand = false;
            return Err(error);
        }
        // What is frozen gets no signal.
        match self.state.status == Status::Paused && request.signal != Some(libc::SIGKILL) {
            true => self.launch(Work::Resume, "resume", &[], None),
            false => Ok(()),
        }
    }

    pub fn answer_restarts(&mut self, answer: &Result<Value>) {
        let waiting = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.role == Role::Restarting);
        let waiting: Vec<usize> = waiting.map(|(client, _)| *client).collect();
        for client in waiting {
            self.answer(client, answer.clone());
        }
    }

    /// By hand: the policy ends until somebody starts the container again.
    pub fn end_restarts(&mut self) {
        self.restarts.over = true;
        self.restarts.by_hand = false;
        self.state.stopped_by_hand = true;
        match self.interval() {
            // Nothing runs, and nothing will: who waits for the next end has it.
            Some(Interval {
                step: Step::Others(_) | Step::Clearing | Step::Waiting,
                ..
            }) => self.give_up(None),
            // Its end is seen like any other.
            Some(Interval {
                step: Step::Making, ..
            }) => self.kill_first(),
            None if self.state.status != Status::Stopped => self.save(false),
            None => {}
        }
    }

    /// Ends the container between two runs. `failure`: why the next one could not be had.
    fn give_up(&mut self, failure: Option<&Error>) {
        if let Some(error) = failure {
            self.state.exit = Some(Exit::failed(code_of_failure(error), error.message.clone()));
        }
        if let Some(task) = self.tasks.get_mut(&FIRST) {
            task.phase = Phase::Ended;
            task.theirs = None;
            task.stdout = None;
            task.stderr = None;
            task.exit = self.state.exit.clone();
        }
        self.end();
        self.answer_waiters(FIRST);
    }

    pub fn kill_first(&mut self) {
        if let Some(pidfd) = self
            .tasks
            .get(&FIRST)
            .and_then(|task| task.pidfd.as_ref().filter(|_| task.exit.is_none()))
        {
            if let Err(error) = pidfd_signal(pidfd, libc::SIGKILL) {
                crate::report(format_args!("kill the first process: {error}"));
            }
        }
    }

    /// Goes on towards the next run, as far as that is possible now.
    pub fn advance_interval(&mut self) -> Result<()> {
        let Some(interval) = self.interval() else {
            return Ok(());
        };
        match interval.step {
            Step::Others(until) if self.all_tasks_ended() || Instant::now() >= until => {
                self.ending = Ending::Between(Interval {
                    step: Step::Clearing,
                    ..interval
                });
                if interval.by_hand {
                    self.tell("stop", &[]);
                }
                self.clear()
            }
            Step::Waiting if Instant::now() >= interval.until => {
                if let Err(error) = partners::check(&self.config.partners) {
                    self.without_partner(interval, &error);
                    return Ok(());
                }
                self.ending = Ending::Between(Interval {
                    step: Step::Making,
                    ..interval
                });
                self.make_again().or_else(|error| {
                    crate::report(format_args!("restart: {error}"));
                    self.give_up(Some(&error));
                    Ok(())
                })
            }
            _ => Ok(()),
        }
    }

    /// One that does not run may come back, as we do: that counts as a run that has failed. One that is gone does not.
    fn without_partner(&mut self, interval: Interval, error: &Error) {
        crate::report(format_args!("restart: {error}"));
        let code = code_of_failure(error);
        let again = (error.code == Code::FailedPrecondition)
            .then(|| self.restarts.next(code, Duration::ZERO))
            .flatten();
        let Some(delay) = again else {
            return self.give_up(Some(error));
        };
        self.state.exit = Some(Exit::failed(code, error.message.clone()));
        self.state.restart_count = self.restarts.count;
        self.save(false);
        self.ending = Ending::Between(Interval {
            until: Instant::now() + delay,
            ..interval
        });
    }

    /// It may take long; a child does it, and we go on answering.
    fn clear(&mut self) -> Result<()> {
        // SAFETY: this process has one thread; the child does not return from here.
        match unsafe { libc::fork() } {
            -1 => {
                cleanup::forget_run(&self.config, &self.run, &self.launcher);
                self.cleared();
                Ok(())
            }
            0 => {
                self.connections.clear();
                cleanup::forget_run(&self.config, &self.run, &self.launcher);
                // SAFETY: ends the child without running what its parent still needs.
                unsafe { libc::_exit(0) }
            }
            pid => self.add_job(pid, None, Work::Clear, None),
        }
    }

    pub fn cleared(&mut self) {
        if let Some(interval) = self.interval() {
            self.ending = Ending::Between(Interval {
                step: Step::Waiting,
                ..interval
            });
        }
    }

    /// The root is still mounted; all else is made anew from the bundle, which may have been changed since.
    fn make_again(&mut self) -> Result<()> {
        let root = self
            .root
            .as_ref()
            .ok_or_else(|| Error::new(Code::Internal, "the root is gone"))?;
        let first = prepare::write_bundle(&self.config, &self.run, root)?;
        let console = match self.config.io.terminal {
            true => Some(Console::listen(&self.run, "console".into())?),
            false => None,
        };
        let console_path = console.as_ref().map(|console| console.path.clone());
        let io = &self.config.io;
        let mut task = Task::new(None, io, first.uid, first.console_size, console)?;
        let theirs = task
            .theirs
            .take()
            .ok_or_else(|| Error::new(Code::Internal, "no stdio"))?;
        self.first = first;
        self.tasks.insert(FIRST, task);
        let arguments =
            launcher::create_arguments(&self.launcher, &self.run, console_path.as_deref());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let stdio = [
            theirs.stdin.as_fd(),
            theirs.stdout.as_fd(),
            theirs.stderr.as_fd(),
        ];
        let pid = self.launcher.spawn("create", &arguments, stdio)?;
        if let Some(console) = &self.tasks[&FIRST].console {
            self.poll
                .watch(console.listener(), Token::Console(FIRST), EventFlags::IN)?;
        }
        self.add_job(pid, None, Work::Create, None)
    }

    /// The launcher's `create` for the next run has ended.
    pub fn made_again(&mut self, ended: Ended) {
        let result = self.take_over(ended).and_then(|()| {
            match self.restarts.over {
                true => self.kill_first(),
                false => {
                    if let Some(task) = self.tasks.get_mut(&FIRST) {
                        task.phase = Phase::Starting;
                    }
                    if !self.start_directly(None)? {
                        self.launch(Work::Start, "start", &[], None)?;
                    }
                }
            }
            Ok(())
        });
        if let Err(error) = result {
            crate::report(format_args!("restart: {error}"));
            match self.tasks.get(&FIRST).is_some_and(|task| task.pid > 0) {
                true => self.kill_first(),
                false => self.give_up(Some(&error)),
            }
        }
    }

    fn take_over(&mut self, ended: Ended) -> Result<()> {
        let task = self
            .tasks
            .get_mut(&FIRST)
            .ok_or_else(|| Error::new(Code::Internal, "no first process"))?;
        let errors = task
            .stderr
            .as_ref()
            .ok_or_else(|| Error::new(Code::Internal, "no stderr"))?;
        launcher::check("create", ended, errors)?;
        crate::create::adopt(&self.run, &self.first, task)?;
        self.state.pid = task.pid;
        self.state.start_time =
            process::start_time(task.pid).context(|| format!("process {}", task.pid))?;
        if let Some(pidfd) = &task.pidfd {
            self.poll.watch(pidfd, Token::Exit(FIRST), EventFlags::IN)?;
        }
        self.save(false);
        Ok(())
    }

    /// A wait that comes between two runs is for the end of the next.
    pub fn wait_for(&mut self, client: usize, key: usize) {
        if let Some(connection) = self.connections.get_mut(&client) {
            connection.role = Role::Waiting(key);
        }
        if key != FIRST || self.interval().is_none() {
            self.answer_waiters(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: i32 = 1;
    const SHORT: Duration = Duration::from_secs(1);

    fn delays(restarts: &mut Restarts, ran_for: Duration, count: usize) -> Vec<u128> {
        (0..count)
            .map_while(|_| restarts.next(FAILED, ran_for))
            .map(|delay| delay.as_millis())
            .collect()
    }

    #[test]
    fn the_pauses_double_up_to_a_minute_and_begin_anew_after_a_long_run() {
        let mut restarts = Restarts::new(Policy::Always);
        assert_eq!(
            delays(&mut restarts, SHORT, 12),
            [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]
        );
        assert_eq!(delays(&mut restarts, LONG_RUN, 2), [100, 100]);
        assert_eq!(restarts.count, 14);
    }

    #[test]
    fn on_failure_counts_and_takes_no_success() {
        let mut restarts = Restarts::new(Policy::OnFailure { most: 2 });
        assert_eq!(restarts.next(0, SHORT), None);
        assert_eq!(delays(&mut restarts, SHORT, 5).len(), 2);
        let mut restarts = Restarts::new(Policy::OnFailure { most: 0 });
        assert_eq!(delays(&mut restarts, SHORT, 5).len(), 5);
    }

    #[test]
    fn stopped_by_hand_no_policy_holds() {
        for policy in [Policy::Always, Policy::UnlessStopped] {
            let mut restarts = Restarts::new(policy);
            restarts.over = true;
            assert_eq!(restarts.next(FAILED, SHORT), None);
        }
    }

    #[test]
    fn one_more_run_whatever_the_policy() {
        let mut restarts = Restarts::new(Policy::No);
        restarts.once = true;
        assert!(restarts.next(0, SHORT).is_some());
        assert!(restarts.next(0, SHORT).is_none());
    }

    #[test]
    fn policies_as_core_writes_them() {
        let of = |text| serde_json::from_str::<Policy>(text).unwrap();
        assert_eq!(of(r#"{"name":"no"}"#), Policy::No);
        assert_eq!(of(r#"{"name":"always"}"#), Policy::Always);
        assert_eq!(of(r#"{"name":"unless-stopped"}"#), Policy::UnlessStopped);
        assert_eq!(
            of(r#"{"name":"on-failure","maximumRetryCount":3}"#),
            Policy::OnFailure { most: 3 }
        );
        assert_eq!(
            of(r#"{"name":"on-failure"}"#),
            Policy::OnFailure { most: 0 }
        );
    }
}
