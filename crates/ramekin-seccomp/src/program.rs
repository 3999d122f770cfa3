//! The filter as the kernel takes it, classic BPF: by architecture, then by a search tree over ranges of system call
//! numbers with the same answer, then by arguments where the answer depends on them.

use std::collections::BTreeMap;

use libseccomp_sys as sys;

use crate::action::ScmpAction;
use crate::arch::X32_BIT;
use crate::compare::{ScmpArgCompare, ScmpCompareOp};
use crate::error::{Result, SeccompError};

/// `struct sock_filter`
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    pub code: u16,
    pub jt: u8,
    pub jf: u8,
    pub k: u32,
}

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const AND: u16 = (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16;
const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const IF_GREATER: u16 = (libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K) as u16;
const IF_AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// `struct seccomp_data`: nr, arch, instruction_pointer, args[6].
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const ARGUMENTS: u32 = 16;

/// What libseccomp answers to an architecture that it was not told of.
const BAD_ARCHITECTURE: ScmpAction = ScmpAction::KillThread;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub action: ScmpAction,
    /// All must hold; none: always.
    pub comparators: Vec<ScmpArgCompare>,
    /// Compares 64 bits of an argument, not 32.
    pub wide: bool,
}

/// The rules of one architecture by number; numbers of x32 are among those of x86_64.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    rules: BTreeMap<u32, Vec<Rule>>,
    pub x32: bool,
}

impl Policy {
    /// As libseccomp has it: the first rule without a condition stands for all of the call; among others, those with fewer
    /// conditions go first.
    pub fn add(&mut self, number: u32, rule: Rule) {
        let rules = self.rules.entry(number).or_default();
        let is_decided = rules.iter().any(|known| known.comparators.is_empty());
        if is_decided || rules.contains(&rule) {
            return;
        }
        if rule.comparators.is_empty() {
            rules.clear();
        }
        rules.push(rule);
        rules.sort_by_key(|rule| rule.comparators.len());
    }
}

type Code = Vec<Instruction>;

pub(crate) fn compile(policies: &BTreeMap<u32, Policy>, default: ScmpAction) -> Result<Code> {
    let mut code = vec![load(ARCH)];
    for (audit, policy) in policies {
        let mut block = vec![load(NUMBER)];
        block.extend(search(&ranges(*audit, policy, default), default));
        let skip = jump(block.len())?;
        code.extend([branch(IF_EQUAL, *audit, 1, 0), skip]);
        code.append(&mut block);
    }
    code.push(answer(BAD_ARCHITECTURE));
    Ok(code)
}

/// Numbers from `first` to the next range's have the same answer.
struct Range<'a> {
    first: u32,
    answer: Answer<'a>,
}

#[derive(Clone, Copy, PartialEq)]
enum Answer<'a> {
    Always(ScmpAction),
    Depends(&'a [Rule]),
}

fn ranges(audit: u32, policy: &Policy, default: ScmpAction) -> Vec<Range<'_>> {
    // Where x32 was not asked for, its numbers are a foreign architecture's; but -1 is what a tracer writes to skip a call.
    let without_x32 = audit == sys::SCMP_ARCH_X86_64 && !policy.x32;
    let unlisted = |number: u32| match without_x32 && (X32_BIT..u32::MAX).contains(&number) {
        true => Answer::Always(BAD_ARCHITECTURE),
        false => Answer::Always(default),
    };
    let mut boundaries: BTreeMap<u32, Answer> = [0, X32_BIT, u32::MAX]
        .map(|number| (number, unlisted(number)))
        .into();
    for (number, rules) in &policy.rules {
        let answer = match &rules[..] {
            [rule] if rule.comparators.is_empty() => Answer::Always(rule.action),
            rules => Answer::Depends(rules),
        };
        boundaries.insert(*number, answer);
        if let Some(next) = number.checked_add(1) {
            boundaries.entry(next).or_insert_with(|| unlisted(next));
        }
    }
    merged(boundaries)
}

