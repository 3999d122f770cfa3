//! Whole directory trees, by descriptor: no path is resolved twice, no link followed, no depth too deep.

mod copy;
mod own;
mod remove;
mod stack;
mod usage;

pub use copy::{copy_attributes, copy_content, copy_file, copy_tree, Copied};
pub use own::own_tree;
pub use remove::{remove_at, remove_tree};
pub use stack::{open_below, read_dir, DirStack, Entry};
pub use usage::{usage, Usage};
