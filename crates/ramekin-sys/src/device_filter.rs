//! Which devices the processes of a control group may use, on cgroup v2: a small BPF program (cgroup v1 has files for it).
//!
//! Written out here, instruction by instruction, since the alternative is a C library and its build: the program only
//! compares four numbers with a list.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

/// OCI runtime spec, config-linux.md, "Allowed Device list".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    pub allow: bool,
    /// `None`: both kinds.
    pub kind: Option<Kind>,
    /// `None`: every number.
    pub major: Option<u32>,
    pub minor: Option<u32>,
    /// Of MKNOD, READ, WRITE.
    pub access: u32,
}

/// linux/bpf.h, BPF_DEVCG_DEV_*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Block = 1,
    Char = 2,
}

/// linux/bpf.h, BPF_DEVCG_ACC_*.
pub const MKNOD: u32 = 1;
pub const READ: u32 = 2;
pub const WRITE: u32 = 4;
pub const ALL: u32 = MKNOD | READ | WRITE;

/// Of struct bpf_insn.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Instruction {
    code: u8,
    /// Destination in the low half, source in the high one.
    registers: u8,
    offset: i16,
    value: i32,
}

const LOAD_WORD: u8 = 0x61;
const AND: u8 = 0x54;
const SHIFT_RIGHT: u8 = 0x74;
const MOVE: u8 = 0xbc;
const MOVE_VALUE: u8 = 0xb4;
const JUMP_IF_NOT: u8 = 0x56;
const JUMP_IF: u8 = 0x16;
const EXIT: u8 = 0x95;

/// Puts the program on the control group; what none of the rules allows is denied, and of several that match the last holds.
pub fn attach(cgroup: &Path, rules: &[Rule]) -> io::Result<()> {
    let directory = File::open(cgroup)?;
    let program = load(&compile(rules))?;
    #[repr(C)]
    struct Attach {
        target: i32,
        program: i32,
        kind: u32,
        flags: u32,
    }
    const BPF_PROG_ATTACH: i32 = 8;
    const BPF_CGROUP_DEVICE: u32 = 6;
    // Beside those of the groups above, all of which have to agree.
    const BPF_F_ALLOW_MULTI: u32 = 2;
    let attributes = Attach {
        target: directory.as_raw_fd(),
        program: program.as_raw_fd(),
        kind: BPF_CGROUP_DEVICE,
        flags: BPF_F_ALLOW_MULTI,
    };
    bpf(BPF_PROG_ATTACH, &attributes).map(drop)
}

fn load(program: &[Instruction]) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Load {
        kind: u32,
        count: u32,
        instructions: u64,
        license: u64,
        log_level: u32,
        log_size: u32,
        log: u64,
        kernel_version: u32,
        flags: u32,
    }
    const BPF_PROG_LOAD: i32 = 5;
    const BPF_PROG_TYPE_CGROUP_DEVICE: u32 = 15;
    let attributes = Load {
        kind: BPF_PROG_TYPE_CGROUP_DEVICE,
        count: program.len() as u32,
        instructions: program.as_ptr().addr() as u64,
        license: c"Apache-2.0".as_ptr().addr() as u64,
        log_level: 0,
        log_size: 0,
        log: 0,
        kernel_version: 0,
        flags: 0,
    };
    let descriptor = bpf(BPF_PROG_LOAD, &attributes)?;
    // SAFETY: just opened, owned by nobody else; close-on-exec by definition.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn bpf<T>(command: i32, attributes: &T) -> io::Result<i32> {
    // SAFETY: a structure that outlives the call, with its own size; what it points to does too.
    match unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_ref(attributes),
            size_of::<T>(),
        )
    } {
        -1 => Err(io::Error::last_os_error()),
        result => Ok(result as i32),
    }
}

/// r2 kind, r3 access, r4 major, r5 minor; r1 is free after the first four instructions.
fn compile(rules: &[Rule]) -> Vec<Instruction> {
    let mut program = vec![
        of(LOAD_WORD, 2, 1, 0, 0),
        of(AND, 2, 0, 0, 0xffff),
        of(LOAD_WORD, 3, 1, 0, 0),
        of(SHIFT_RIGHT, 3, 0, 0, 16),
        of(LOAD_WORD, 4, 1, 4, 0),
        of(LOAD_WORD, 5, 1, 8, 0),
    ];
    for rule in rules.iter().rev() {
        let block = block(rule);
        let length = block.len();
        // Nothing comes after a rule for everything: the verifier refuses what cannot be reached.
        let last = length == answer(rule.allow).len();
        for (position, mut instruction) in block.into_iter().enumerate() {
            if matches!(instruction.code, JUMP_IF | JUMP_IF_NOT) {
                instruction.offset = (length - position - 1) as i16;
            }
            program.push(instruction);
        }
        if last {
            return program;
        }
    }
    program.extend(answer(false));
    program
}

