//! What the audit log holds about one person, and nothing about anybody else.
//!
//! A message may be about many persons. Only those of its persons that carry a reference of the subject are looked at; of them,
//! only codes and the ids of the subject's own register records are taken over.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use serde::Serialize;

use crate::{
    audit::{Error, Head, Records, index, verify},
    gatekeeper::record::{AuditEvent, Completed, Decided, DecisionId},
    model::{
        CategorySet, Country, Purpose, Timestamp,
        consent::{Facet, RecordId},
        decision::{Carrier, Mode, PersonOutcome, Reason, ReasonCode, Verdict},
        destination::Role,
        subject::{SubjectId, SubjectRef},
        transfer::TransferPerson,
    },
};

/// Who is looked for.
#[derive(Debug)]
pub(super) struct Search<'a> {
    /// The subject, if registered.
    pub(super) subject: Option<&'a SubjectId>,
    /// References of the person, with whether another person has the identifier too.
    pub(super) references: &'a BTreeMap<SubjectRef, bool>,
    /// Ids of the subject's own register records and of those that hold for everybody.
    pub(super) records: &'a BTreeSet<RecordId>,
    /// Not before.
    pub(super) from: Option<Timestamp>,
    /// Before.
    pub(super) to: Option<Timestamp>,
}

/// The log as it was checked before anything was taken from it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Proof {
    /// Records of which every one was checked.
    pub(super) records: u64,
    /// Sequence of the last one.
    pub(super) head_sequence: u64,
    /// Its chain hash, hex.
    pub(super) head_hash: String,
}

/// What became of the person's data.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fate {
    /// Taken out of the message with the record it stood in.
    Dropped,
    /// Allowed, but no byte went to the recipient.
    NotSent,
    /// The message was refused.
    Refused,
    /// Bytes went to the recipient.
    Sent,
    /// Allowed, and no end is on record: the recipient may have it.
    Unknown,
}

impl Fate {
    /// Whether the recipient has the data, or may have.
    pub(super) const fn left(self) -> bool {
        matches!(self, Self::Sent | Self::Unknown)
    }
}

/// A transfer of the person's data, or the attempt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Entry {
    /// Sequence in the log.
    pub(super) sequence: u64,
    pub(super) decision: DecisionId,
    pub(super) at: Timestamp,
    pub(super) outcome: Fate,
    /// When the exchange ended.
    pub(super) ended_at: Option<Timestamp>,
    /// `None`: the destination was unknown.
    pub(super) recipient: Option<Recipient>,
    pub(super) destination: Arc<str>,
    pub(super) purposes: Vec<Purpose>,
    /// What was in the message about the person, and left unless removed.
    pub(super) categories: CategorySet,
    /// Found with low confidence only.
    pub(super) possible_categories: CategorySet,
    /// Taken out before sending.
    pub(super) removed_categories: CategorySet,
    pub(super) bases: Vec<Ground>,
    /// Reasons that stood against it; for what left, those that were only recorded.
    pub(super) reasons: Vec<ReasonCode>,
    /// The identifier is shared, or the record names a second person.
    pub(super) may_concern_another: bool,
}

/// Who received, as recorded then.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub(super) struct Recipient {
    pub(super) party: Arc<str>,
    pub(super) legal_name: Arc<str>,
    pub(super) role: Role,
    pub(super) country: Country,
    /// Countries abroad that it reached, onward recipients and remote access included.
    pub(super) countries: Vec<Country>,
}

/// What carried a facet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Ground {
    pub(super) facet: Facet,
    pub(super) kind: &'static str,
    /// The subject's own register record.
    pub(super) record: Option<RecordId>,
    pub(super) beyond_statute: bool,
}

