//! Compression and digests: no I/O, no FFI of ours.
