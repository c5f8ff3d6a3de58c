//! Checks a whole log, without trusting whoever wrote it.

use std::{collections::HashSet, fmt, path::Path, str::FromStr, sync::Arc};

use super::{
    fault::{Bad, Error, Fault},
    format::{Hash, hex},
    reader::Record,
    scan::{Raw, Scan, Step},
    segment,
};
use crate::gatekeeper::record::{AuditEvent, DecisionId};

/// The last record of a log. Kept on another host it shows truncation, rollback and a rewritten history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Sequence of the last record.
    pub sequence: u64,
    /// Its chain hash.
    pub hash: Hash,
}

impl fmt::Display for Head {
    /// `41:9f86d0…`: sequence, 64 hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, hex(&self.hash))
    }
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a head such as 41:<64 hex digits>, as `audit verify` prints it"
            )
        };
        let (sequence, digits) = text.split_once(':').ok_or_else(wrong)?;
        let sequence = sequence.parse().map_err(|_| wrong())?;
        let is_hex = digits.len() == 64 && digits.bytes().all(|it| it.is_ascii_hexdigit());
        let (high, low) = digits
            .split_at_checked(32)
            .filter(|_| is_hex)
            .ok_or_else(wrong)?;
        let half = |it: &str| u128::from_str_radix(it, 16).map_err(|_| wrong());
        let mut hash = [0; 32];
        let bytes = half(high)?
            .to_be_bytes()
            .into_iter()
            .chain(half(low)?.to_be_bytes());
        for (slot, byte) in hash.iter_mut().zip(bytes) {
            *slot = byte;
        }
        Ok(Self { sequence, hash })
    }
}

/// Bytes after the last whole record that a crash has left, or that are being written at this moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Torn {
    /// File name of the last segment.
    pub segment: String,
    /// Where they begin.
    pub offset: u64,
    /// How many, without the zeros behind.
    pub bytes: u64,
}

/// What a log holds and whether it holds together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Segments read.
    pub segments: u64,
    /// Whole, linked records.
    pub records: u64,
    /// Decisions.
    pub decided: u64,
    /// Completions.
    pub completed: u64,
    /// Register changes.
    pub register_changes: u64,
    /// Register changes that an earlier record holds already: the outbox was delivered twice. Legal.
    pub repeated_changes: u64,
    /// Things done to the gate.
    pub operated: u64,
    /// Decisions to send of which no end is recorded: aborted by a crash, or still under way. Legal.
    pub unfinished: u64,
    /// A torn tail; the next opening cuts it and records so.
    pub torn: Option<Torn>,
    /// The last whole record.
    pub head: Option<Head>,
    /// The first bad record. `None`: the log holds together.
    pub bad: Option<Bad>,
}

/// Reads every segment of the log in `dir` and checks lengths, hashes, links, sequences, groups, headers, shape and pairs, and that `expected`
/// (a head kept elsewhere) is part of this history. Also of a log that another process is writing: up to its last whole record.
///
/// Cost: one pass; memory for the open decisions and the ids of register changes.
///
/// # Errors
/// The files cannot be read. Tampering is not an error but [`Report::bad`].
pub fn verify(dir: &Path, expected: Option<&Head>) -> Result<Report, Error> {
    let mut check = Check {
        expected: expected.copied(),
        ..Check::default()
    };
    match check.log(dir) {
        Ok(()) => {}
        Err(Error::Damaged(bad)) => {
            check.report.bad.get_or_insert(bad);
        }
        Err(error) => return Err(error),
    }
    check.report.unfinished = check.open.len() as u64;
    Ok(check.report)
}

#[derive(Default)]
struct Check {
    report: Report,
    expected: Option<Head>,
    open: HashSet<DecisionId>,
    changes: HashSet<(u64, Arc<str>)>,
}

