//! Question 2: could everything be read? A gap is never "no findings".

use crate::{
    model::{
        decision::{Reason, ReasonCode},
        destination::{Destination, FailurePolicy, GapPolicy},
        finding::GapKind,
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
    for (kind, count) in &transfer.gaps {
        if *count > 0 && !is_open(destination, *kind) {
            findings.add(Reason::of(ReasonCode::of_gap(*kind)));
        }
    }
}

fn is_open(destination: &Destination, kind: GapKind) -> bool {
    if kind == GapKind::InspectionFailed {
        return destination.inspection_failure == FailurePolicy::Open;
    }
    kind.is_openable() && destination.gaps.get(&kind) == Some(&GapPolicy::AllowLogged)
}
