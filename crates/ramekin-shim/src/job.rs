//! Launcher operations in flight.

use std::os::fd::{AsFd, OwnedFd};

use ramekin_sys::process::{self, Ended};
use ramekin_sys::{Code, Context, Error, Result};
use rustix::event::epoll::EventFlags;
use serde_json::json;

use crate::launcher;
use crate::poll::Token;
use crate::shim::{Ending, Shim, FIRST};
use crate::state::{Exit, Status};
use crate::stdio;
use crate::task::Phase;

#[derive(Debug)]
pub struct Job {
    pub pid: i32,
    pidfd: OwnedFd,
    /// The launcher's words; `None` where they come on the process's own stderr.
    errors: Option<OwnedFd>,
    pub work: Work,
    /// Who waits for it.
    pub client: Option<usize>,
    pub ended: Option<Ended>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    Start,
    /// The task's key and the file that gets its pid.
    Exec(usize, String),
    Pause,
    /// Pauses until the client goes.
    Hold,
    Resume,
    /// Of the next run.
    Create,
    /// What there is of the last run goes.
    Clear,
    CleanUp,
}

impl Job {
    pub fn makes_a_process(&self) -> bool {
        matches!(self.work, Work::Exec(..) | Work::Create)
    }

    /// It makes the process of that task.
    pub fn is_for(&self, key: usize) -> bool {
        matches!(&self.work, Work::Exec(task, _) if *task == key)
    }
}

impl Shim {
    /// Runs `verb` of the launcher; `client` is answered when it has ended.
    pub fn launch(
        &mut self,
        work: Work,
        verb: &str,
        arguments: &[&str],
        client: Option<usize>,
    ) -> Result<()> {
        let (errors, theirs) = stdio::pipe()?;
        let null = stdio::null()?;
        let pid = self.launcher.spawn(
            verb,
            arguments,
            [null.as_fd(), theirs.as_fd(), theirs.as_fd()],
        )?;
        self.add_job(pid, Some(errors), work, client)
    }

    /// Runs a launcher that passes its stdio on to the process that it makes.
    pub fn launch_task(
        &mut self,
        key: usize,
        arguments: &[&str],
        pid_file: String,
        client: Option<usize>,
    ) -> Result<()> {
        let task = self
            .tasks
            .get_mut(&key)
            .ok_or_else(|| Error::new(Code::Internal, "no such task"))?;
        let theirs = task
            .theirs
            .take()
            .ok_or_else(|| Error::new(Code::FailedPrecondition, "it has been started"))?;
        let pid = self.launcher.spawn(
            "exec",
            arguments,
            [
                theirs.stdin.as_fd(),
                theirs.stdout.as_fd(),
                theirs.stderr.as_fd(),
            ],
        )?;
        task.phase = Phase::Starting;
        if let Some(console) = &task.console {
            self.poll
                .watch(console.listener(), Token::Console(key), EventFlags::IN)?;
        }
        self.add_job(pid, None, Work::Exec(key, pid_file), client)
    }

    pub fn add_job(
        &mut self,
        pid: i32,
        errors: Option<OwnedFd>,
        work: Work,
        client: Option<usize>,
    ) -> Result<()> {
        let pidfd = process::pidfd_open(pid).context(|| "watch the launcher")?;
        self.poll
            .watch(&pidfd, Token::Job(pid as usize), EventFlags::IN)?;
        self.jobs.push(Job {
            pid,
            pidfd,
            errors,
            work,
            client,
            ended: None,
        });
        Ok(())
    }

    pub fn job_may_have_ended(&mut self, pid: i32) -> Result<()> {
        if let Some(job) = self
            .jobs
            .iter_mut()
            .find(|job| job.pid == pid && job.ended.is_none())
        {
            job.ended = process::try_wait(pid).map(|(_, ended)| ended);
        }
        Ok(())
    }

