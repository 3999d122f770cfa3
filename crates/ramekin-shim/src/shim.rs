//! The supervisor itself: one thread, one loop.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use ramekin_sys::rooted::Root;
use ramekin_sys::{process, Result};
use rustix::event::epoll::EventFlags;

use crate::config::Config;
use crate::connection::{Connection, Role};
use crate::health::Monitor;
use crate::job::Job;
use crate::launcher::Launcher;
use crate::log::Stream;
use crate::poll::{Poll, Token};
use crate::prepare::Final;
use crate::restart::{Interval, Restarts, Step};
use crate::run_directory::RunDirectory;
use crate::starting::Starting;
use crate::state::{State, Status};
use crate::task::Task;

/// Key of the container's first process among the tasks.
pub const FIRST: usize = 0;
/// How long sockets may take to deliver the last words.
const LINGER: Duration = Duration::from_secs(10);
/// How long those who were attached and have all their words may take to hang up.
const HANG_UP: Duration = Duration::from_secs(2);
/// Buffers are given back after this much quiet.
const QUIET_MS: u64 = 200;

pub struct Shim {
    pub config: Config,
    pub run: RunDirectory,
    pub launcher: Launcher,
    pub state: State,
    /// For user look-ups; gone once the container is.
    pub root: Option<Root>,
    pub own_pids: bool,
    pub maps_ids: bool,
    pub tasks: BTreeMap<usize, Task>,
    pub connections: BTreeMap<usize, Connection>,
    pub jobs: Vec<Job>,
    pub poll: Poll,
    pub listener: Option<UnixListener>,
    pub children: OwnedFd,
    /// Where bytes pass through; empty while there are none.
    pub buffer: Vec<u8>,
    /// Something has happened since the last rest.
    pub restless: bool,
    pub next_key: usize,
    pub ending: Ending,
    /// Why the program did not run.
    pub start_error: Option<String>,
    /// What the bundle says of the first process.
    pub first: Final,
    pub starting: Option<Starting>,
    /// When the program began to run.
    pub running_since: Option<Instant>,
    pub restarts: Restarts,
    pub health: Monitor,
    /// When the run has taken too long.
    pub limit_at: Option<Instant>,
    /// It has.
    pub timed_out: bool,
    /// When one that was told to stop is killed.
    pub kill_at: Option<Instant>,
    /// How many records had been dropped when that was last written down.
    pub dropped_saved: Option<(u64, Instant)>,
    /// With whom the container is to die.
    pub parent: Option<OwnedFd>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    NotYet,
    /// The first process has ended, and another run follows.
    Between(Interval),
    /// The first process has ended; others may take until then.
    WaitingForTasks(Instant),
    CleaningUp,
    /// Sockets may take until then.
    Lingering(Instant),
}

impl Shim {
    pub fn key(&mut self) -> usize {
        self.next_key += 1;
        self.next_key
    }

    /// An event of this container, to whoever reads the journal.
    pub fn tell(&self, action: &str, more: &[(&str, String)]) {
        if let Some(journal) = &self.config.events {
            journal.tell(&self.config.id, action, more);
        }
    }

    pub fn serve(&mut self) -> Result<()> {
        self.poll
            .watch(&self.children, Token::Children, EventFlags::IN)?;
        if let Some(listener) = &self.listener {
            self.poll.watch(listener, Token::Listener, EventFlags::IN)?;
        }
        if let Some(parent) = &self.parent {
            self.poll.watch(parent, Token::Parent, EventFlags::IN)?;
        }
        self.watch_task(FIRST)?;
        while !self.is_over() {
            let events = self.poll.wait(self.timeout())?;
            match events.is_empty() {
                true if self.restless => self.rest(),
                _ => self.restless = true,
            }
            for (token, flags) in events {
                self.handle(token, flags)?;
            }
            self.settle()?;
        }
        Ok(())
    }

    fn handle(&mut self, token: Token, flags: EventFlags) -> Result<()> {
        match token {
            Token::Listener => self.accept(),
            Token::Children => self.reap_orphans(),
            Token::Connection(key) => self.serve_connection(key, flags),
            Token::Output(stream, key) => drop(self.pump(stream, key)),
            Token::Stdin(key) => self.feed(key, flags),
            Token::Log(key) => {
                self.forget_log(key);
                if let Some(task) = self.tasks.get_mut(&key) {
                    task.log.proceed();
                }
                self.note_dropped(key);
            }
            Token::Console(key) => self.connect_terminal(key),
            Token::Exit(key) => self.task_may_have_ended(key),
            Token::Started => self.start_may_be_over(),
            Token::Parent => self.bereaved()?,
            Token::Job(pid) => self.job_may_have_ended(pid as i32)?,
        }
        Ok(())
    }

    /// Its descriptor may be closed by what is done next.
    pub fn forget_log(&self, key: usize) {
        if let Some((fd, _)) = self.tasks.get(&key).and_then(|task| task.log.waits_on()) {
            self.poll.forget(fd);
        }
    }

    /// What a log has no room for is told, but not record by record.
    fn note_dropped(&mut self, key: usize) {
        let Some(task) = self.tasks.get_mut(&key) else {
            return;
        };
        self.state.dropped_records += task.log.take_dropped();
        let recent = self.dropped_saved.is_some_and(|(count, at)| {
            count == self.state.dropped_records || at.elapsed() < Duration::from_secs(1)
        });
        if self.state.dropped_records > 0 && !recent {
            self.dropped_saved = Some((self.state.dropped_records, Instant::now()));
            self.save(false);
        }
    }

