//! System calls that Ramekin's native parts share, each behind a small safe function.

