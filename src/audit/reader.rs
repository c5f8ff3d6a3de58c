//! Records forwards from a sequence, also while another process appends.

use std::path::{Path, PathBuf};

use super::{
    fault::{Bad, Error, Fault},
    format::{Hash, parse},
    scan::{Position, Raw, Scan, Step},
    segment,
};
use crate::gatekeeper::record::AuditEvent;

/// A record as read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Position in the log, from 0.
    pub sequence: u64,
    /// Sequence of the first record written with it.
    pub group: u64,
    /// Its salt, hex.
    pub salt: String,
    /// What happened.
    pub event: AuditEvent,
    /// Its chain hash: what the receipt said.
    pub hash: Hash,
    /// First sequence of its segment.
    pub segment: u64,
    /// Its offset in the segment.
    pub offset: u64,
}

impl Record {
    pub(super) fn parse(raw: &Raw) -> Result<Self, Fault> {
        let (salt, event) = parse(&raw.body)?;
        Ok(Self {
            sequence: raw.sequence,
            group: raw.group,
            salt,
            event,
            hash: raw.chain,
            segment: raw.segment,
            offset: raw.offset,
        })
    }
}

/// Reads forwards. After `None` it may be asked again: a log that has grown goes on. After an error it stands still.
#[derive(Debug)]
pub struct Records {
    dir: PathBuf,
    scan: Scan,
    /// Records before this one are checked but not given.
    from: u64,
}

impl Records {
    /// Records of the log in `dir` from sequence `from` on. Cost: one pass over the segment that holds it.
    ///
    /// # Errors
    /// No log there, or its segment cannot be opened.
    pub fn open(dir: &Path, from: u64) -> Result<Self, Error> {
        let firsts = segment::list(dir)?;
        let first = firsts
            .iter()
            .rev()
            .find(|it| **it <= from)
            .or(firsts.first());
        let Some(first) = first else {
            let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(Error::io("find an audit log in", dir)(missing));
        };
        Ok(Self {
            dir: dir.to_owned(),
            scan: Scan::open(dir, *first)?,
            from,
        })
    }

    /// Goes on from `position`, which an earlier [`Records::position`] gave.
    pub(super) fn resume(dir: &Path, position: Position) -> Result<Self, Error> {
        Ok(Self {
            dir: dir.to_owned(),
            scan: Scan::resume(dir, position)?,
            from: position.sequence,
        })
    }

    pub(super) const fn position(&self) -> Position {
        self.scan.position()
    }

    pub(super) const fn log_id(&self) -> [u8; 16] {
        self.scan.header().log_id
    }

    /// Whether the link before the present position is the one that this reader goes on from.
    pub(super) fn stands(&mut self) -> Result<bool, Error> {
        self.scan.stands()
    }

    /// The segment that follows, if it has been begun.
    fn follow(&mut self) -> Result<bool, Error> {
        let position = self.scan.position();
        let next = segment::path(&self.dir, position.sequence);
        if position.segment == position.sequence || !next.exists() {
            return Ok(false);
        }
        let scan = Scan::open(&self.dir, position.sequence)?;
        if scan.header().previous != position.chain {
            return Err(Error::Damaged(scan.bad(Fault::Link(
                "the segment does not follow from the one before",
            ))));
        }
        self.scan = scan;
        Ok(true)
    }

    fn advance(&mut self) -> Result<Option<Record>, Error> {
        loop {
            match self.scan.step_live()? {
                Step::Record(raw) if raw.sequence < self.from => {}
                Step::Record(raw) => {
                    let bad = |fault| {
                        Error::Damaged(Bad {
                            segment: segment::name(raw.segment),
                            offset: raw.offset,
                            sequence: raw.sequence,
                            fault,
                        })
                    };
                    return Record::parse(&raw).map(Some).map_err(bad);
                }
                Step::End => {
                    if !self.follow()? {
                        return Ok(None);
                    }
                }
                // Being written, or torn by a crash: not there yet. Anything else is damage.
                Step::Fault(fault) => {
                    return self.scan.torn_tail(fault).map(|_| None);
                }
            }
        }
    }
}

impl Iterator for Records {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

/// The last `count` records. Cost: up to two passes over the last segment.
///
/// # Errors
/// As [`Records::open`], or a bad record in the last segment.
pub fn tail(dir: &Path, count: u64) -> Result<Records, Error> {
    let last = segment::list(dir)?.last().copied().unwrap_or_default();
    let mut end = Records::open(dir, last)?;
    while let Step::Record(_) = end.scan.step()? {}
    Records::open(dir, end.scan.position().sequence.saturating_sub(count))
}
