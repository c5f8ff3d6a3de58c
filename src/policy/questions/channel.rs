//! Question 5: no personal data over an open channel. The declared channel is judged; the connector enforces it.

use crate::{
    model::decision::ReasonCode,
    policy::{case::Case, findings::Findings},
};

/// Asks.
pub(in crate::policy) fn ask(case: &Case<'_>, findings: &mut Findings<'_>) {
    if !case.destination.is_secured && !case.destination.controlled_zone {
        findings.add(case.reason(ReasonCode::OpenChannel));
    }
}
