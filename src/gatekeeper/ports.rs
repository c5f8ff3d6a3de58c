//! What the gatekeeper needs from the world. Adapters implement these; contract tests hold them to the words here.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{
    keys::IdentifierRefs,
    record::{AuditEvent, Receipt},
};
use crate::model::{Timestamp, evidence::Known};

/// The registers of consents, bases, restrictions.
#[async_trait]
pub trait Registers: Send + Sync + Debug {
    /// What is recorded about each of `persons` (each a list of identifiers), read as one consistent state that includes every
    /// change committed before the call, by this process or another.
    async fn evidence(&self, persons: &[Vec<IdentifierRefs>]) -> Result<Known, RegistersError>;
}

/// The registers did not answer. Says no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("registers unavailable: {0}")]
pub struct RegistersError(pub String);

/// The append-only log.
#[async_trait]
pub trait AuditLog: Send + Sync + Debug {
    /// Appends `event`; resolves once it is on stable storage.
    async fn append(&self, event: AuditEvent) -> Result<Receipt, AuditError>;

    /// Queues `event` (a completion) without waiting; it is durable with the next group. Never blocks, and is never dropped
    /// while the log works.
    fn append_later(&self, event: AuditEvent);

    /// Whether the log accepts records; `false` for good after the first write error (poisoned).
    fn is_writable(&self) -> bool;
}

/// The log cannot be written; nothing may be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("audit log unavailable: {0}")]
pub struct AuditError(pub String);

/// The time.
pub trait Clock: Send + Sync + Debug {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
