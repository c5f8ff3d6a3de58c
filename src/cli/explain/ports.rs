//! The gatekeeper's ports for a rehearsal: a set time, registers without anybody, a log that takes nothing.

use async_trait::async_trait;

use crate::{
    gatekeeper::{
        keys::IdentifierRefs,
        ports::{AuditError, AuditLog, Clock, Registers, RegistersError},
        record::{AuditEvent, Receipt},
    },
    model::{
        Timestamp,
        evidence::{Known, PersonEvidence},
    },
};

/// Always this instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct At(pub(super) Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Registers in which nobody is registered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nobody;

#[async_trait]
impl Registers for Nobody {
    async fn evidence(&self, persons: &[Vec<IdentifierRefs>]) -> Result<Known, RegistersError> {
        let nobody = |identifiers: &Vec<IdentifierRefs>| PersonEvidence {
            matches: identifiers
                .iter()
                .map(|it| (it.current, Vec::new()))
                .collect(),
            subjects: Vec::new(),
        };
        Ok(Known {
            persons: persons.iter().map(nobody).collect(),
            ..Known::default()
        })
    }
}

/// A log that takes nothing: a rehearsal appends nothing, so an append is refused, as by a log that cannot be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unrecorded;

#[async_trait]
impl AuditLog for Unrecorded {
    async fn append(&self, _event: AuditEvent) -> Result<Receipt, AuditError> {
        Err(AuditError("a rehearsal is not recorded".to_owned()))
    }

    fn append_later(&self, _event: AuditEvent) {}

    fn is_writable(&self) -> bool {
        false
    }
}