impl Check {
    fn log(&mut self, dir: &Path) -> Result<(), Error> {
        let firsts = segment::list(dir)?;
        let mut before: Option<Scan> = None;
        for first in &firsts {
            let mut scan = Scan::open(dir, *first)?;
            check_link(before.as_ref(), &scan)?;
            self.report.segments += 1;
            self.segment(&mut scan, Some(first) == firsts.last())?;
            before = Some(scan);
        }
        let Some(last) = before else {
            let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(Error::io("find an audit log in", dir)(missing));
        };
        let is_reached = |it: Head| it.sequence < last.position().sequence;
        if self.expected.is_some_and(|it| !is_reached(it)) {
            return Err(Error::Damaged(last.bad(Fault::ExpectedBeyondEnd)));
        }
        Ok(())
    }

    fn segment(&mut self, scan: &mut Scan, is_last: bool) -> Result<(), Error> {
        let mut is_second_look = false;
        loop {
            match scan.step_live()? {
                Step::Record(raw) => {
                    is_second_look = false;
                    self.record(scan, &raw)?;
                }
                Step::End if scan.is_at_end()? || (is_last && scan.is_zero_filled()?) => {
                    return Ok(());
                }
                // A writer may have gone on between the two looks.
                Step::End if is_last && !is_second_look => is_second_look = true,
                Step::End => return self.tail(scan, Fault::Fill, is_last),
                Step::Fault(fault) => return self.tail(scan, fault, is_last),
            }
        }
    }

    fn tail(&mut self, scan: &mut Scan, fault: Fault, is_last: bool) -> Result<(), Error> {
        if !is_last {
            return Err(Error::Damaged(scan.bad(fault)));
        }
        let bytes = scan.torn_tail(fault)?.len() as u64;
        let Bad {
            segment, offset, ..
        } = scan.bad(Fault::Cut);
        self.report.torn = Some(Torn {
            segment,
            offset,
            bytes,
        });
        Ok(())
    }

    fn record(&mut self, scan: &Scan, raw: &Raw) -> Result<(), Error> {
        let bad = |fault| Bad {
            segment: segment::name(raw.segment),
            offset: raw.offset,
            sequence: raw.sequence,
            fault,
        };
        let head = Head {
            sequence: raw.sequence,
            hash: scan.position().chain,
        };
        if self
            .expected
            .is_some_and(|it| it.sequence == head.sequence && it.hash != head.hash)
        {
            return Err(Error::Damaged(bad(Fault::ExpectedOther)));
        }
        let record = Record::parse(raw).map_err(|it| Error::Damaged(bad(it)))?;
        self.report.records += 1;
        self.report.head = Some(head);
        if let Err(fault) = self.pair(record.event) {
            self.report.bad.get_or_insert_with(|| bad(fault));
        }
        Ok(())
    }

    fn pair(&mut self, event: AuditEvent) -> Result<(), Fault> {
        match event {
            AuditEvent::Decided(decided) => {
                self.report.decided += 1;
                if decided.leaves.is_some() {
                    self.open.insert(decided.id);
                }
            }
            AuditEvent::Completed(completed) => {
                self.report.completed += 1;
                if !self.open.remove(&completed.id) {
                    return Err(Fault::Completion(completed.id.to_string()));
                }
            }
            AuditEvent::Register(change) => {
                self.report.register_changes += 1;
                let is_new = self
                    .changes
                    .insert((change.register_sequence, change.record));
                self.report.repeated_changes += u64::from(!is_new);
            }
            AuditEvent::Operated(_) => self.report.operated += 1,
        }
        Ok(())
    }
}

fn check_link(before: Option<&Scan>, scan: &Scan) -> Result<(), Error> {
    let header = scan.header();
    let what = match before {
        None if header.first != 0 || header.previous != [0; 32] => {
            "the segments before this one are missing"
        }
        Some(it) if it.header().log_id != header.log_id => "the segment belongs to another log",
        Some(it) if it.position().sequence != header.first => {
            "its first sequence does not follow from the segment before"
        }
        Some(it) if it.position().chain != header.previous => {
            "the segment does not follow from the one before"
        }
        None | Some(_) => return Ok(()),
    };
    Err(Error::Damaged(scan.bad(Fault::Link(what))))
}
