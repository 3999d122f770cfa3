//! What is asked for: rules by system call, gathered for every architecture.

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;

use crate::action::ScmpAction;
use crate::arch::{audit, is_64_bit, is_known, ScmpArch};
use crate::compare::{ScmpArgCompare, ScmpCompareOp};
use crate::error::{Result, SeccompError};
use crate::program::{self, Instruction, Policy, Rule};
use crate::syscall::{Number, ScmpSyscall};

pub struct ScmpFilterContext {
    default: ScmpAction,
    architectures: Vec<u32>,
    /// By what the kernel calls the architecture.
    policies: BTreeMap<u32, Policy>,
    pub(crate) flags: libc::c_ulong,
    pub(crate) wait_killable: bool,
    pub(crate) notifies: bool,
    listener: OnceLock<OwnedFd>,
}

impl ScmpFilterContext {
    pub fn new(default: ScmpAction) -> Result<Self> {
        let mut context = ScmpFilterContext {
            default,
            architectures: Vec::new(),
            policies: BTreeMap::new(),
            flags: 0,
            wait_killable: false,
            notifies: false,
            listener: OnceLock::new(),
        };
        context.add_arch(ScmpArch::Native)?;
        Ok(context)
    }

    /// One that is there already changes nothing. Rules apply to the architectures that were added before them.
    pub fn add_arch(&mut self, arch: ScmpArch) -> Result<&mut Self> {
        let token = arch.token();
        if !is_known(token) {
            return Err(SeccompError(format!("no filters for {arch:?} here")));
        }
        if !self.architectures.contains(&token) {
            self.architectures.push(token);
            let policy = self.policies.entry(audit(token)).or_default();
            policy.x32 |= arch == ScmpArch::X32;
        }
        Ok(self)
    }

    pub fn add_rule(&mut self, action: ScmpAction, syscall: ScmpSyscall) -> Result<&mut Self> {
        self.add_rule_conditional(action, syscall, &[])
    }

    /// All of `comparators` must hold.
    pub fn add_rule_conditional(
        &mut self,
        action: ScmpAction,
        syscall: ScmpSyscall,
        comparators: &[ScmpArgCompare],
    ) -> Result<&mut Self> {
        if let Some(bad) = comparators.iter().find(|one| one.argument > 5) {
            return Err(SeccompError(format!("no argument {}", bad.argument)));
        }
        self.notifies |= action == ScmpAction::Notify;
        for token in &self.architectures {
            let rule = |comparators: &[ScmpArgCompare]| Rule {
                action,
                comparators: comparators.to_vec(),
                wide: is_64_bit(*token),
            };
            let policy = self.policies.entry(audit(*token)).or_default();
            match syscall.number(*token) {
                Number::Plain(number) => policy.add(number, rule(comparators)),
                Number::Multiplexed {
                    through,
                    function,
                    plain,
                } => {
                    // The call's own arguments are in memory, out of a filter's sight; its first names the function.
                    let function =
                        ScmpArgCompare::new(0, ScmpCompareOp::Equal, u64::from(function));
                    let others = comparators.iter().filter(|one| one.argument != 0).copied();
                    let all: Vec<_> = std::iter::once(function).chain(others).collect();
                    policy.add(through, rule(&all));
                    if let Some(plain) = plain {
                        policy.add(plain, rule(comparators));
                    }
                }
                Number::Absent => {}
            }
        }
        Ok(self)
    }

    pub fn set_ctl_log(&mut self, state: bool) -> Result<&mut Self> {
        self.flag(libc::SECCOMP_FILTER_FLAG_LOG, state)
    }

    pub fn set_ctl_tsync(&mut self, state: bool) -> Result<&mut Self> {
        self.flag(libc::SECCOMP_FILTER_FLAG_TSYNC, state)
    }

    pub fn set_ctl_ssb(&mut self, state: bool) -> Result<&mut Self> {
        self.flag(libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW, state)
    }

    pub fn set_ctl_waitkill(&mut self, state: bool) -> Result<&mut Self> {
        self.wait_killable = state;
        Ok(self)
    }

    /// no_new_privs is the caller's to set: only `false` is taken.
    pub fn set_ctl_nnp(&mut self, state: bool) -> Result<&mut Self> {
        match state {
            false => Ok(self),
            true => Err(SeccompError("no_new_privs is not set here".into())),
        }
    }

    fn flag(&mut self, flag: libc::c_ulong, state: bool) -> Result<&mut Self> {
        self.flags = if state {
            self.flags | flag
        } else {
            self.flags & !flag
        };
        Ok(self)
    }

    /// The program that `load` gives to the kernel.
    pub fn program(&self) -> Result<Vec<Instruction>> {
        program::compile(&self.policies, self.default)
    }

    /// For the calling thread, from now on.
    pub fn load(&self) -> Result<()> {
        if let Some(listener) = crate::load::load(self)? {
            let _ = self.listener.set(listener);
        }
        Ok(())
    }

    /// Of a filter with a rule that notifies, once it is loaded; it is the caller's.
    pub fn get_notify_fd(&self) -> Result<RawFd> {
        let listener = self
            .listener
            .get()
            .ok_or_else(|| SeccompError("the filter notifies nobody".into()))?;
        // SAFETY: a descriptor that is open; the copy is the caller's.
        match unsafe { libc::fcntl(listener.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 0) } {
            -1 => Err(SeccompError(std::io::Error::last_os_error().to_string())),
            copy => Ok(copy),
        }
    }
}
