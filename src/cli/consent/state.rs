//! The state of one consent at a time, in a word. What a transfer may rest on is decided by the policy, not here.

use serde::Serialize;

use crate::model::{
    Timestamp, UtcOffset,
    consent::{Consent, ConsentState, PurposeEnd, PurposeEndScope, Until, WithdrawalScope},
    evidence::{General, SubjectRecord},
};

/// How a consent stands; the first that applies, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum State {
    NotYetRecorded,
    Invalidated,
    Refused,
    Revoked,
    Withdrawn,
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
            Self::Withdrawn => "withdrawn",
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
    if matches!(consent.until, Until::Day(day) if at >= day.end(offset)) {
        return State::Expired;
    }
    if at < consent.from.start(offset) {
        return State::NotYet;
    }
    if consent.evidence_mismatch {
        return State::EvidenceMismatch;
    }
    withdrawn.unwrap_or(State::Standing)
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
        let aims = match &it.consent {
            Some(id) => *id == consent.id,
            None => consent.given_at <= it.recorded.at,
        };
        if aims && it.refused_reason.is_none() && it.recorded.at <= at {
            if it.scope == WithdrawalScope::default() {
                return Some(State::Withdrawn);
            }
            found = Some(State::PartlyWithdrawn);
        }
    }
    found
}

/// Whether all that the consent was given for has ended.
fn has_ended(consent: &Consent, record: &SubjectRecord, general: &General, at: Timestamp) -> bool {
    let ends: Vec<&PurposeEnd> = general
        .purpose_ends
        .iter()
        .chain(&record.purpose_ends)
        .filter(|it| it.at <= at)
        .collect();
    let whole = ends.iter().any(|it| match &it.scope {
        PurposeEndScope::Consent(id) => *id == consent.id,
        PurposeEndScope::Programme(id) => consent.until == Until::Programme(id.clone()),
        PurposeEndScope::Purpose(_) => false,
    });
    let every_purpose = consent.purposes.iter().all(|purpose| {
        ends.iter()
            .any(|it| matches!(&it.scope, PurposeEndScope::Purpose(ended) if ended.covers(purpose)))
    });
    whole || every_purpose
}
