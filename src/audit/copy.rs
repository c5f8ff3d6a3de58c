//! A copy of a log up to a point. A prefix of a log is itself a log: whole segments, the last one cut behind a record.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::{
    disk::sync_directory,
    fault::Error,
    reader::Record,
    scan::{Scan, Step},
    segment,
    verify::Head,
};
use crate::gatekeeper::record::AuditEvent;

/// What a copy holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Copied {
    /// File names of its segments, in order.
    pub segments: Vec<String>,
    /// Its last record; `None`: it has none.
    pub head: Option<Head>,
}

/// Copies the log in `from` to the new directory `to`, up to the first event that `is_beyond` names, and at most to the last whole record.
/// Another process may append meanwhile. Everything is on stable storage when this returns.
///
/// Every hash and link is checked on the way. Cost: two passes over what is copied.
///
/// # Errors
/// There is no log, a record is bad, or a file cannot be read or written.
pub fn copy(
    from: &Path,
    to: &Path,
    mut is_beyond: impl FnMut(&AuditEvent) -> bool,
) -> Result<Copied, Error> {
    let firsts = segment::list(from)?;
    let mut builder = DirBuilder::new();
    builder
        .mode(0o700)
        .create(to)
        .map_err(Error::io("create", to))?;
    let mut copied = Copied::default();
    for first in firsts {
        let mut scan = Scan::open(from, first)?;
        let is_whole = walk(&mut scan, &mut copied, &mut is_beyond)?;
        let position = scan.position();
        if position.sequence > first || first == 0 {
            write(from, to, first, position.offset)?;
            copied.segments.push(segment::name(first));
        }
        if !is_whole {
            break;
        }
    }
    sync_directory(to).map_err(Error::io("write", to))?;
    Ok(copied)
}

/// Moves `scan` behind the last record to copy. Whether the next segment may follow.
fn walk(
    scan: &mut Scan,
    copied: &mut Copied,
    is_beyond: &mut impl FnMut(&AuditEvent) -> bool,
) -> Result<bool, Error> {
    loop {
        let before = scan.position();
        match scan.step_live()? {
            Step::Record(raw) => {
                let record =
                    Record::parse(&raw).map_err(|fault| Error::Damaged(scan.bad(fault)))?;
                if is_beyond(&record.event) {
                    scan.return_to(before)?;
                    return Ok(false);
                }
                copied.head = Some(Head {
                    sequence: record.sequence,
                    hash: record.hash,
                });
            }
            Step::End => return Ok(true),
            // Torn by a crash or half-way written: not part of the log yet. Anything else is damage, and is not copied over.
            Step::Fault(fault) => return scan.torn_tail(fault).map(|_| false),
        }
    }
}

/// Writes the first `bytes` of a segment.
fn write(from: &Path, to: &Path, first: u64, bytes: u64) -> Result<(), Error> {
    let (source, target): (PathBuf, PathBuf) =
        (segment::path(from, first), segment::path(to, first));
    let copying = || -> io::Result<File> {
        let mut reader = segment::open(&source, false)?.take(bytes);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&target)?;
        io::copy(&mut reader, &mut file)?;
        file.flush()?;
        Ok(file)
    };
    copying()
        .and_then(|it| it.sync_all())
        .map_err(Error::io("copy to", &target))
}