    /// Before the launcher has ended: the program should find the size right as early as can be.
    fn connect_terminal(&mut self, key: usize) {
        if let Some(task) = self.tasks.get_mut(&key) {
            if let Err(error) = task.connect_terminal(&self.run) {
                crate::report(format_args!("{error}"));
            }
        }
    }

    fn accept(&mut self) {
        let Some(listener) = &self.listener else {
            return;
        };
        while let Ok((socket, _)) = listener.accept() {
            if socket.set_nonblocking(true).is_ok() {
                self.next_key += 1;
                self.connections
                    .insert(self.next_key, Connection::new(socket));
            }
        }
    }

    /// Processes that lost their parent come to us. While a launcher makes a process, we do not know which that is, and
    /// leave all alone: the job's end looks again.
    pub fn reap_orphans(&mut self) {
        let mut info = [0; 128];
        while rustix::io::read(&self.children, &mut info).is_ok_and(|read| read > 0) {}
        if self.jobs.iter().any(Job::makes_a_process) {
            return;
        }
        while let Some((pid, ended)) = process::try_wait(-1) {
            self.child_ended(pid, ended);
        }
    }

    pub fn child_ended(&mut self, pid: i32, ended: process::Ended) {
        if let Some(key) = self
            .tasks
            .iter()
            .find(|(_, task)| task.pid == pid && task.exit.is_none())
            .map(|(key, _)| *key)
        {
            self.task_ended(key, ended);
        } else if let Some(job) = self.jobs.iter_mut().find(|job| job.pid == pid) {
            job.ended = Some(ended);
        }
    }

    /// After events: flow control, ends, what to watch.
    fn settle(&mut self) -> Result<()> {
        self.finish_jobs()?;
        self.finish_tasks();
        self.hold_back_or_go_on()?;
        self.watch_inputs()?;
        self.watch_connections()?;
        self.advance_health()?;
        self.advance_limits()?;
        self.advance_interval()?;
        self.advance_ending()
    }

    fn timeout(&self) -> Option<u64> {
        let ending = match self.ending {
            Ending::WaitingForTasks(until) | Ending::Lingering(until) => Some(until),
            Ending::Between(Interval {
                step: Step::Others(until),
                ..
            }) => Some(until),
            Ending::Between(Interval {
                step: Step::Waiting,
                until,
                ..
            }) => Some(until),
            Ending::NotYet | Ending::Between(_) | Ending::CleaningUp => None,
        };
        let draining = self.tasks.values().filter_map(|task| task.drain_until);
        let check = self.health.check.as_ref().and_then(|check| check.deadline);
        let due = self
            .health
            .next
            .filter(|_| self.state.status == Status::Running);
        let alarms = [ending, check, due, self.limit_at, self.kill_at];
        let next = draining
            .chain(alarms.into_iter().flatten())
            .min()
            .map(|until| until.saturating_duration_since(Instant::now()).as_millis() as u64 + 1);
        let quiet = self.restless.then_some(QUIET_MS);
        next.into_iter().chain(quiet).min()
    }

    /// Nothing has happened for a while: memory goes back to the kernel.
    fn rest(&mut self) {
        self.buffer = Vec::new();
        self.restless = false;
        crate::memory::give_back();
    }

    fn advance_ending(&mut self) -> Result<()> {
        match self.ending {
            Ending::WaitingForTasks(until) if self.all_tasks_ended() || Instant::now() >= until => {
                self.clean_up()
            }
            _ => Ok(()),
        }
    }

    pub fn all_tasks_ended(&self) -> bool {
        self.jobs.is_empty()
            && self.starting.is_none()
            && self
                .tasks
                .values()
                .all(|task| task.phase == crate::task::Phase::Ended || task.pid == 0)
    }

    pub fn linger(&mut self) {
        let unsent = self
            .connections
            .values()
            .any(|connection| !connection.outgoing.is_empty());
        self.ending = Ending::Lingering(Instant::now() + if unsent { LINGER } else { HANG_UP });
    }

    fn is_over(&self) -> bool {
        match self.ending {
            Ending::Lingering(until) => {
                Instant::now() >= until || self.connections.values().all(Connection::has_all)
            }
            _ => false,
        }
    }

    /// Watches what a task that has just been launched can do.
    pub fn watch_task(&mut self, key: usize) -> Result<()> {
        let Some(task) = self.tasks.get(&key) else {
            return Ok(());
        };
        if let Some(pidfd) = &task.pidfd {
            self.poll.watch(pidfd, Token::Exit(key), EventFlags::IN)?;
        }
        for stream in [Stream::Stdout, Stream::Stderr] {
            if let Some(output) = task.output(stream).filter(|_| task.may_forward(stream)) {
                self.poll
                    .watch(output, Token::Output(stream, key), EventFlags::IN)?;
            }
        }
        if let (Some(stdin), false) = (&task.stdin.fd, task.terminal) {
            self.poll
                .watch(stdin.as_fd(), Token::Stdin(key), EventFlags::empty())?;
        }
        Ok(())
    }

    /// Drops a connection, and tells the process that it has gone.
    pub fn disconnect(&mut self, key: usize) {
        let Some(connection) = self.connections.remove(&key) else {
            return;
        };
        self.poll.forget(&connection.socket);
        if let Role::Attached(task) = connection.role {
            if let Some(task) = self.tasks.get_mut(&task) {
                task.stdin.detached();
            }
        }
        if connection.role == Role::Holding {
            if let Err(error) = self.let_go() {
                crate::report(format_args!("resume what was held: {error}"));
            }
        }
    }
}
