//! Layers: tar streams of changes (OCI image spec, layer.md), applied to and made from directory trees.

mod adopt;
mod apply;
mod changes;
mod compare;
mod diff;
mod implied;
mod overlay;
mod pack;
mod same;
pub mod tar;
mod targets;

pub use adopt::adopt;
pub use apply::{apply, Applied, Blob, Limits, Options, Skipped, Whiteouts};
pub use changes::changes;
pub use compare::{compare, Difference, Kind, Upper};
pub use diff::{diff, Diffed};
pub use implied::Implied;
pub use overlay::upper_of;
pub use pack::{look, pack};