/// Each jump leaves the block; its distance is filled in later.
fn block(rule: &Rule) -> Vec<Instruction> {
    let mut block = Vec::new();
    if let Some(kind) = rule.kind {
        block.push(of(JUMP_IF_NOT, 2, 0, 0, kind as i32));
    }
    if rule.access != ALL {
        block.push(of(MOVE, 1, 3, 0, 0));
        // Allowed: nothing beyond the rule is asked for. Denied: anything of the rule is.
        let (mask, leave) = if rule.allow {
            (!rule.access & ALL, JUMP_IF_NOT)
        } else {
            (rule.access, JUMP_IF)
        };
        block.push(of(AND, 1, 0, 0, mask as i32));
        block.push(of(leave, 1, 0, 0, 0));
    }
    for (register, number) in [(4, rule.major), (5, rule.minor)] {
        if let Some(number) = number {
            block.push(of(JUMP_IF_NOT, register, 0, 0, number as i32));
        }
    }
    block.extend(answer(rule.allow));
    block
}

fn answer(allow: bool) -> [Instruction; 2] {
    [
        of(MOVE_VALUE, 0, 0, 0, i32::from(allow)),
        of(EXIT, 0, 0, 0, 0),
    ]
}

fn of(code: u8, to: u8, from: u8, offset: i16, value: i32) -> Instruction {
    Instruction {
        code,
        registers: to | from << 4,
        offset,
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would answer.
    fn run(rules: &[Rule], kind: Kind, access: u32, major: u32, minor: u32) -> bool {
        let program = compile(rules);
        let context = [access << 16 | kind as u32, major, minor];
        let (mut registers, mut at) = ([0_u32; 11], 0);
        loop {
            let Instruction {
                code,
                registers: pair,
                offset,
                value,
            } = program[at];
            let (to, from) = ((pair & 15) as usize, (pair >> 4) as usize);
            at += 1;
            match code {
                LOAD_WORD => registers[to] = context[offset as usize / 4],
                AND => registers[to] &= value as u32,
                SHIFT_RIGHT => registers[to] >>= value,
                MOVE => registers[to] = registers[from],
                MOVE_VALUE => registers[to] = value as u32,
                JUMP_IF if registers[to] == value as u32 => at += offset as usize,
                JUMP_IF_NOT if registers[to] != value as u32 => at += offset as usize,
                JUMP_IF | JUMP_IF_NOT => {}
                EXIT => return registers[0] == 1,
                _ => panic!("unknown instruction {code:#x}"),
            }
        }
    }

    fn rule(
        allow: bool,
        kind: Option<Kind>,
        major: Option<u32>,
        minor: Option<u32>,
        access: u32,
    ) -> Rule {
        Rule {
            allow,
            kind,
            major,
            minor,
            access,
        }
    }

    #[test]
    fn what_no_rule_names_is_denied() {
        let null = rule(true, Some(Kind::Char), Some(1), Some(3), ALL);
        assert!(run(&[null], Kind::Char, READ | WRITE, 1, 3));
        assert!(!run(&[null], Kind::Block, READ, 1, 3));
        assert!(!run(&[null], Kind::Char, READ, 1, 4));
        assert!(!run(&[], Kind::Char, READ, 1, 3));
    }

    #[test]
    fn nodes_may_be_made_that_cannot_be_opened() {
        let rules = [
            rule(false, None, None, None, ALL),
            rule(true, Some(Kind::Char), None, None, MKNOD),
        ];
        assert!(run(&rules, Kind::Char, MKNOD, 10, 200));
        assert!(!run(&rules, Kind::Char, MKNOD | READ, 10, 200));
        assert!(!run(&rules, Kind::Block, MKNOD, 8, 0));
    }

    #[test]
    fn the_last_rule_that_matches_holds() {
        let rules = [
            rule(true, None, None, None, ALL),
            rule(false, Some(Kind::Block), Some(8), None, WRITE),
        ];
        assert!(run(&rules, Kind::Block, READ, 8, 1));
        assert!(!run(&rules, Kind::Block, READ | WRITE, 8, 1));
        assert!(run(&rules, Kind::Char, ALL, 10, 200));
    }

    /// Where this may be done at all, the kernel's verifier takes what we write.
    #[test]
    fn the_verifier_accepts_it() {
        let rules = [
            rule(false, None, None, None, ALL),
            rule(true, Some(Kind::Char), Some(1), Some(3), READ),
            rule(false, None, Some(8), None, WRITE),
        ];
        match load(&compile(&rules)) {
            Ok(_) => {}
            Err(error) if matches!(error.raw_os_error(), Some(libc::EPERM | libc::ENOSYS)) => {
                eprintln!("skipped: bpf(2): {error}")
            }
            Err(error) => panic!("{error}"),
        }
    }
}
