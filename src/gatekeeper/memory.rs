//! The ports in memory: registers, log and clock whose content the caller gives. No disk, no network, no time of their own.
//!
//! For policy tests and for deciding again what was decided once; a gate that serves uses the adapters.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{
    keys::IdentifierRefs,
    ports::{AuditError, AuditLog, Clock, Registers, RegistersError},
    record::{AuditEvent, Receipt},
};
use crate::model::{
    Timestamp,
    evidence::{General, Known, PersonEvidence, SubjectRecord},
    subject::{SubjectId, SubjectRef},
};

/// Registers that hold what they were given.
#[derive(Clone, Debug, Default)]
pub struct MemoryRegisters {
    sequence: u64,
    owners: BTreeMap<SubjectRef, BTreeSet<SubjectId>>,
    records: BTreeMap<SubjectId, Arc<SubjectRecord>>,
    general: Arc<General>,
}

impl MemoryRegisters {
    /// Puts `record` in, in place of an earlier one of the same subject, and registers `identifiers` for it. An identifier that
    /// another subject has too is shared. The kinds of identifier are noted in the record.
    pub fn put(&mut self, mut record: SubjectRecord, identifiers: &[IdentifierRefs]) {
        self.sequence += 1;
        for identifier in identifiers {
            let owners = self.owners.entry(identifier.current).or_default();
            owners.insert(record.id.clone());
            record.identifier_kinds.push(identifier.current.kind);
        }
        record.identifier_kinds.sort_unstable();
        record.identifier_kinds.dedup();
        self.records.insert(record.id.clone(), Arc::new(record));
    }

    /// Replaces the records that concern everybody.
    pub fn set_general(&mut self, general: General) {
        self.sequence += 1;
        self.general = Arc::new(general);
    }

    /// What is recorded about each of `persons`; the answer of the port.
    pub fn known(&self, persons: &[Vec<IdentifierRefs>]) -> Known {
        Known {
            sequence: self.sequence,
            // The clock beside these registers is the caller's, so that nothing can be ahead of it.
            newest_recorded_at: None,
            persons: persons.iter().map(|it| self.person(it)).collect(),
            general: Arc::clone(&self.general),
        }
    }

    fn person(&self, identifiers: &[IdentifierRefs]) -> PersonEvidence {
        let mut evidence = PersonEvidence::default();
        for identifier in identifiers {
            let owners = self.owners.get(&identifier.current);
            let owners: Vec<SubjectId> = owners.into_iter().flatten().cloned().collect();
            for owner in &owners {
                let is_new = evidence.subjects.iter().all(|it| it.id != *owner);
                evidence
                    .subjects
                    .extend(self.records.get(owner).filter(|_| is_new).cloned());
            }
            evidence.matches.push((identifier.current, owners));
        }
        evidence
    }
}

#[async_trait]
impl Registers for MemoryRegisters {
    async fn evidence(&self, persons: &[Vec<IdentifierRefs>]) -> Result<Known, RegistersError> {
        Ok(self.known(persons))
    }
}

/// A log that keeps its events and forgets them with the process. Its receipts prove nothing.
#[derive(Debug, Default)]
pub struct MemoryLog {
    events: Mutex<Vec<AuditEvent>>,
}

impl MemoryLog {
    /// Every event so far, in order.
    pub fn events(&self) -> Vec<AuditEvent> {
        self.lock().clone()
    }

    /// A list is whole after every statement, so a panic elsewhere does not spoil it.
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<AuditEvent>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl AuditLog for MemoryLog {
    async fn append(&self, event: AuditEvent) -> Result<Receipt, AuditError> {
        let mut events = self.lock();
        let sequence = events.len() as u64;
        events.push(event);
        Ok(Receipt {
            sequence,
            hash: [0; 32],
        })
    }

    fn append_later(&self, event: AuditEvent) {
        self.lock().push(event);
    }

    fn is_writable(&self) -> bool {
        true
    }
}

/// A clock that stands still.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        gatekeeper::keys::{Keys, SubjectKey},
        model::subject::{Identifier, IdentifierKind},
    };

    fn refs(kind: IdentifierKind, raw: &str) -> IdentifierRefs {
        let keys = Keys::new(SubjectKey::new(1, &[1; 32]), Vec::new(), &[2; 32]);
        keys.references(&Identifier::normalise(kind, raw).unwrap())
    }

    fn subject(id: &str) -> SubjectRecord {
        SubjectRecord::empty(SubjectId(id.into()))
    }

    #[test]
    fn answers_in_the_order_of_the_question() {
        let email = refs(IdentifierKind::Email, "a@example.org");
        let family = refs(IdentifierKind::Phone, "+7 701 000 00 01");
        let nobody = refs(IdentifierKind::Email, "nobody@example.org");
        let mut registers = MemoryRegisters::default();
        registers.put(subject("a"), &[email.clone(), family.clone()]);
        registers.put(subject("b"), std::slice::from_ref(&family));
        let asked = [
            vec![nobody.clone()],
            vec![email, family.clone()],
            vec![family.clone()],
            Vec::new(),
        ];
        let known = registers.known(&asked);
        let subjects: Vec<Vec<&str>> = known
            .persons
            .iter()
            .map(|it| it.subjects.iter().map(|it| &*it.id.0).collect())
            .collect();
        assert_eq!(
            subjects,
            [vec![], vec!["a", "b"], vec!["a", "b"], Vec::<&str>::new()]
        );
        assert_eq!(known.persons[0].matches, [(nobody.current, Vec::new())]);
        assert_eq!(known.persons[2].matches[0].1.len(), 2, "shared");
        let kinds = &known.persons[1].subjects[0].identifier_kinds;
        assert_eq!(kinds, &[IdentifierKind::Email, IdentifierKind::Phone]);
    }
}
