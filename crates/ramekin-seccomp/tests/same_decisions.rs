//! Against the C library: for the same rules both programs must answer alike, whatever the call.

use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd};

use libseccomp::{
    Instruction, ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext,
    ScmpSyscall,
};
use libseccomp_sys as sys;
use serde_json::Value;

#[derive(Clone, Copy)]
struct Call {
    arch: u32,
    number: u32,
    arguments: [u64; 6],
}

/// The classic BPF that seccomp allows, over `struct seccomp_data`.
fn run(program: &[Instruction], call: &Call) -> u32 {
    let mut data = Vec::new();
    data.extend(call.number.to_le_bytes());
    data.extend(call.arch.to_le_bytes());
    data.extend([0; 8]);
    for argument in call.arguments {
        data.extend(argument.to_le_bytes());
    }
    let (mut accumulator, mut at) = (0_u32, 0);
    for _ in 0..program.len() {
        let Instruction { code, jt, jf, k } = program[at];
        let branch = |yes: bool| 1 + usize::from(if yes { jt } else { jf });
        at += match code {
            0x20 => {
                let word = data[k as usize..k as usize + 4].try_into().unwrap();
                accumulator = u32::from_le_bytes(word);
                1
            }
            0x54 => {
                accumulator &= k;
                1
            }
            0x05 => 1 + k as usize,
            0x15 => branch(accumulator == k),
            0x25 => branch(accumulator > k),
            0x35 => branch(accumulator >= k),
            0x06 => return k,
            other => panic!("instruction {other:#x}"),
        };
    }
    panic!("no end");
}

struct Rule {
    name: String,
    action: ScmpAction,
    comparators: Vec<(u32, ScmpCompareOp, u64)>,
}

fn ours(default: ScmpAction, arches: &[ScmpArch], rules: &[Rule]) -> Vec<Instruction> {
    let mut context = ScmpFilterContext::new(default).unwrap();
    for arch in arches {
        context.add_arch(*arch).unwrap();
    }
    for rule in rules {
        let Ok(syscall) = ScmpSyscall::from_name(&rule.name) else {
            continue;
        };
        let comparators: Vec<_> = rule
            .comparators
            .iter()
            .map(|(argument, op, value)| ScmpArgCompare::new(*argument, *op, *value))
            .collect();
        context
            .add_rule_conditional(rule.action, syscall, &comparators)
            .unwrap();
    }
    context.program().unwrap()
}

fn theirs(default: ScmpAction, arches: &[u32], rules: &[Rule]) -> Vec<Instruction> {
    // SAFETY: as seccomp_init(3) and the pages beside it describe; everything handed over outlives the calls.
    unsafe {
        let context = sys::seccomp_init(raw(default));
        for arch in arches {
            sys::seccomp_arch_add(context, *arch);
        }
        for rule in rules {
            let name = CString::new(rule.name.as_str()).unwrap();
            let number = sys::seccomp_syscall_resolve_name(name.as_ptr());
            if number == sys::__NR_SCMP_ERROR {
                continue;
            }
            let comparators: Vec<_> = rule
                .comparators
                .iter()
                .map(|(arg, op, value)| {
                    use sys::scmp_compare::*;
                    let (op, datum_a, datum_b) = match op {
                        ScmpCompareOp::NotEqual => (SCMP_CMP_NE, *value, 0),
                        ScmpCompareOp::Less => (SCMP_CMP_LT, *value, 0),
                        ScmpCompareOp::LessOrEqual => (SCMP_CMP_LE, *value, 0),
                        ScmpCompareOp::Equal => (SCMP_CMP_EQ, *value, 0),
                        ScmpCompareOp::GreaterEqual => (SCMP_CMP_GE, *value, 0),
                        ScmpCompareOp::Greater => (SCMP_CMP_GT, *value, 0),
                        ScmpCompareOp::MaskedEqual(left) => (SCMP_CMP_MASKED_EQ, *value, *left),
                    };
                    sys::scmp_arg_cmp {
                        arg: *arg,
                        op,
                        datum_a,
                        datum_b,
                    }
                })
                .collect();
            let result = sys::seccomp_rule_add_array(
                context,
                raw(rule.action),
                number,
                comparators.len() as u32,
                comparators.as_ptr(),
            );
            assert_eq!(result, 0, "{}", rule.name);
        }
        let mut file = File::from_raw_fd(libc::memfd_create(c"filter".as_ptr(), 0));
        assert_eq!(sys::seccomp_export_bpf(context, file.as_raw_fd()), 0);
        sys::seccomp_release(context);
        libc::lseek(file.as_raw_fd(), 0, libc::SEEK_SET);
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        bytes
            .chunks(8)
            .map(|word| Instruction {
                code: u16::from_le_bytes([word[0], word[1]]),
                jt: word[2],
                jf: word[3],
                k: u32::from_le_bytes(word[4..8].try_into().unwrap()),
            })
            .collect()
    }
}

