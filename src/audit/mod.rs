//! The audit log: append-only segments, hash-chained, group commit. Never rewritten.
//!
//! # On disk
//!
//! A directory of segments, each named by its first sequence (`00000000000000000000.seg`), beside `lock` (the owner's process id, held by
//! `flock`) and `index.sqlite` ([`index`]; may be deleted at any time). Numbers are big-endian.
//!
//! ```text
//! log      = 1*segment                         ; sequences run on from 0 without a hole
//! segment  = header *record *%x00              ; zeros only in the last segment: space allocated ahead
//! header   = "SHEKLOG" %x0A version log-id first previous created-at header-hash        ; 108 bytes
//! version  = u32                               ; 1
//! log-id   = 16OCTET                           ; random, the same in every segment
//! first    = u64                               ; sequence of the segment's first record, as in its name
//! previous = 32OCTET                           ; chain hash at the end of the segment before; zeros in the first
//! created-at = i64                             ; milliseconds since 1970-01-01T00:00:00Z
//! header-hash = SHA-256(%x03 header up to here); the segment's first link of the chain
//! record   = length body leaf chain
//! length   = u32                               ; bytes of the body, 1 to 16 MiB; zero: no record yet
//! body     = '{"seq":' n ',"group":' g ',"salt":"' 32HEXDIG '","event":' event '}'      ; JSON
//! leaf     = SHA-256(%x00 body)                ; RFC 6962 leaf hash
//! chain    = SHA-256(%x02 link leaf)           ; link: chain of the record before, or header-hash
//! ```
//!
//! - The leaf hash is RFC 6962's, so that a Merkle tree and its proofs can be laid over the same bytes without rewriting them. The prefix
//!   octets keep leaf (0), tree node (1), chain (2) and header (3) apart.
//! - A header is itself a link, so that the head of the log pins every byte of it, the headers too.
//! - The salt (128 random bits) keeps a published leaf hash from being guessed back to its event.
//! - `group` is the sequence of the first record that was written by the same write. A group is written only after the one before is on
//!   stable storage; so damage that is followed by a record of a later group cannot come from a crash ([`Log::open`] then refuses),
//!   whereas a group without successor may lack any of its sectors (they are cut, and the cut is recorded).
//! - A segment gets its name after its header is on stable storage, and its predecessor is trimmed before that: a `.seg` file has a whole
//!   header, and only the last one has zeros at its end.
//!
//! # What it proves
//!
//! Whoever can write the files can also write a new chain. The head (sequence and chain hash, printed by `audit verify`) kept on another host
//! is what makes truncation, rollback and a rewritten history show; see [`verify()`].

pub mod copy;
mod disk;
mod fault;
mod format;
pub mod index;
mod log;
mod queue;
pub mod reader;
mod scan;
mod segment;
mod tail;
pub mod verify;
mod writer;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use fault::{Bad, Error, Fault};
pub use format::Hash;
pub use log::{Log, Stats};
pub use reader::{Record, Records};
pub use verify::{Head, Report, verify};

/// Where and how the log is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Directory of the segments.
    pub dir: PathBuf,
    /// A segment is closed at this size and preallocated to it. Default 64 MiB.
    pub segment_bytes: u64,
}

/// Whether a process, this one included, has the log in `dir` open for appending.
pub fn is_owned(dir: &Path) -> bool {
    segment::is_owned(dir)
}
