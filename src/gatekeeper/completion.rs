//! Completion: the duty to put on record how the exchange of a cleared message ended.

use std::sync::Arc;

use super::{
    ports::{AuditLog, Clock},
    record::{AuditEvent, Completed, DecisionId, Outcome, TimeLimit},
};

/// Writes the completion record: when told how the exchange ended, or as `aborted` when dropped.
#[derive(Debug)]
pub struct Completion {
    id: DecisionId,
    audit: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
    /// Status given to the client.
    pub status: Option<u16>,
    /// Whether any byte went to the upstream.
    pub sent: bool,
    /// Address dialled.
    pub peer: Option<String>,
    /// Whether a proxy was dialled.
    pub via_proxy: bool,
    /// TLS version negotiated.
    pub tls: Option<String>,
    /// The time limit that ended the exchange.
    pub time_limit: Option<TimeLimit>,
    outcome: Outcome,
}

impl Completion {
    /// The duty to complete the decision `id`: nothing sent yet, and `aborted` until told otherwise.
    pub(super) fn pending(id: DecisionId, audit: Arc<dyn AuditLog>, clock: Arc<dyn Clock>) -> Self {
        Self {
            id,
            audit,
            clock,
            status: None,
            sent: false,
            peer: None,
            via_proxy: false,
            tls: None,
            time_limit: None,
            outcome: Outcome::Aborted,
        }
    }

    /// The exchange ended with `outcome`. The record is queued when this value is dropped.
    pub fn finish(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        self.audit.append_later(AuditEvent::Completed(Completed {
            id: self.id,
            at: self.clock.now(),
            outcome: self.outcome,
            status: self.status,
            sent: self.sent,
            peer: self.peer.take(),
            via_proxy: self.via_proxy,
            tls: self.tls.take(),
            time_limit: self.time_limit,
        }));
    }
}
