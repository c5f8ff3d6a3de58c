//! Question 2: could everything be read? A gap is never "no findings".

use crate::{
    model::{
        Timestamp,
        decision::{Reason, ReasonCode},
        destination::Destination,
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
        if *count > 0 && !is_open(destination, *kind, transfer.at) {
            findings.add(Reason::of(ReasonCode::of_gap(*kind)));
        }
    }
}

fn is_open(destination: &Destination, kind: GapKind, at: Timestamp) -> bool {
    if kind == GapKind::InspectionFailed {
        return destination.inspection_failure.is_open(at);
    }
    kind.is_openable() && destination.gaps.get(&kind).is_some_and(|it| it.is_open(at))
}
