//! What a container has changed, for people.

use std::io::Write;
use std::path::PathBuf;

use ramekin_sys::rooted::Root;
use ramekin_sys::{Context, Result};
use serde::Serialize;

use crate::compare::{compare, Kind, Upper};

/// Core's `Change`.
#[derive(Serialize)]
struct Change<'a> {
    path: &'a str,
    kind: &'static str,
}

/// A line of JSON each, in the order of their paths. A path that is not UTF-8 is shown as well as can be.
pub fn changes(
    lower: &Root,
    upper: &Upper,
    targets: &[PathBuf],
    sink: &mut impl Write,
) -> Result<()> {
    for difference in compare(lower, upper, targets)?
        .iter()
        .filter(|difference| !difference.path.is_empty())
    {
        let kind = match difference.kind {
            Kind::Added => "added",
            Kind::Modified => "modified",
            Kind::Deleted => "deleted",
        };
        let path = format!("/{}", String::from_utf8_lossy(&difference.path));
        serde_json::to_writer(&mut *sink, &Change { path: &path, kind })
            .map_err(std::io::Error::from)
            .context(|| "write changes")?;
        sink.write_all(b"\n").context(|| "write changes")?;
    }
    sink.flush().context(|| "write changes")
}
