//! What each request does. `None`: the answer comes later.

use ramekin_sys::process::pidfd_signal;
use ramekin_sys::{Code, Context, Error, Result};
use serde_json::{json, Value};

use crate::connection::Role;
use crate::job::Work;
use crate::request::Request;
use crate::shim::{Ending, Shim, FIRST};
use crate::state::Status;
use crate::stdio::Console;
use crate::task::{Phase, Task};
use crate::{grace_period, prepare, sources, spec, unprivileged};

fn parse<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T> {
    serde_json::from_value(value.clone())
        .map_err(|error| Error::new(Code::InvalidArgument, format!("request: {error}")))
}

impl Shim {
    pub fn operate(&mut self, client: usize, request: Request) -> Result<Option<Value>> {
        match request.op.as_str() {
            "state" => Ok(Some(self.describe())),
            "start" => self.start(client, &request),
            "kill" => self.kill(&request).map(|()| Some(json!({}))),
            "wait" => {
                let task = self.find(&request)?;
                self.wait_for(client, task);
                Ok(None)
            }
            "attach" => self.attach(client, &request),
            "resize" => {
                let key = self.find(&request)?;
                let task = self.tasks.get_mut(&key).expect("was found");
                task.resize((request.rows, request.columns))
                    .map(|()| Some(json!({})))
            }
            "exec" => self.exec(request).map(|()| Some(json!({}))),
            "delete" => self.delete(client, &request),
            "pause" => self.pause(client, Work::Pause),
            "hold" => self.pause(client, Work::Hold),
            "resume" => self.resume(client),
            "supervise" => self.supervise(&request).map(|()| Some(json!({}))),
            "restart" => self.restart(client, &request).map(|()| None),
            "check" => self.check(client),
            op => Err(Error::new(
                Code::Unsupported,
                format!("unknown operation {op:?}"),
            )),
        }
    }

    fn describe(&self) -> Value {
        let mut described = self.state.to_json();
        if let Some(health) = self.described_health() {
            described["health"] = health;
        }
        described["execs"] = self
            .tasks
            .values()
            .filter(|task| task.name.is_some())
            .map(Task::describe)
            .collect();
        described
    }

    fn find(&self, request: &Request) -> Result<usize> {
        let Some(name) = &request.exec else {
            return Ok(FIRST);
        };
        let found = self
            .tasks
            .iter()
            .find(|(_, task)| task.name.as_ref() == Some(name))
            .map(|(key, _)| *key);
        found.ok_or_else(|| {
            Error::new(
                Code::NotFound,
                format!("no process {name} in container {}", self.config.id),
            )
        })
    }

    pub fn become_role(&mut self, client: usize, role: Role) {
        if let Some(connection) = self.connections.get_mut(&client) {
            connection.role = role;
        }
    }

    pub fn wrong_status(&self) -> Error {
        let status = serde_json::to_value(self.state.status).unwrap_or_default();
        Error::new(
            Code::FailedPrecondition,
            format!(
                "container {} is {}",
                self.config.id,
                status.as_str().unwrap_or_default()
            ),
        )
    }

    fn start(&mut self, client: usize, request: &Request) -> Result<Option<Value>> {
        let key = self.find(request)?;
        let task = self.tasks.get_mut(&key).expect("was found");
        if key == FIRST {
            if self.state.status != Status::Created
                || task.phase != Phase::Waiting
                || task.exit.is_some()
            {
                return Err(match self.state.status {
                    Status::Created => Error::new(
                        Code::FailedPrecondition,
                        format!("container {} is being started", self.config.id),
                    ),
                    _ => self.wrong_status(),
                });
            }
            task.phase = Phase::Starting;
            if !self.start_directly(Some(client))? {
                self.launch(Work::Start, "start", &[], Some(client))?;
            }
        } else {
            if self.state.status != Status::Running {
                return Err(self.wrong_status());
            }
            let console = task.console.as_ref().map(|console| console.path.clone());
            let (pid_file, process_file) = (format!("exec-{key}.pid"), self.process_file(key));
            let (pid_path, process_path) = (self.run.path(&pid_file), self.run.path(&process_file));
            let (pid_path, process_path) =
                (pid_path.to_string_lossy(), process_path.to_string_lossy());
            let mut arguments = vec![
                "--process",
                &process_path,
                "--pid-file",
                &pid_path,
                "--detach",
            ];
            if let Some(console) = &console {
                arguments.extend(["--console-socket", console]);
            }
            self.launch_task(key, &arguments, pid_file, Some(client))?;
        }
        self.become_role(client, Role::Pending);
        Ok(None)
    }