    pub fn finish_jobs(&mut self) -> Result<()> {
        while let Some(position) = self.jobs.iter().position(|job| job.ended.is_some()) {
            let job = self.jobs.swap_remove(position);
            self.poll.forget(&job.pidfd);
            let ended = job.ended.expect("was looked for");
            let result = match &job.work {
                Work::Start => self.started(launcher::check(
                    "start",
                    ended,
                    &job.errors.as_ref().expect("has its own"),
                )),
                Work::Exec(key, pid_file) => self.entered(*key, pid_file, ended),
                Work::Pause | Work::Hold => {
                    launcher::check("pause", ended, &job.errors.as_ref().expect("has its own"))
                        .map(|()| self.note(Status::Running, Status::Paused))
                }
                Work::Resume => {
                    launcher::check("resume", ended, &job.errors.as_ref().expect("has its own"))
                        .map(|()| self.note(Status::Paused, Status::Running))
                }
                Work::Create => {
                    self.made_again(ended);
                    Ok(())
                }
                Work::Clear => {
                    self.cleared();
                    Ok(())
                }
                Work::CleanUp => {
                    self.cleaned_up();
                    Ok(())
                }
            };
            let held = job.work == Work::Hold && result.is_ok();
            if let Some(client) = job.client {
                self.answer(client, result.map(|()| json!({})));
                if held {
                    self.held_by(client)?;
                }
            }
            if job.makes_a_process() {
                self.reap_orphans();
            }
        }
        Ok(())
    }

    /// Writes a change of status, unless the container has ended meanwhile.
    fn note(&mut self, from: Status, to: Status) {
        if self.state.status == from {
            self.state.status = to;
            self.save(false);
        }
    }

    pub fn save(&self, durably: bool) {
        if let Err(error) = self.state.write(&self.config.state_file, durably) {
            crate::report(format_args!("{error}"));
        }
    }

    pub fn started(&mut self, result: Result<()>) -> Result<()> {
        let Some(task) = self.tasks.get_mut(&FIRST) else {
            return result;
        };
        match &result {
            Ok(()) => {
                task.phase = Phase::Running;
                // It may have ended before its launcher did.
                let now = crate::time::now();
                self.state.started_at = Some(match &task.exit {
                    Some(exit) => exit.exited_at.clone().min(now),
                    None => now,
                });
                self.running_since = Some(std::time::Instant::now());
                self.ending = Ending::NotYet;
                self.watch_task(FIRST)?;
                // Before anybody is told: what comes of it must not stand before it.
                self.tell("start", &[]);
                if self
                    .tasks
                    .get(&FIRST)
                    .is_some_and(|task| task.exit.is_none())
                {
                    self.state.status = Status::Running;
                    self.state.exit = None;
                    self.save(false);
                }
                self.start_clock();
                self.start_checking();
                self.answer_restarts(&Ok(json!({})));
            }
            Err(error) => {
                task.phase = Phase::Waiting;
                self.start_error = Some(error.message.clone());
                if let Some(exit) = &mut task.exit {
                    exit.error = Some(error.message.clone());
                    exit.code = code_of_failure(error);
                }
            }
        }
        result
    }

    /// The launcher of one more process has ended.
    fn entered(&mut self, key: usize, pid_file: &str, ended: Ended) -> Result<()> {
        let process_file = self.process_file(key);
        let Some(task) = self.tasks.get_mut(&key) else {
            return Ok(());
        };
        let errors = task
            .stderr
            .as_ref()
            .expect("is kept until the process runs");
        let result = launcher::check("exec", ended, errors).and_then(|()| {
            let text = self.run.read(pid_file)?;
            task.pid = text
                .trim()
                .parse()
                .map_err(|_| Error::new(Code::Internal, format!("{pid_file} holds {text:?}")))?;
            task.pidfd = Some(
                process::pidfd_open(task.pid).context(|| format!("watch process {}", task.pid))?,
            );
            task.connect_terminal(&self.run)
        });
        self.run.forget(pid_file);
        self.run.forget(&process_file);
        match &result {
            Ok(()) => {
                task.phase = Phase::Running;
                if task.terminal {
                    task.stderr = None;
                }
                task.stdin.flush();
                let (action, id) = (
                    format!("exec_start: {}", task.command),
                    task.name.clone().unwrap_or_default(),
                );
                let told = task.name.is_some();
                self.watch_task(key)?;
                if told {
                    self.tell(&action, &[("execID", id)]);
                }
            }
            Err(error) => {
                task.exit = Some(Exit::failed(code_of_failure(error), error.message.clone()));
                task.stderr = None;
                task.stdout = None;
                task.phase = Phase::Running;
            }
        }
        result
    }
}

pub fn code_of_failure(error: &Error) -> i32 {
    match error.code {
        Code::CommandNotFound => 127,
        Code::CommandNotExecutable => 126,
        _ => 128,
    }
}
