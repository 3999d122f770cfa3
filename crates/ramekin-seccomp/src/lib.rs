//! Seccomp filters behind the interface of the crate `libseccomp`, as far as libcontainer calls it.
//!
//! The C library takes 12 ms to add the 1,000 rules of a container's profile one by one, and makes a program of as many
//! instructions, which the kernel then walks for every system call of its cache (1 ms). This one makes the same decisions
//! (tests/same_decisions.rs) by a search tree over ranges of numbers. The library is still asked for names.
//!
//! One decision differs, and is right here: of `SCMP_CMP_MASKED_EQ`, `value` is the mask and `valueTwo` what remains (OCI
//! runtime spec, config-linux.md). libcontainer 0.7 hands them over the other way round, by which `clone` with any flags
//! would pass where none that makes a namespace should.

mod action;
mod arch;
mod compare;
pub mod error;
mod filter;
mod load;
mod program;
mod syscall;

pub use action::ScmpAction;
pub use arch::ScmpArch;
pub use compare::{ScmpArgCompare, ScmpCompareOp};
pub use filter::ScmpFilterContext;
pub use program::Instruction;
pub use syscall::ScmpSyscall;