fn merged(boundaries: BTreeMap<u32, Answer<'_>>) -> Vec<Range<'_>> {
    let mut ranges: Vec<Range> = Vec::new();
    for (first, answer) in boundaries {
        if ranges.last().is_none_or(|last| last.answer != answer) {
            ranges.push(Range { first, answer });
        }
    }
    ranges
}

/// With the number in the accumulator.
fn search(ranges: &[Range], default: ScmpAction) -> Code {
    match ranges {
        [] => Code::new(),
        [only] => match only.answer {
            Answer::Always(action) => vec![answer(action)],
            Answer::Depends(rules) => decide(rules, default),
        },
        _ => {
            let (low, high) = ranges.split_at(ranges.len() / 2);
            let mut below = search(low, default);
            let mut code = match u8::try_from(below.len()) {
                Ok(length) => vec![branch(IF_AT_LEAST, high[0].first, length, 0)],
                // A conditional jump goes no further than 255.
                Err(_) => vec![
                    branch(IF_AT_LEAST, high[0].first, 0, 1),
                    Instruction {
                        code: JUMP,
                        jt: 0,
                        jf: 0,
                        k: below.len() as u32,
                    },
                ],
            };
            code.append(&mut below);
            code.extend(search(high, default));
            code
        }
    }
}

/// The first rule whose conditions hold.
fn decide(rules: &[Rule], default: ScmpAction) -> Code {
    let mut code = Code::new();
    for rule in rules {
        // From the end, so that each condition knows how far it is to the next rule.
        let mut block = vec![answer(rule.action)];
        for comparator in rule.comparators.iter().rev() {
            let mut test = condition(comparator, rule.wide, block.len() as u8);
            test.append(&mut block);
            block = test;
        }
        code.append(&mut block);
    }
    code.push(answer(default));
    code
}

/// Goes on behind itself if the condition holds, else `rest` instructions further. Six conditions of at most 6 instructions
/// are within the 255 of a jump.
fn condition(comparator: &ScmpArgCompare, wide: bool, rest: u8) -> Code {
    use ScmpCompareOp::*;
    let place = ARGUMENTS + 8 * comparator.argument;
    let (mask, value) = match comparator.op {
        MaskedEqual(remainder) => (comparator.value, remainder & comparator.value),
        _ => (u64::MAX, comparator.value),
    };
    let low = Half::new(place, mask as u32, value as u32);
    let high = Half::new(place + 4, (mask >> 32) as u32, (value >> 32) as u32);
    match (comparator.op, wide) {
        (Equal | MaskedEqual(_), false) => low.equal(0, rest),
        (NotEqual, false) => low.equal(rest, 0),
        (Greater, false) => low.ordered(IF_GREATER, 0, rest),
        (GreaterEqual, false) => low.ordered(IF_AT_LEAST, 0, rest),
        (Less, false) => low.ordered(IF_AT_LEAST, rest, 0),
        (LessOrEqual, false) => low.ordered(IF_GREATER, rest, 0),
        (Equal | MaskedEqual(_), true) => {
            let last = low.equal(0, rest);
            let mut code = high.equal(0, rest + last.len() as u8);
            code.extend(last);
            code
        }
        (NotEqual, true) => {
            let last = low.equal(rest, 0);
            let mut code = high.equal(0, last.len() as u8);
            code.extend(last);
            code
        }
        (Greater, true) => high.then(low.ordered(IF_GREATER, 0, rest), true, rest),
        (GreaterEqual, true) => high.then(low.ordered(IF_AT_LEAST, 0, rest), true, rest),
        (Less, true) => high.then(low.ordered(IF_AT_LEAST, rest, 0), false, rest),
        (LessOrEqual, true) => high.then(low.ordered(IF_GREATER, rest, 0), false, rest),
    }
}

/// 32 bits of an argument.
struct Half {
    place: u32,
    mask: u32,
    value: u32,
}

impl Half {
    fn new(place: u32, mask: u32, value: u32) -> Self {
        Half { place, mask, value }
    }

    fn equal(&self, yes: u8, no: u8) -> Code {
        let mut code = vec![load(self.place)];
        if self.mask != u32::MAX {
            code.push(Instruction {
                code: AND,
                jt: 0,
                jf: 0,
                k: self.mask,
            });
        }
        code.push(branch(IF_EQUAL, self.value, yes, no));
        code
    }

    fn ordered(&self, test: u16, yes: u8, no: u8) -> Code {
        vec![load(self.place), branch(test, self.value, yes, no)]
    }

    /// The upper half decides unless it is equal: `greater` says whether a greater one holds. `low` is the lower's test.
    fn then(&self, low: Code, greater: bool, rest: u8) -> Code {
        let length = low.len() as u8;
        let (above, below) = match greater {
            true => (length + 1, rest + length),
            false => (rest + length + 1, length),
        };
        let mut code = vec![
            load(self.place),
            branch(IF_GREATER, self.value, above, 0),
            branch(IF_EQUAL, self.value, 0, below),
        ];
        code.extend(low);
        code
    }
}

fn load(k: u32) -> Instruction {
    Instruction {
        code: LOAD,
        jt: 0,
        jf: 0,
        k,
    }
}

fn branch(code: u16, k: u32, jt: u8, jf: u8) -> Instruction {
    Instruction { code, jt, jf, k }
}

fn jump(over: usize) -> Result<Instruction> {
    let k = u32::try_from(over).map_err(|_| SeccompError("the filter is too long".into()))?;
    Ok(Instruction {
        code: JUMP,
        jt: 0,
        jf: 0,
        k,
    })
}

fn answer(action: ScmpAction) -> Instruction {
    Instruction {
        code: RETURN,
        jt: 0,
        jf: 0,
        k: action.value(),
    }
}
