//! The state of one record at a time, in a word. What a transfer may rest on is decided by the policy, not here.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::{
    Day, Purpose, Timestamp, UtcOffset,
    consent::{
        Basis, Consent, ConsentState, ObjectionTarget, PurposeEnd, PurposeEndScope, Until,
        Withdrawal, WithdrawalScope,
    },
    evidence::{General, SubjectRecord},
};

/// How a record stands; the first that applies, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum State {
    NotYetRecorded,
    Invalidated,
    Refused,
    Revoked,
    Lifted,
    Withdrawn,
    Suspended,
    PurposeEnded,
    Expired,
    NotYet,
    EvidenceMismatch,
    PartlyWithdrawn,
    Standing,
}

impl State {
    pub(in crate::cli) const fn as_str(self) -> &'static str {
        match self {
            Self::NotYetRecorded => "not-yet-recorded",
            Self::Invalidated => "invalidated",
            Self::Refused => "refused",
            Self::Revoked => "revoked",
            Self::Lifted => "lifted",
            Self::Withdrawn => "withdrawn",
            Self::Suspended => "suspended",
            Self::PurposeEnded => "purpose-ended",
            Self::Expired => "expired",
            Self::NotYet => "not-yet",
            Self::EvidenceMismatch => "evidence-mismatch",
            Self::PartlyWithdrawn => "partly-withdrawn",
            Self::Standing => "standing",
        }
    }
}

/// How `consent` stands at `at`.
pub(in crate::cli) fn of(
    consent: &Consent,
    record: &SubjectRecord,
    general: &General,
    at: Timestamp,
    offset: UtcOffset,
) -> State {
    if consent.recorded.at > at {
        return State::NotYetRecorded;
    }
    if let Some(ended) = by_event(consent, at) {
        return ended;
    }
    let withdrawn = withdrawn(consent, record, at);
    if withdrawn == Some(State::Withdrawn) {
        return State::Withdrawn;
    }
    if has_ended(consent, record, general, at) {
        return State::PurposeEnded;
    }
    let until = match consent.until {
        Until::Day(day) => Some(day),
        Until::Programme(_) | Until::Purpose => None,
    };
    if let Some(outside) = term(consent.from, until, at, offset) {
        return outside;
    }
    if consent.evidence_mismatch {
        return State::EvidenceMismatch;
    }
    withdrawn.unwrap_or(State::Standing)
}

/// How `basis` stands at `at`, for the subject of `record` or, without one, for everybody.
pub(in crate::cli) fn of_basis(
    basis: &Basis,
    record: Option<&SubjectRecord>,
    general: &General,
    at: Timestamp,
    offset: UtcOffset,
) -> State {
    if basis.recorded.at > at {
        return State::NotYetRecorded;
    }
    let mut objections = record.iter().flat_map(|it| &it.objections);
    let is_suspended = objections.any(|it| {
        let is_meant = match &it.against {
            ObjectionTarget::Basis(id) => *id == basis.id,
            ObjectionTarget::Kind(kind) => *kind == basis.kind,
        };
        is_meant && is_open(it.from, it.lifted_at, at)
    });
    if is_suspended {
        return State::Suspended;
    }
    let from = basis.from.start(offset);
    let ends = ends(record, general, at).filter(|it| from <= it.at);
    if covers_all(ends, &basis.purposes) {
        return State::PurposeEnded;
    }
    term(basis.from, basis.until, at, offset).unwrap_or(State::Standing)
}

/// Whether what began at `from` and may have been lifted acts at `at`.
pub(in crate::cli) fn is_open(
    from: Timestamp,
    lifted_at: Option<Timestamp>,
    at: Timestamp,
) -> bool {
    from <= at && lifted_at.is_none_or(|it| at < it)
}

/// Whether `withdrawal` is about `consent`: by name, unless renewed since it was filed; or about all given before that.
pub(in crate::cli) fn aims(withdrawal: &Withdrawal, consent: &Consent, at: Timestamp) -> bool {
    let granted_at = granted_at(consent, at);
    let is_renewed = granted_at > consent.given_at && granted_at > withdrawal.filed_at;
    match &withdrawal.consent {
        Some(id) => *id == consent.id && !is_renewed,
        None => granted_at <= withdrawal.filed_at,
    }
}

/// Why `at` is outside a term of days, if it is.
pub(in crate::cli) fn term(
    from: Day,
    until: Option<Day>,
    at: Timestamp,
    offset: UtcOffset,
) -> Option<State> {
    if until.is_some_and(|it| at >= it.end(offset)) {
        Some(State::Expired)
    } else if at < from.start(offset) {
        Some(State::NotYet)
    } else {
        None
    }
}

/// When it was last given.
fn granted_at(consent: &Consent, at: Timestamp) -> Timestamp {
    let is_grant = |it: &ConsentState| matches!(it, ConsentState::Given | ConsentState::Renewed);
    let later = consent
        .events
        .iter()
        .filter(|(state, when)| is_grant(state) && *when <= at);
    later.map(|it| it.1).fold(consent.given_at, Timestamp::max)
}

fn by_event(consent: &Consent, at: Timestamp) -> Option<State> {
    let last = consent.events.iter().rfind(|it| it.1 <= at)?;
    match last.0 {
        ConsentState::Given | ConsentState::Renewed => None,
        ConsentState::Invalidated => Some(State::Invalidated),
        ConsentState::Refused => Some(State::Refused),
        ConsentState::Revoked => Some(State::Revoked),
    }
}

fn withdrawn(consent: &Consent, record: &SubjectRecord, at: Timestamp) -> Option<State> {
    let mut found = None;
    for it in &record.withdrawals {
        if aims(it, consent, at) && it.refused_reason.is_none() && it.recorded.at <= at {
            if it.scope == WithdrawalScope::default() {
                return Some(State::Withdrawn);
            }
            found = Some(State::PartlyWithdrawn);
        }
    }
    found
}

/// Whether all that the consent was given for has ended. What is given after an end is a new beginning, but for a programme.
fn has_ended(consent: &Consent, record: &SubjectRecord, general: &General, at: Timestamp) -> bool {
    let granted_at = granted_at(consent, at);
    let whole = ends(Some(record), general, at).any(|it| match &it.scope {
        PurposeEndScope::Consent(id) => *id == consent.id && granted_at <= it.at,
        PurposeEndScope::Programme(id) => consent.until == Until::Programme(id.clone()),
        PurposeEndScope::Purpose(_) => false,
    });
    let later = ends(Some(record), general, at).filter(|it| granted_at <= it.at);
    whole || covers_all(later, &consent.purposes)
}

/// Ends that concern the subject, as of `at`.
fn ends<'a>(
    record: Option<&'a SubjectRecord>,
    general: &'a General,
    at: Timestamp,
) -> impl Iterator<Item = &'a PurposeEnd> {
    let own = record.into_iter().flat_map(|it| &it.purpose_ends);
    general
        .purpose_ends
        .iter()
        .chain(own)
        .filter(move |it| it.at <= at)
}

fn covers_all<'a>(
    ends: impl Iterator<Item = &'a PurposeEnd>,
    purposes: &BTreeSet<Purpose>,
) -> bool {
    let ended: Vec<&Purpose> = ends
        .filter_map(|it| match &it.scope {
            PurposeEndScope::Purpose(purpose) => Some(purpose),
            PurposeEndScope::Consent(_) | PurposeEndScope::Programme(_) => None,
        })
        .collect();
    purposes
        .iter()
        .all(|it| ended.iter().any(|ended| ended.covers(it)))
}
