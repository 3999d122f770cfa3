//! System calls that Ramekin's native parts share, each behind a small safe function.

pub mod build;
pub mod cgroup;
pub mod device_filter;
pub mod error;
pub mod flock;
pub mod idmap;
pub mod mount;
pub mod netns;
pub mod passwd;
pub mod probe;
pub mod process;
pub mod rooted;
pub mod tree;
pub mod userns;
pub mod write_back;
pub mod xattr;

pub use error::{Code, Context, Error, Result};