fn raw(action: ScmpAction) -> u32 {
    match action {
        ScmpAction::Allow => sys::SCMP_ACT_ALLOW,
        ScmpAction::Errno(errno) => sys::SCMP_ACT_ERRNO(errno as u16),
        ScmpAction::KillProcess => sys::SCMP_ACT_KILL_PROCESS,
        ScmpAction::Log => sys::SCMP_ACT_LOG,
        other => panic!("{other:?}"),
    }
}

/// Every number up to well beyond the last, of both kinds of x86_64, with arguments around every value that rules name.
fn assert_same(mine: &[Instruction], library: &[Instruction], values: &[u64]) {
    let mut around: Vec<u64> = values
        .iter()
        .flat_map(|value| {
            [
                value.wrapping_sub(1),
                *value,
                value.wrapping_add(1),
                value | 1 << 40,
            ]
        })
        .chain([0, 1, u64::MAX, 0x1000_0000])
        .collect();
    around.sort_unstable();
    around.dedup();
    let numbers = (0..700).chain(0x4000_0000..0x4000_0300).chain([
        u32::MAX,
        u32::MAX - 1,
        0x3fff_ffff,
        0x8000_0000,
    ]);
    let arches = [
        sys::SCMP_ARCH_X86_64,
        sys::SCMP_ARCH_X86,
        sys::SCMP_ARCH_AARCH64,
    ];
    for number in numbers {
        for arch in arches {
            for argument in &around {
                for second in [0, 1, *argument] {
                    let arguments = [*argument, second, *argument, 0, 0, 0];
                    let call = Call {
                        arch,
                        number,
                        arguments,
                    };
                    let (mine, library) = (run(mine, &call), run(library, &call));
                    assert_eq!(
                        mine, library,
                        "call {number:#x} of {arch:#x} with {arguments:x?}: {mine:#x}, not {library:#x}"
                    );
                }
            }
        }
    }
}

fn default_profile() -> Vec<Rule> {
    let profile: Value = serde_json::from_str(include_str!("profile.json")).unwrap();
    let mut rules = Vec::new();
    for group in profile["syscalls"].as_array().unwrap() {
        let action = match group["action"].as_str().unwrap() {
            "SCMP_ACT_ALLOW" => ScmpAction::Allow,
            "SCMP_ACT_ERRNO" => ScmpAction::Errno(group["errnoRet"].as_i64().unwrap_or(1) as i32),
            other => panic!("{other}"),
        };
        let comparators: Vec<_> = group["args"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| {
                let op = match one["op"].as_str().unwrap() {
                    "SCMP_CMP_EQ" => ScmpCompareOp::Equal,
                    "SCMP_CMP_NE" => ScmpCompareOp::NotEqual,
                    "SCMP_CMP_LT" => ScmpCompareOp::Less,
                    "SCMP_CMP_GT" => ScmpCompareOp::Greater,
                    "SCMP_CMP_MASKED_EQ" => {
                        ScmpCompareOp::MaskedEqual(one["valueTwo"].as_u64().unwrap_or(0))
                    }
                    other => panic!("{other}"),
                };
                let index = one["index"].as_u64().unwrap() as u32;
                (index, op, one["value"].as_u64().unwrap())
            })
            .collect();
        for name in group["names"].as_array().unwrap() {
            rules.push(Rule {
                name: name.as_str().unwrap().into(),
                action,
                comparators: comparators.clone(),
            });
        }
    }
    rules
}

