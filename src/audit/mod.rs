//! The audit log: append-only segments, hash-chained, group commit. Never rewritten.

use std::path::PathBuf;

/// Where and how the log is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Directory of the segments.
    pub dir: PathBuf,
    /// A segment is closed at this size and preallocated to it. Default 64 MiB.
    pub segment_bytes: u64,
}
