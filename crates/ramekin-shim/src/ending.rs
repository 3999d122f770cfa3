//! The end of a process, and of the container with its first.

use std::time::{Duration, Instant};

use ramekin_sys::cgroup::Cgroup;
use ramekin_sys::process::{self, pidfd_signal, Ended};
use ramekin_sys::Result;
use serde_json::json;

use crate::cleanup;
use crate::connection::Role;
use crate::job::Work;
use crate::log::Stream;
use crate::shim::{Ending, Shim, FIRST};
use crate::state::Exit;
use crate::task::Phase;

/// A pipe whose other end is held by somebody who is not of the container (or left it) never ends: then this is its end.
const DRAIN: Duration = Duration::from_secs(1);
/// As podman has it.
const TIMED_OUT: i32 = 255;

impl Shim {
    pub fn task_may_have_ended(&mut self, key: usize) {
        let Some(task) = self
            .tasks
            .get(&key)
            .filter(|task| task.exit.is_none() && task.pid > 0)
        else {
            return;
        };
        if let Some((_, ended)) = process::try_wait(task.pid) {
            self.task_ended(key, ended);
        }
    }

    pub fn task_ended(&mut self, key: usize, ended: Ended) {
        let mut exit = Exit::of(ended);
        if key == FIRST {
            exit.oom_killed = self.cgroup().is_some_and(|cgroup| cgroup.oom_kills() > 0);
            if let Some(message) = &self.start_error {
                exit.error = Some(message.clone());
            }
            if std::mem::take(&mut self.timed_out) {
                exit.code = TIMED_OUT;
                exit.error = Some("the time limit was exceeded".into());
            }
            if !self.own_pids {
                self.signal_all(libc::SIGKILL);
            }
        }
        let Some(task) = self.tasks.get_mut(&key) else {
            return;
        };
        task.exit = Some(exit);
        task.drain_until = Some(Instant::now() + DRAIN);
        if let Some(pidfd) = task.pidfd.take() {
            self.poll.forget(&pidfd);
        }
        for stream in [Stream::Stdout, Stream::Stderr] {
            while self.may_drain(key, stream) && self.pump(stream, key) {}
        }
    }

    fn may_drain(&self, key: usize, stream: Stream) -> bool {
        self.tasks.get(&key).is_some_and(|task| {
            task.may_forward(stream) && !task.held_back && task.phase == Phase::Running
        }) && self
            .connections
            .values()
            .all(|connection| connection.outgoing.is_empty())
    }

    /// Tasks that have ended and whose output has, or is given up.
    pub fn finish_tasks(&mut self) {
        let now = Instant::now();
        let over = self.tasks.iter().filter(|(_, task)| {
            task.exit.is_some() && !matches!(task.phase, Phase::Ended | Phase::Starting)
        });
        let over = over.filter(|(_, task)| {
            // A first process that was never started has written nothing.
            task.phase == Phase::Waiting
                || !task.has_output()
                || (!task.held_back && task.drain_until.is_some_and(|until| now >= until))
        });
        let over: Vec<usize> = over.map(|(key, _)| *key).collect();
        over.into_iter().for_each(|key| self.finish(key));
    }

    fn finish(&mut self, key: usize) {
        self.forget_log(key);
        self.close_output(Stream::Stdout, key);
        let terminal = self.tasks.get(&key).is_some_and(|task| task.terminal);
        if !terminal {
            self.close_output(Stream::Stderr, key);
        }
        let Some(task) = self.tasks.get_mut(&key) else {
            return;
        };
        if let Some(stdin) = task.stdin.fd.take() {
            self.poll.forget(&stdin);
        }
        task.stderr = None;
        task.stdin.abandon();
        task.theirs = None;
        task.console = None;
        task.drain_until = None;
        task.phase = Phase::Ended;
        task.log.finish();
        self.state.dropped_records += task.log.take_dropped();
        if key == FIRST {
            let exit = task.exit.clone();
            self.run_ended(exit);
        }
        self.tell_end(key);
        match key {
            FIRST => self.running_since = None,
            _ => self.finish_check(key),
        }
        self.answer_waiters(key);
        let exit = self.tasks.get(&key).and_then(|task| task.exit.clone());
        self.tell_attached(key, &json!({ "exit": exit }));
        let mut forgotten = false;
        for connection in self.connections.values_mut() {
            match connection.role {
                Role::Attached(task) if task == key => connection.role = Role::Over,
                Role::Forgetting(task) if task == key => {
                    connection.answer(&Ok(json!({})));
                    forgotten = true;
                }
                _ => {}
            }
        }
        if forgotten {
            self.tasks.remove(&key);
        }
    }

