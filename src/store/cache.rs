//! Look-ups and records read at one change counter.
//!
//! Everything in it belongs to one state of the registers; a newer state empties it. So what it answers is consistent, and as
//! fresh as the counter that the caller has just read.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::rows::{Subject, Version};
use crate::{
    gatekeeper::keys::IdentifierRefs,
    model::{
        evidence::{General, Known, PersonEvidence, SubjectRecord},
        subject::SubjectRef,
    },
};

/// Most look-ups, and most records, held. About 4 KB a record, so 64 MiB when full.
const ENTRIES_MAX: usize = 16_384;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Cache {
    version: Version,
    /// `None` until the first state is read.
    general: Option<Arc<General>>,
    /// By current reference; empty for identifiers that nobody has.
    lookups: HashMap<SubjectRef, Arc<[Subject]>>,
    records: HashMap<i64, Arc<SubjectRecord>>,
}

/// What one answer is put together from.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) lookups: HashMap<SubjectRef, Arc<[Subject]>>,
    pub(super) records: HashMap<i64, Arc<SubjectRecord>>,
}

impl Cache {
    /// The answer about `persons` at `version`, if all of it is here.
    pub(super) fn answer(
        &self,
        version: Version,
        persons: &[Vec<IdentifierRefs>],
    ) -> Option<Known> {
        let general = self.general(version)?;
        let lookup = |it: &SubjectRef| self.lookups.get(it).map(Arc::clone);
        let record = |it: i64| self.records.get(&it).map(Arc::clone);
        assemble(version, general, persons, lookup, record)
    }

    /// What holds for everybody at `version`, if here.
    pub(super) fn general(&self, version: Version) -> Option<Arc<General>> {
        self.general
            .as_ref()
            .filter(|_| self.version == version)
            .map(Arc::clone)
    }

    /// The look-up of `reference` at `version`, if here.
    pub(super) fn lookup(
        &self,
        version: Version,
        reference: &SubjectRef,
    ) -> Option<Arc<[Subject]>> {
        (self.version == version)
            .then(|| self.lookups.get(reference).map(Arc::clone))
            .flatten()
    }

    /// The record of the subject in row `subject` at `version`, if here.
    pub(super) fn record(&self, version: Version, subject: i64) -> Option<Arc<SubjectRecord>> {
        (self.version == version)
            .then(|| self.records.get(&subject).map(Arc::clone))
            .flatten()
    }

    /// Takes what was read at `version`; drops it if a newer state is here already.
    pub(super) fn fill(&mut self, version: Version, general: &Arc<General>, parts: &Parts) {
        if self.general.is_some() && version.sequence < self.version.sequence {
            return;
        }
        if self.general.is_none() || version != self.version {
            self.lookups.clear();
            self.records.clear();
            self.version = version;
            self.general = Some(Arc::clone(general));
        }
        merge(&mut self.lookups, &parts.lookups);
        merge(&mut self.records, &parts.records);
    }
}

/// Puts the answer together; `None` when a part is missing.
pub(super) fn assemble(
    version: Version,
    general: Arc<General>,
    persons: &[Vec<IdentifierRefs>],
    lookup: impl Fn(&SubjectRef) -> Option<Arc<[Subject]>>,
    record: impl Fn(i64) -> Option<Arc<SubjectRecord>>,
) -> Option<Known> {
    let persons = persons
        .iter()
        .map(|identifiers| person(identifiers, &lookup, &record))
        .collect::<Option<Vec<_>>>()?;
    Some(Known {
        sequence: version.sequence,
        newest_recorded_at: version.newest_recorded_at,
        persons,
        general,
    })
}

fn person(
    identifiers: &[IdentifierRefs],
    lookup: &impl Fn(&SubjectRef) -> Option<Arc<[Subject]>>,
    record: &impl Fn(i64) -> Option<Arc<SubjectRecord>>,
) -> Option<PersonEvidence> {
    let mut seen = BTreeSet::new();
    let mut evidence = PersonEvidence::default();
    for identifier in identifiers {
        let subjects = lookup(&identifier.current)?;
        for subject in subjects.iter() {
            if seen.insert(subject.row) {
                evidence.subjects.push(record(subject.row)?);
            }
        }
        let ids = subjects.iter().map(|it| it.id.clone()).collect();
        evidence.matches.push((identifier.current, ids));
    }
    Some(evidence)
}

fn merge<K: Clone + Eq + std::hash::Hash, V: Clone>(
    into: &mut HashMap<K, V>,
    from: &HashMap<K, V>,
) {
    if into.len() + from.len() > ENTRIES_MAX {
        into.clear();
    }
    into.extend(
        from.iter()
            .take(ENTRIES_MAX)
            .map(|(key, value)| (key.clone(), value.clone())),
    );
}
