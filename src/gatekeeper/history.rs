//! The registers as they were after any change, put together again from the changes on record.
//!
//! The log has every change in full, numbered without a hole and tamper-evident; the registers themselves keep some things only
//! as they are now (whether a representative is needed, when a restriction was lifted). What the log never has is the
//! identifiers: who owns a reference is asked of the registers, and counts from the change that linked an identifier of that kind.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, de::DeserializeOwned};

use super::record::RegisterChange;
use crate::model::{
    Day, Timestamp,
    consent::{
        Basis, Consent, ConsentState, Objection, PurposeEnd, RecordId, Representative, Restriction,
        Withdrawal,
    },
    evidence::{General, Known, PersonEvidence, SubjectRecord},
    subject::{IdentifierKind, SubjectId, SubjectRef},
    transfer::TransferPerson,
};

/// Who owns each reference, as the registers say now.
pub type Owners = BTreeMap<SubjectRef, Vec<SubjectId>>;

/// Why the registers cannot be put together as they were.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Missing {
    /// A change up to then is not on record.
    Change,
    /// A change up to then is of a kind that this program does not know, or does not read as what it says it is.
    Meaning,
}

/// Changes of the registers, of the subjects of interest and of everybody.
#[derive(Debug, Default)]
pub struct History {
    of_interest: BTreeSet<SubjectId>,
    subjects: BTreeMap<SubjectId, BTreeMap<u64, Change>>,
    /// Bases of everybody.
    bases: BTreeMap<u64, Basis>,
    /// Purposes and programmes that ended for everybody.
    ends: BTreeMap<u64, PurposeEnd>,
    texts: BTreeMap<u64, Text>,
    /// Changes of everybody whose meaning is unknown.
    unreadable: BTreeSet<u64>,
    /// When each change was committed.
    times: BTreeMap<u64, Timestamp>,
    /// Every change from 1 to this one was taken.
    whole_until: u64,
    /// Taken beyond the first hole.
    beyond: BTreeSet<u64>,
}

/// One change, read.
#[derive(Clone, Debug)]
enum Change {
    Basis(Basis),
    Consent(Box<Consent>),
    ConsentState(RecordId, ConsentState, Timestamp),
    Kinds(BTreeSet<IdentifierKind>),
    Objection(Objection),
    ObjectionLifted(Lifted),
    PurposeEnd(PurposeEnd),
    Representative(Representative),
    RepresentativeNeeded(Option<Day>),
    Restriction(Restriction),
    RestrictionLifted(RecordId, Timestamp),
    Unreadable,
    Withdrawal(Withdrawal),
}

/// A version of a consent text.
#[derive(Clone, Debug, Deserialize)]
struct Text {
    text: String,
    version: String,
    locale: String,
    sha256: String,
}

#[derive(Deserialize)]
struct State {
    consent: RecordId,
    state: ConsentState,
}

#[derive(Clone, Debug, Deserialize)]
struct Lifted {
    id: RecordId,
    lifted_at: Timestamp,
    #[serde(default)]
    lifted_record: Option<RecordId>,
}

#[derive(Deserialize)]
struct Kinds {
    kinds: BTreeSet<IdentifierKind>,
}

#[derive(Deserialize)]
struct Needed {
    needs_representative_until: Option<Day>,
}

impl History {
    /// A history that keeps what concerns `subjects` and everybody, and counts the rest.
    pub fn of(subjects: BTreeSet<SubjectId>) -> Self {
        Self {
            of_interest: subjects,
            ..Self::default()
        }
    }

    /// Takes a change, in any order; one taken before changes nothing.
    pub fn take(&mut self, change: &RegisterChange) {
        let sequence = change.register_sequence;
        self.count(sequence);
        self.times.insert(sequence, change.at);
        let Some(subject) = &change.subject else {
            if self.take_general(change).is_none() {
                self.unreadable.insert(sequence);
            }
            return;
        };
        let subject = SubjectId(subject.clone());
        if self.of_interest.contains(&subject) {
            let read = Change::read(change);
            self.subjects
                .entry(subject)
                .or_default()
                .insert(sequence, read);
        }
    }

    /// `None` when it cannot be read.
    fn take_general(&mut self, change: &RegisterChange) -> Option<()> {
        let sequence = change.register_sequence;
        match &*change.action {
            "basis-added" => drop(self.bases.insert(sequence, body(change)?)),
            "purpose-ended" => drop(self.ends.insert(sequence, body(change)?)),
            "text-added" => drop(self.texts.insert(sequence, body(change)?)),
            // Says something about the registers, and nothing in them.
            "backup-taken" => {}
            _ => return None,
        }
        Some(())
    }

    fn count(&mut self, sequence: u64) {
        if sequence > self.whole_until {
            self.beyond.insert(sequence);
        }
        while self.beyond.first() == Some(&(self.whole_until + 1)) {
            self.beyond.pop_first();
            self.whole_until += 1;
        }
    }

