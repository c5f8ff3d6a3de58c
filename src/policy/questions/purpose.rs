//! Question 7: the purpose. Opt-in is asked of the records.

use crate::{
    model::{
        Purpose,
        decision::{Reason, ReasonCode},
        transfer::Transfer,
    },
    policy::{case::Case, findings::Findings},
};

/// The purpose under which nothing personal may be sent.
const DEPERSONALISED: &str = "statistics.depersonalised";
/// First word, and class, of purposes for which the sender must depersonalise (art. 17(1)).
const RESEARCH: &str = "research";

/// Asks whether a purpose is in force at all: about the route, so also when nothing personal was found.
pub(in crate::policy) fn ask_declared(transfer: &Transfer, findings: &mut Findings<'_>) {
    if transfer.route.is_some() && transfer.purpose.is_none() {
        findings.add(Reason::of(ReasonCode::PurposeNotDeclared));
    }
}

/// Asks about the purposes that personal data is sent for.
pub(in crate::policy) fn ask(case: &Case<'_>, findings: &mut Findings<'_>) {
    let present = || case.purposes().flatten();
    if let Some(allowed) = &case.reading.profile.purposes
        && !present().all(|it| allowed.iter().any(|own| own.covers(it)))
    {
        findings.add(case.reason(ReasonCode::PurposeNotAllowed));
    }
    if present().any(|it| is_under(it, DEPERSONALISED)) {
        findings.add(case.reason(ReasonCode::NotAnonymous));
    }
    if present().any(|it| is_under(it, RESEARCH) || case.class(it) == RESEARCH) {
        findings.add(case.reason(ReasonCode::NotDepersonalised));
    }
    let joins = |a: &Purpose, b: &Purpose| {
        present().any(|it| a.covers(it)) && present().any(|it| b.covers(it))
    };
    let mut pairs = case.reading.profile.incompatible.iter();
    if pairs.any(|(a, b)| joins(a, b)) {
        findings.add(case.reason(ReasonCode::IncompatiblePurposes));
    }
}

fn is_under(purpose: &Purpose, parent: &str) -> bool {
    let rest = purpose.as_str().strip_prefix(parent);
    rest.is_some_and(|it| it.is_empty() || it.starts_with('.'))
}
