//! Each operation: its request, and the call that does it.

mod compare;
mod copy;
mod layers;
mod trees;

use ramekin_sys::{Code, Error, Result};
use serde::de::DeserializeOwned;
use serde::Serialize;
use serde_json::Value;

pub fn dispatch(operation: &str, request: Value) -> Result<Value> {
    match operation {
        "adopt" => call(operation, request, compare::adopt),
        "apply" => call(operation, request, layers::apply),
        "changes" => call(operation, request, compare::changes),
        "chown" => call(operation, request, copy::chown),
        "copy-tree" => call(operation, request, trees::copy),
        "diff" => call(operation, request, compare::diff),
        "look" => call(operation, request, copy::look),
        "mkfs-probe" => call(operation, request, trees::probe),
        "mount" => call(operation, request, trees::mount),
        "pack" => call(operation, request, copy::pack),
        "populate" => call(operation, request, copy::populate),
        "read" => call(operation, request, compare::read),
        "remove-tree" => call(operation, request, trees::remove),
        "unmount" => call(operation, request, trees::unmount),
        "unpack" => call(operation, request, copy::unpack),
        "usage" => call(operation, request, trees::usage),
        _ => Err(Error::new(
            Code::Unsupported,
            format!("unknown operation {operation}"),
        )),
    }
}

/// Unknown fields are ignored: an older binary answers a newer caller as well as it can.
fn call<Q: DeserializeOwned, A: Serialize>(
    operation: &str,
    request: Value,
    run: fn(Q) -> Result<A>,
) -> Result<Value> {
    let request = serde_json::from_value(request).map_err(|error| {
        Error::new(
            Code::InvalidArgument,
            format!("{operation}: bad request: {error}"),
        )
    })?;
    let answer = run(request)?;
    serde_json::to_value(answer)
        .map_err(|error| Error::new(Code::Internal, format!("{operation}: {error}")))
}