/// Checks the whole log in `dir`.
///
/// # Errors
/// It cannot be read, has no record, or does not hold together.
pub(super) fn prove(dir: &Path, expected: Option<&Head>) -> Result<Proof, Error> {
    let report = verify(dir, expected)?;
    if let Some(bad) = report.bad {
        return Err(Error::Damaged(bad));
    }
    let head = report.head.map(|it| it.to_string()).unwrap_or_default();
    let (_, hash) = head.split_once(':').unwrap_or_default();
    Ok(Proof {
        records: report.records,
        head_sequence: report.head.map_or(0, |it| it.sequence),
        head_hash: hash.to_owned(),
    })
}

/// Everything up to the proven head that concerns the person, oldest first. Cost: one pass over the log from the first of it.
///
/// # Errors
/// The log or its index cannot be read.
pub(super) fn entries(dir: &Path, search: &Search<'_>, proof: &Proof) -> Result<Vec<Entry>, Error> {
    let index = index::update(dir)?;
    let mut wanted = BTreeSet::new();
    for reference in search.references.keys() {
        wanted.extend(index.about(&reference.to_string())?);
    }
    let Some(first) = wanted.first() else {
        return Ok(Vec::new());
    };
    let mut entries: Vec<Entry> = Vec::new();
    let mut open: BTreeMap<DecisionId, usize> = BTreeMap::new();
    for record in Records::open(dir, *first)? {
        let record = record?;
        if record.sequence > proof.head_sequence {
            break;
        }
        match &record.event {
            AuditEvent::Decided(decided) if wanted.contains(&record.sequence) => {
                let Some(entry) = search.entry(record.sequence, decided) else {
                    continue;
                };
                if entry.outcome == Fate::Unknown {
                    open.insert(entry.decision, entries.len());
                }
                entries.push(entry);
            }
            AuditEvent::Completed(completed) => {
                let entry = open
                    .remove(&completed.id)
                    .and_then(|it| entries.get_mut(it));
                if let Some(entry) = entry {
                    complete(entry, completed);
                }
            }
            AuditEvent::Decided(_) | AuditEvent::Register(_) | AuditEvent::Operated(_) => {}
        }
    }
    Ok(entries)
}

fn complete(entry: &mut Entry, completed: &Completed) {
    entry.ended_at = Some(completed.at);
    entry.outcome = if completed.sent {
        Fate::Sent
    } else {
        Fate::NotSent
    };
}