    pub fn kill(&mut self, request: &Request) -> Result<()> {
        let signal = request.signal.filter(|signal| (1..=64).contains(signal));
        let signal = signal.ok_or_else(|| {
            Error::new(
                Code::InvalidArgument,
                "kill needs a signal between 1 and 64",
            )
        })?;
        let key = self.find(request)?;
        if request.is_final && key == FIRST {
            self.end_restarts();
        }
        let task = &self.tasks[&key];
        if let (Some(pidfd), None) = (&task.pidfd, &task.exit) {
            pidfd_signal(pidfd, signal).context(|| format!("kill process {}", task.pid))?;
        }
        if request.all {
            self.signal_all(signal);
        }
        // What is frozen dies when it thaws.
        if signal == libc::SIGKILL && self.state.status == Status::Paused {
            self.launch(Work::Resume, "resume", &[], None)?;
        }
        Ok(())
    }

    fn attach(&mut self, client: usize, request: &Request) -> Result<Option<Value>> {
        let key = self.find(request)?;
        let task = &self.tasks[&key];
        if key == FIRST && self.interval().is_some() {
            return Err(self.wrong_status());
        }
        if task.phase == Phase::Ended {
            return Err(Error::new(
                Code::FailedPrecondition,
                format!("the process has ended in container {}", self.config.id),
            ));
        }
        let answer = json!({ "ok": { "terminal": task.terminal, "stdin": task.stdin_mode() } });
        if let Some(connection) = self.connections.get_mut(&client) {
            connection.role = Role::Attached(key);
            connection.send_json(&answer);
        }
        Ok(None)
    }

    fn exec(&mut self, request: Request) -> Result<()> {
        let (Some(name), Some(mut process), Some(io)) = (request.id, request.process, request.io)
        else {
            return Err(Error::new(
                Code::InvalidArgument,
                "exec needs id, process and io",
            ));
        };
        if self
            .tasks
            .values()
            .any(|task| task.name.as_ref() == Some(&name))
        {
            return Err(Error::new(
                Code::AlreadyExists,
                format!("process {name} exists in container {}", self.config.id),
            ));
        }
        let (Status::Running, Some(root)) = (self.state.status, &self.root) else {
            return Err(self.wrong_status());
        };
        if self.config.cgroup.is_some() {
            grace_period::begin();
        }
        if request.user.is_some() || !request.groups.is_empty() {
            prepare::identify(root, &mut process, request.user.as_deref(), &request.groups)?;
        }
        process["terminal"] = io.terminal.into();
        if let Some(maps) = &self.config.userns {
            unprivileged::adapt_process(&mut process, &maps.gids);
        }
        prepare::limit(&mut process, self.config.userns.is_some());
        let key = self.key();
        let console = if io.terminal {
            Some(Console::listen(&self.run, format!("exec-{key}.console"))?)
        } else {
            None
        };
        let owner = (!self.maps_ids).then(|| prepare::uid_of(&process));
        let mut task = Task::new(
            Some(name),
            &io,
            owner,
            spec::console_size(&process),
            console,
        )?;
        task.command = spec::command_line(&process);
        if !request.variables.is_empty() {
            sources::set_variables(&request.variables, &mut process)?;
        }
        let file = self.run.path(&self.process_file(key));
        std::fs::write(&file, process.to_string()).context(|| file.display().to_string())?;
        self.tasks.insert(key, task);
        Ok(())
    }

    /// With secrets in the environment it is where the bundle is: in memory.
    pub fn process_file(&self, key: usize) -> String {
        match self.config.variables.is_empty() {
            true => format!("exec-{key}.json"),
            false => format!("bundle/exec-{key}.json"),
        }
    }

