//! Transfer + evidence → decision: the order of questions in one place. Pure, total, deterministic.

use std::sync::Arc;

use crate::model::{
    decision::{Decision, Verdict},
    destination::Destination,
    evidence::Evidence,
    law::Operator,
    transfer::Transfer,
};

pub mod reasons;
pub use reasons::ReasonTable;

/// Decides. Immutable.
#[derive(Debug, Clone)]
pub struct Policy {
    operator: Operator,
    reasons: Arc<ReasonTable>,
}

impl Policy {
    /// A policy for `operator`, with the texts and rules of `reasons`.
    pub const fn new(operator: Operator, reasons: Arc<ReasonTable>) -> Self {
        Self { operator, reasons }
    }

    /// Rules, citations, statuses and texts of every reason.
    pub fn reasons(&self) -> &ReasonTable {
        &self.reasons
    }

    /// Whose policy this is.
    pub const fn operator(&self) -> &Operator {
        &self.operator
    }

    /// The decision about `transfer` to `destination` on `evidence`.
    pub fn decide(
        &self,
        _destination: &Destination,
        _transfer: &Transfer,
        _evidence: &Evidence,
    ) -> Decision {
        Decision {
            verdict: Verdict::Allow,
            would_be: Verdict::Allow,
            reduction: crate::model::decision::Reduction::default(),
            reasons: Vec::new(),
            persons: Vec::new(),
            regime: None,
        }
    }
}