    /// What the registers answered about `persons` after change `sequence`.
    ///
    /// # Errors
    /// The changes up to then are not all on record and understood.
    pub fn evidence(
        &self,
        sequence: u64,
        persons: &[TransferPerson],
        owners: &Owners,
    ) -> Result<Known, Missing> {
        if sequence > self.whole_until {
            return Err(Missing::Change);
        }
        if self.unreadable.range(..=sequence).next().is_some() {
            return Err(Missing::Meaning);
        }
        let general = General {
            bases: until(&self.bases, sequence).cloned().collect(),
            purpose_ends: until(&self.ends, sequence).cloned().collect(),
        };
        let persons = persons.iter();
        let persons = persons.map(|it| self.person(sequence, it, owners));
        Ok(Known {
            sequence,
            newest_recorded_at: self.times.get(&sequence).copied(),
            persons: persons.collect::<Result<_, _>>()?,
            general: general.into(),
        })
    }

    fn person(
        &self,
        sequence: u64,
        person: &TransferPerson,
        owners: &Owners,
    ) -> Result<PersonEvidence, Missing> {
        let mut evidence = PersonEvidence::default();
        for reference in &person.identifiers {
            let mut then = Vec::new();
            for owner in owners.get(reference).into_iter().flatten() {
                let record = self.record(sequence, owner)?;
                if !record.identifier_kinds.contains(&reference.kind) {
                    continue;
                }
                then.push(owner.clone());
                if !evidence.subjects.iter().any(|it| it.id == *owner) {
                    evidence.subjects.push(record.into());
                }
            }
            evidence.matches.push((*reference, then));
        }
        Ok(evidence)
    }

    fn record(&self, sequence: u64, subject: &SubjectId) -> Result<SubjectRecord, Missing> {
        let mut record = SubjectRecord::empty(subject.clone());
        if let Some(changes) = self.subjects.get(subject) {
            for change in until(changes, sequence) {
                apply(change, &mut record)?;
            }
        }
        record
            .identifier_kinds
            .sort_unstable_by_key(|it| it.as_str());
        record.identifier_kinds.dedup();
        for consent in &mut record.consents {
            let mut texts = until(&self.texts, sequence);
            consent.evidence_mismatch = texts.any(|it| it.contradicts(consent));
        }
        Ok(record)
    }
}

/// What was recorded up to `sequence`, oldest first.
fn until<T>(changes: &BTreeMap<u64, T>, sequence: u64) -> impl Iterator<Item = &T> {
    changes.range(..=sequence).map(|(_, it)| it)
}

impl Text {
    /// Whether it is the text that `consent` shows, with another hash.
    fn contradicts(&self, consent: &Consent) -> bool {
        let shown = &consent.evidence;
        *self.text == *shown.text
            && *self.version == *shown.version
            && *self.locale == *shown.locale
            && *self.sha256 != *shown.sha256
    }
}

impl Change {
    fn read(change: &RegisterChange) -> Self {
        let at = change.at;
        let read = match &*change.action {
            "basis-added" => body(change).map(Self::Basis),
            "basis-objected" => body(change).map(Self::Objection),
            "consent-granted" => body(change).map(Self::Consent),
            "consent-state-changed" => {
                body(change).map(|it: State| Self::ConsentState(it.consent, it.state, at))
            }
            "consent-withdrawn" => body(change).map(Self::Withdrawal),
            "identifiers-linked" => body(change).map(|it: Kinds| Self::Kinds(it.kinds)),
            "objection-lifted" => body(change).map(Self::ObjectionLifted),
            "purpose-ended" => body(change).map(Self::PurposeEnd),
            "representative-added" => body(change).map(Self::Representative),
            "representative-required" => body(change)
                .map(|it: Needed| Self::RepresentativeNeeded(it.needs_representative_until)),
            "restriction-lifted" => {
                body(change).map(|it: Lifted| Self::RestrictionLifted(it.id, it.lifted_at))
            }
            "subject-restricted" => body(change).map(Self::Restriction),
            _ => None,
        };
        read.unwrap_or(Self::Unreadable)
    }
}

fn body<T: DeserializeOwned>(change: &RegisterChange) -> Option<T> {
    T::deserialize(&change.body).ok()
}

/// Carries `change` out on `record`, as the registers do.
fn apply(change: &Change, record: &mut SubjectRecord) -> Result<(), Missing> {
    match change {
        Change::Basis(it) => record.bases.push(it.clone()),
        Change::Consent(it) => record.consents.push((**it).clone()),
        Change::ConsentState(id, state, at) => {
            if let Some(consent) = record.consents.iter_mut().find(|it| it.id == *id) {
                consent.events.push((*state, *at));
            }
        }
        Change::Objection(it) => record.objections.push(it.clone()),
        Change::ObjectionLifted(lifted) => {
            let mut objections = record.objections.iter_mut();
            if let Some(it) = objections.find(|it| it.id == lifted.id) {
                it.lifted_at = Some(lifted.lifted_at);
                it.lifted_record.clone_from(&lifted.lifted_record);
            }
        }
        Change::PurposeEnd(it) => record.purpose_ends.push(it.clone()),
        Change::Representative(it) => record.representatives.push(it.clone()),
        Change::RepresentativeNeeded(until) => record.needs_representative_until = *until,
        Change::Restriction(it) => record.restrictions.push(it.clone()),
        Change::RestrictionLifted(id, at) => {
            if let Some(it) = record.restrictions.iter_mut().find(|it| it.id == *id) {
                it.lifted_at = Some(*at);
            }
        }
        Change::Withdrawal(it) => record.withdrawals.push(it.clone()),
        Change::Kinds(more) => record.identifier_kinds.extend(more),
        Change::Unreadable => return Err(Missing::Meaning),
    }
    Ok(())
}