    /// Of a health check, its result; its task goes.
    fn finish_check(&mut self, key: usize) {
        if self.tasks.get(&key).is_some_and(|task| task.name.is_none()) {
            if let Some(mut task) = self.tasks.remove(&key) {
                self.check_ended(key, task.exit.as_ref(), &task.log.take_kept());
            }
        }
    }

    /// Of what has run.
    fn tell_end(&self, key: usize) {
        let Some((task, exit)) = self
            .tasks
            .get(&key)
            .and_then(|task| Some((task, task.exit.as_ref()?)))
        else {
            return;
        };
        let code = ("exitCode", exit.code.to_string());
        match (&task.name, self.running_since) {
            (Some(id), _) if task.pid > 0 => {
                self.tell("exec_die", &[("execID", id.clone()), code]);
            }
            (None, Some(since)) if key == FIRST => {
                if exit.oom_killed {
                    self.tell("oom", &[]);
                }
                let seconds = since.elapsed().as_secs().to_string();
                self.tell("die", &[code, ("execDuration", seconds)]);
            }
            _ => {}
        }
    }

    /// In a pid namespace of its own the kernel has killed them already.
    pub fn kill_others(&self) {
        for task in self.tasks.values() {
            if let (Some(pidfd), None) = (&task.pidfd, &task.exit) {
                let _ = pidfd_signal(pidfd, libc::SIGKILL);
            }
        }
    }

    pub fn answer_waiters(&mut self, key: usize) {
        let Some(task) = self
            .tasks
            .get(&key)
            .filter(|task| task.phase == Phase::Ended)
        else {
            return;
        };
        let answer = Ok(json!(task.exit));
        let waiting = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.role == Role::Waiting(key));
        let waiting: Vec<usize> = waiting.map(|(client, _)| *client).collect();
        for client in waiting {
            self.answer(client, answer.clone());
        }
    }

    pub fn cgroup(&self) -> Option<Cgroup> {
        Cgroup::find(self.config.cgroup.as_deref()?).ok()
    }

    pub fn signal_all(&self, signal: i32) {
        match self.cgroup() {
            Some(cgroup) if signal == libc::SIGKILL => {
                cgroup.kill_all(Duration::from_millis(200));
            }
            Some(cgroup) => cgroup.signal(signal),
            None => {}
        }
    }

    /// What is left to do may take long; a child does it, in our mount namespace, and we go on answering.
    pub fn clean_up(&mut self) -> Result<()> {
        self.root = None;
        self.ending = Ending::CleaningUp;
        // SAFETY: this process has one thread; the child does not return from here.
        match unsafe { libc::fork() } {
            -1 => {
                crate::report(format_args!(
                    "fork: {}; cleaning up without",
                    std::io::Error::last_os_error()
                ));
                cleanup::after_exit(&self.config, &self.run, &self.launcher);
                self.cleaned_up();
                Ok(())
            }
            0 => {
                self.connections.clear();
                cleanup::after_exit(&self.config, &self.run, &self.launcher);
                // SAFETY: ends the child without running what its parent still needs.
                unsafe { libc::_exit(0) }
            }
            pid => self.add_job(pid, None, Work::CleanUp, None),
        }
    }

    pub fn cleaned_up(&mut self) {
        if let Some(listener) = self.listener.take() {
            self.poll.forget(&listener);
        }
        self.run.forget("sock");
        self.linger();
        self.answer_deletions();
    }

    /// Their connections stay open until we end: their closing says that we have.
    pub fn answer_deletions(&mut self) {
        for connection in self
            .connections
            .values_mut()
            .filter(|connection| connection.role == Role::Deleting)
        {
            connection.role = Role::Farewell;
            connection.send_json(&json!({ "ok": {} }));
        }
    }
}
