//! What can be wrong with a log, and how it is said.

use std::{fmt, io, path::PathBuf};

/// What is wrong with a header or record. Names places and numbers, never content.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// The chain hash is not that of the record before and the leaf.
    #[error("its chain hash does not follow from the record before")]
    Chain,
    /// A completion of a decision that was not recorded, was refused, or is complete already.
    #[error("it completes decision {0}, of which no open record stands before it")]
    Completion(String),
    /// The file ends inside the record.
    #[error("the file ends inside the record")]
    Cut,
    /// The body does not begin with sequence, group and salt.
    #[error("its body does not begin with sequence, group and salt")]
    Envelope,
    /// The head that was kept elsewhere is not in this log.
    #[error("the log ends before the expected head")]
    ExpectedBeyondEnd,
    /// The record at the expected head has another chain hash.
    #[error("its chain hash is not the expected one: this is another history")]
    ExpectedOther,
    /// Something other than zeros follows the last record.
    #[error("bytes that are no record follow the last record")]
    Fill,
    /// The group is neither that of the record before nor the record's own sequence.
    #[error("it says group {0}, which is neither open nor its own")]
    Group(u64),
    /// A segment's header does not hold.
    #[error("the segment header is damaged: {0}")]
    Header(&'static str),
    /// The body is not a record of this format.
    #[error("its body is not an audit record (column {0} of the JSON text)")]
    Json(usize),
    /// The body does not have the leaf hash beside it.
    #[error("its body does not match its leaf hash")]
    Leaf,
    /// The length is out of range.
    #[error("its length field says {0} bytes, the range is 1 to 16777216")]
    Length(u32),
    /// Segments are missing, doubled or belong to another log.
    #[error("{0}")]
    Link(&'static str),
    /// The record says another sequence.
    #[error("it says sequence {0}")]
    Sequence(u64),
}

/// A bad record or header, by place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bad {
    /// File name of the segment.
    pub segment: String,
    /// Byte offset in it.
    pub offset: u64,
    /// The sequence that should stand there.
    pub sequence: u64,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "segment {}, offset {}, sequence {}: {}",
            self.segment, self.offset, self.sequence, self.fault
        )
    }
}

/// A log that could not be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A record or header is bad; nothing was changed.
    #[error(
        "audit log damaged: {0}; nothing was changed: restore the segment from a copy, or move the directory aside as evidence and start \
         a new log (`shekara audit verify` checks the copy)"
    )]
    Damaged(Bad),
    /// The index could not be built or asked.
    #[error("audit index {path}: {source}; delete the file and it is built again")]
    Index {
        /// The index file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The operating system refused.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no log.
    #[error(
        "there is no audit log in {0}: no gate has run on this state directory yet, or the log was moved; name another with --state"
    )]
    Missing(PathBuf),
    /// Another process owns the log.
    #[error(
        "audit log {dir} is in use by process {pid}: stop that process, or give this one another state directory"
    )]
    Locked {
        /// The log.
        dir: PathBuf,
        /// Process id of the owner, as it wrote it.
        pid: String,
    },
}

impl Error {
    /// Turns an I/O error into one that says what was tried on which file.
    pub(super) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