const ALL: ([ScmpArch; 3], [u32; 3]) = (
    [ScmpArch::X8664, ScmpArch::X86, ScmpArch::X32],
    [
        sys::SCMP_ARCH_X86_64,
        sys::SCMP_ARCH_X86,
        sys::SCMP_ARCH_X32,
    ],
);

#[test]
fn the_default_profile() {
    let rules = default_profile();
    let values: Vec<u64> = rules
        .iter()
        .flat_map(|rule| rule.comparators.iter().map(|(_, _, value)| *value))
        .collect();
    let default = ScmpAction::Errno(1);
    for count in 1..=3 {
        let mine = ours(default, &ALL.0[..count], &rules);
        let library = theirs(default, &ALL.1[..count], &rules);
        assert_same(&mine, &library, &values);
        assert!(
            mine.len() < library.len(),
            "{} of {}",
            mine.len(),
            library.len()
        );
    }
}

#[test]
fn every_comparison_of_64_and_of_32_bits() {
    use ScmpCompareOp::*;
    for value in [0, 7, 0xffff_ffff, 0x1_0000_0000, 0x12_3456_7890, u64::MAX] {
        for op in [
            NotEqual,
            Less,
            LessOrEqual,
            Equal,
            GreaterEqual,
            Greater,
            MaskedEqual(0),
            MaskedEqual(4),
        ] {
            let rules = [Rule {
                name: "personality".into(),
                action: ScmpAction::Allow,
                comparators: vec![(0, op, value)],
            }];
            let mine = ours(ScmpAction::Errno(1), &ALL.0, &rules);
            let library = theirs(ScmpAction::Errno(1), &ALL.1, &rules);
            assert_same(&mine, &library, &[value, 4, 5]);
        }
    }
}

#[test]
fn several_conditions_and_several_rules() {
    use ScmpCompareOp::*;
    let rule = |name: &str, action, comparators: &[(u32, ScmpCompareOp, u64)]| Rule {
        name: name.into(),
        action,
        comparators: comparators.to_vec(),
    };
    let allow = ScmpAction::Allow;
    let rules = [
        rule("personality", allow, &[(0, Equal, 8), (1, Greater, 0)]),
        rule("personality", allow, &[(0, Equal, 131_072)]),
        rule(
            "personality",
            allow,
            &[(2, LessOrEqual, 3), (1, NotEqual, 1)],
        ),
        // The rule without a condition stands for all of the call, whichever comes first.
        rule("mount", allow, &[(0, Equal, 8)]),
        rule("mount", ScmpAction::Errno(38), &[]),
        rule("chmod", ScmpAction::Log, &[]),
        rule("chmod", allow, &[(0, Equal, 8)]),
        // Functions of socketcall and ipc on 32-bit x86.
        rule("socket", allow, &[(0, Less, 38)]),
        rule("bind", allow, &[]),
        rule("accept", allow, &[]),
        rule("shmat", allow, &[]),
        rule("semtimedop", allow, &[]),
        rule("recvmmsg", allow, &[]),
        rule("sendmmsg", allow, &[]),
    ];
    let mine = ours(ScmpAction::KillProcess, &ALL.0, &rules);
    let library = theirs(ScmpAction::KillProcess, &ALL.1, &rules);
    let functions: Vec<u64> = (0..26).collect();
    assert_same(&mine, &library, &[functions, vec![8, 38, 131_072]].concat());
}

/// OCI runtime spec, config-linux.md: `value` is the mask. A clone that makes a namespace is none of the allowed ones.
#[test]
fn a_clone_that_makes_a_namespace_is_refused() {
    const NEW_USER: u64 = 0x1000_0000;
    let program = ours(ScmpAction::Errno(1), &ALL.0, &default_profile());
    let clone = |flags| Call {
        arch: sys::SCMP_ARCH_X86_64,
        number: 56,
        arguments: [flags, 0, 0, 0, 0, 0],
    };
    assert_eq!(run(&program, &clone(17)), sys::SCMP_ACT_ALLOW);
    assert_eq!(run(&program, &clone(17 | NEW_USER)), sys::SCMP_ACT_ERRNO(1));
}

#[test]
fn an_architecture_with_calls_that_are_not_known_here_is_refused() {
    let mut context = ScmpFilterContext::new(ScmpAction::Allow).unwrap();
    assert!(context.add_arch(ScmpArch::S390X).is_err());
}
