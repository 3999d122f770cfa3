//! Layers: tar streams of changes (OCI image spec, layer.md), applied to and made from directory trees.

mod apply;
mod implied;
mod overlay;
pub mod tar;

pub use apply::{apply, Applied, Blob, Limits, Options, Skipped, Whiteouts};
pub use implied::Implied;
pub use overlay::upper_of;