impl Search<'_> {
    /// The part of `decided` that is about the person; `None` when it is out of the period or about somebody else.
    fn entry(&self, sequence: u64, decided: &Decided) -> Option<Entry> {
        let is_within =
            self.from.is_none_or(|it| decided.at >= it) && self.to.is_none_or(|it| decided.at < it);
        let persons: Vec<Own<'_>> = (0_u32..)
            .zip(&decided.transfer.persons)
            .filter_map(|(index, person)| self.own(index, person, decided))
            .collect();
        if !is_within || persons.is_empty() {
            return None;
        }
        let transfer = &decided.transfer;
        let outcome = fate(decided, &persons);
        let kept = persons.iter().filter(|it| {
            // Of a message that was reduced, records that stayed in say what left.
            !outcome.left() || !is_dropped(decided, it.person)
        });
        let mut entry = Entry {
            sequence,
            decision: decided.id,
            at: decided.at,
            outcome,
            ended_at: None,
            recipient: decided.recipient.as_ref().map(|it| Recipient {
                party: Arc::clone(&it.party),
                legal_name: Arc::clone(&it.legal_name),
                role: it.role,
                country: it.country,
                countries: it.countries.clone(),
            }),
            destination: Arc::clone(&transfer.destination),
            purposes: transfer
                .purpose
                .iter()
                .chain(&transfer.section_purposes)
                .cloned()
                .collect(),
            categories: CategorySet::EMPTY,
            possible_categories: CategorySet::EMPTY,
            removed_categories: CategorySet::EMPTY,
            bases: Vec::new(),
            reasons: Vec::new(),
            may_concern_another: persons.iter().any(|it| it.may_concern_another),
        };
        for own in kept {
            self.add(&mut entry, own, decided);
        }
        Some(entry)
    }

    /// Whether `person` is the one looked for. A shared identifier alone does not make it so when the gate found it to be
    /// somebody else.
    fn own<'d>(
        &self,
        index: u32,
        person: &'d TransferPerson,
        decided: &'d Decided,
    ) -> Option<Own<'d>> {
        let mut found = person
            .identifiers
            .iter()
            .filter_map(|it| self.references.get(it))
            .peekable();
        found.peek()?;
        let only_shared = found.all(|it| *it);
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        let judged = decided.decision.persons.get(at);
        let resolved = judged.map_or(&[][..], |it| it.subjects.as_slice());
        let is_other = |it: &SubjectId| Some(it) != self.subject;
        if only_shared && !resolved.is_empty() && resolved.iter().all(is_other) {
            return None;
        }
        Some(Own {
            index,
            person,
            judged,
            may_concern_another: only_shared || resolved.iter().any(is_other),
        })
    }

    fn add(&self, entry: &mut Entry, own: &Own<'_>, decided: &Decided) {
        let decision = &decided.decision;
        let removed = decision
            .reduction
            .reduce_fields
            .iter()
            .filter(|(person, _)| *person == own.index && decision.verdict == Verdict::Reduce)
            .fold(CategorySet::EMPTY, |all, it| all.union(it.1));
        // A masked or pseudonymised value is still one of the person's.
        let removed = removed.minus(hidden(decided));
        entry.categories = entry.categories.union(own.person.categories.minus(removed));
        entry.possible_categories = entry.possible_categories.union(own.person.weak_categories);
        entry.removed_categories = entry
            .removed_categories
            .union(own.person.categories.intersection(removed));
        for (facet, carrier) in own.judged.iter().flat_map(|it| &it.carriers) {
            let ground = self.ground(*facet, carrier);
            if !entry.bases.contains(&ground) {
                entry.bases.push(ground);
            }
        }
        let concerns = |it: &&Reason| {
            let is_told = it.person == Some(own.index) || (it.person.is_none() && is_general(it));
            is_told && (!entry.outcome.left() || it.mode == Mode::LogOnly)
        };
        for code in decision.reasons.iter().filter(concerns).map(|it| it.code) {
            if !entry.reasons.contains(&code) {
                entry.reasons.push(code);
            }
        }
    }

    fn ground(&self, facet: Facet, carrier: &Carrier) -> Ground {
        let (record, beyond_statute) = match carrier {
            Carrier::Basis {
                record,
                beyond_statute,
                ..
            } => (Some(record), *beyond_statute),
            Carrier::Consent { record } => (Some(record), false),
            Carrier::Adequacy | Carrier::NotAsked | Carrier::Safeguard { .. } => (None, false),
        };
        Ground {
            facet,
            kind: carrier.as_str(),
            record: record.filter(|it| self.records.contains(*it)).cloned(),
            beyond_statute,
        }
    }
}

/// A person of a message that is the one looked for.
struct Own<'a> {
    index: u32,
    person: &'a TransferPerson,
    judged: Option<&'a PersonOutcome>,
    may_concern_another: bool,
}

/// Categories of which values left in another form.
fn hidden(decided: &Decided) -> CategorySet {
    let leaves = decided.leaves.as_ref();
    leaves.map_or(CategorySet::EMPTY, |it| it.masked.union(it.pseudonymised))
}

/// Whether a reason about the whole message says nothing of what else was in it.
fn is_general(reason: &Reason) -> bool {
    reason.categories.is_empty() && reason.record.is_none()
}

fn is_dropped(decided: &Decided, person: &TransferPerson) -> bool {
    let decision = &decided.decision;
    let dropped = &decision.reduction.drop_records;
    decision.verdict == Verdict::Reduce && person.record.is_some_and(|it| dropped.contains(&it))
}

/// The fate as far as the decision tells; a completion tells the rest.
fn fate(decided: &Decided, persons: &[Own<'_>]) -> Fate {
    if decided.leaves.is_none() {
        Fate::Refused
    } else if persons.iter().all(|it| is_dropped(decided, it.person)) {
        Fate::Dropped
    } else {
        Fate::Unknown
    }
}
