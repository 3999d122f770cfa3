//! What is safe and quick inside of Node's process: locks, digests, codecs. Glue only; the work is in the pure crates.

// Without Node there is nobody to call what is exported.
#![cfg_attr(test, allow(dead_code))]

mod codec;
mod digest;
mod flock;
mod queue;
mod sync;

use napi_derive::napi;

/// The id of the build; `@ramekin/native` refuses parts of different builds.
#[napi]
pub fn build_id() -> String {
    ramekin_sys::build::id()
}
