//! Transfer + evidence → decision. Pure, total, deterministic.
//!
//! The order of the questions is stated in one place, [`Policy::decide_traced`]; each question is a file of `questions`.
//! A question adds reasons and never removes one, so that every question is always asked and no answer hides another.

use std::sync::Arc;

use crate::model::{
    decision::Decision, destination::Destination, evidence::Evidence, law::Operator,
    transfer::Transfer,
};

mod adequacy;
mod case;
mod conclude;
pub mod data;
pub mod explain;
mod findings;
mod questions;
pub mod reasons;
mod record;
pub mod trace;

#[cfg(test)]
mod tests;

pub use adequacy::Adequacy;
use case::Case;
pub use explain::Explanation;
use findings::Findings;
pub use reasons::ReasonTable;
pub use trace::Trace;

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
    ///
    /// A function of its arguments: the same three values give the same decision, whoever asks and whenever. Every person of the
    /// payload must be resolved, without exception: somebody unknown or unresolved is refused even where neither facet asks for a
    /// consent (inside the home country, to the operator itself, to an adequate state), since nobody could tell whether that
    /// person is restricted.
    ///
    /// Costs about a microsecond a person and register record; allocates for reasons and carriers only.
    pub fn decide(
        &self,
        destination: &Destination,
        transfer: &Transfer,
        evidence: &Evidence,
    ) -> Decision {
        self.decide_traced(destination, transfer, evidence, &mut ())
    }

    /// [`decide`](Self::decide), telling `trace` every record that was considered. `&mut ()` compiles to nothing.
    pub fn decide_traced<T: Trace>(
        &self,
        destination: &Destination,
        transfer: &Transfer,
        evidence: &Evidence,
        trace: &mut T,
    ) -> Decision {
        let mut findings = Findings::new(&self.reasons, &destination.modes, transfer.at);
        let mut outcomes = Vec::new();
        // 1. Is the destination known, and may this caller use it this way?
        questions::destination::ask(destination, transfer, &mut findings);
        // 2. Could everything be read?
        questions::gaps::ask(destination, transfer, &mut findings);
        // 7, as far as it asks about the route and not about data.
        questions::purpose::ask_declared(transfer, &mut findings);
        // 3. Is there personal data? If not, nothing below has a subject.
        if !transfer.persons.is_empty() {
            let cases: Vec<Case<'_>> = destination
                .readings
                .iter()
                .map(|reading| Case::new(&self.operator, destination, transfer, reading))
                .collect();
            for case in &cases {
                questions::categories::ask(case, &mut findings); // 4
                questions::channel::ask(case, &mut findings); // 5
                questions::recipient::ask(case, &mut findings); // 6
                questions::purpose::ask(case, &mut findings); // 7
            }
            // 8. Each person; 9. a basis for each facet; 10. the consent.
            outcomes = questions::person::ask(&cases, transfer, evidence, &mut findings, trace);
        }
        // 11. Several regimes: every reading's reasons stand side by side, so the strictest wins.
        conclude::decision(destination, transfer, findings.into_ordered(), outcomes)
    }
}
