//! Question 1: is the destination known, and may this caller use it this way? Acts always.

use crate::{
    model::{
        decision::{Reason, ReasonCode},
        destination::Destination,
        transfer::Transfer,
    },
    policy::findings::Findings,
};

/// Asks.
pub(in crate::policy) fn ask(
    destination: &Destination,
    transfer: &Transfer,
    findings: &mut Findings<'_>,
) {
    // A destination that no regime is declared for is not known to the law; configuration refuses it earlier.
    if destination.readings.is_empty() {
        findings.add(Reason::of(ReasonCode::DestinationUnknown));
    }
    if !transfer.caller_allowed {
        findings.add(Reason::of(ReasonCode::CallerNotAllowed));
    }
    if transfer.route.is_none() {
        findings.add(Reason::of(ReasonCode::MethodNotAllowed));
    }
}
