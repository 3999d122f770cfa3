//! One line more in a journal of events.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use ramekin_sys::{Context, Result};
use serde_json::{json, Map, Value};

use crate::state::Exit;

/// The event with `time` (RFC 3339) and `exit` (as in the state file). One write at the end of the file: lines of several
/// writers do not mix.
pub fn append(file: &Path, event: &Map<String, Value>, exit: Option<&Exit>) -> Result<()> {
    let mut event = event.clone();
    event.insert("time".into(), crate::time::now().into());
    if let Some(exit) = exit {
        event.insert("exit".into(), json!(exit));
    }
    let what = || file.display().to_string();
    let mut out = File::options()
        .append(true)
        .create(true)
        .open(file)
        .context(what)?;
    out.write_all(format!("{}\n", Value::Object(event)).as_bytes())
        .context(what)
}