    fn delete(&mut self, client: usize, request: &Request) -> Result<Option<Value>> {
        if request.exec.is_some() {
            let key = self.find(request)?;
            let task = &self.tasks[&key];
            return match task.phase {
                Phase::Ended => {
                    self.tasks.remove(&key);
                    Ok(Some(json!({})))
                }
                Phase::Waiting => {
                    self.run.forget(&self.process_file(key));
                    self.run.forget(&format!("exec-{key}.console"));
                    self.tasks.remove(&key);
                    Ok(Some(json!({})))
                }
                _ if request.force => {
                    self.kill(&Request {
                        signal: Some(libc::SIGKILL),
                        exec: request.exec.clone(),
                        ..Request::default()
                    })?;
                    self.become_role(client, Role::Forgetting(key));
                    Ok(None)
                }
                _ => Err(Error::new(
                    Code::FailedPrecondition,
                    format!(
                        "process {} is running",
                        request.exec.as_deref().unwrap_or_default()
                    ),
                )),
            };
        }
        let ended = self.state.status == Status::Stopped
            || !matches!(self.ending, Ending::NotYet | Ending::Between(_));
        if !ended && !request.force {
            return Err(self.wrong_status().hint("stop it first, or force"));
        }
        if !ended {
            self.kill(&Request {
                signal: Some(libc::SIGKILL),
                is_final: true,
                ..Request::default()
            })?;
            self.signal_all(libc::SIGKILL);
        }
        self.become_role(client, Role::Deleting);
        if matches!(self.ending, Ending::Lingering(_)) {
            self.answer_deletions();
        }
        Ok(None)
    }

    /// `update` and `rename` of a container that runs: what it is to be from now on.
    fn supervise(&mut self, request: &Request) -> Result<()> {
        if !matches!(self.ending, Ending::NotYet | Ending::Between(_)) {
            return Err(self.wrong_status());
        }
        let changes = [("cleanup", &request.cleanup), ("events", &request.events)];
        let changes: Vec<(&str, &Value)> = changes
            .iter()
            .filter_map(|(name, value)| Some((*name, value.as_ref()?)))
            .collect();
        let cleanup = request.cleanup.as_ref().map(parse).transpose()?;
        let events = request.events.as_ref().map(parse).transpose()?;
        if !changes.is_empty() {
            // Whoever comes after us, should we be killed, goes by the file.
            self.run.change("shim.json", &changes)?;
        }
        if let Some(cleanup) = cleanup {
            self.config.cleanup = cleanup;
        }
        if let Some(events) = events {
            self.config.events = Some(events);
        }
        if let Some(policy) = request.restart {
            self.restarts.policy = policy;
        }
        Ok(())
    }

    /// One more health check, now; or the one that is under way.
    fn check(&mut self, client: usize) -> Result<Option<Value>> {
        if self.state.status != Status::Running {
            return Err(self.wrong_status());
        }
        let key = self.begin_check()?;
        self.become_role(client, Role::Checking(key));
        Ok(None)
    }

    fn pause(&mut self, client: usize, work: Work) -> Result<Option<Value>> {
        if self.state.status != Status::Running {
            return Err(self.wrong_status());
        }
        self.launch(work, "pause", &[], Some(client))?;
        self.become_role(client, Role::Pending);
        Ok(None)
    }

    /// It is paused for `client`, who may have gone meanwhile.
    pub fn held_by(&mut self, client: usize) -> Result<()> {
        match self.connections.get_mut(&client) {
            Some(connection) if !connection.finished => {
                connection.role = Role::Holding;
                Ok(())
            }
            _ => self.let_go(),
        }
    }

    /// Who has held it has gone, perhaps by a kill: nothing may stay frozen for nobody.
    pub fn let_go(&mut self) -> Result<()> {
        let held = self
            .connections
            .values()
            .any(|connection| connection.role == Role::Holding);
        let resuming = self.jobs.iter().any(|job| job.work == Work::Resume);
        match held || resuming || self.state.status != Status::Paused {
            true => Ok(()),
            false => self.launch(Work::Resume, "resume", &[], None),
        }
    }

    fn resume(&mut self, client: usize) -> Result<Option<Value>> {
        if self.state.status != Status::Paused {
            return Err(self.wrong_status());
        }
        // From now on nobody holds it: a later pause is not theirs to end.
        for connection in self.connections.values_mut() {
            if connection.role == Role::Holding {
                connection.role = Role::Answered;
            }
        }
        self.launch(Work::Resume, "resume", &[], Some(client))?;
        self.become_role(client, Role::Pending);
        Ok(None)
    }
}
