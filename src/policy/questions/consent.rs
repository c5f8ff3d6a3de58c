//! Question 10: the consent.

use super::{
    basis::{covers_party, has_ended, touches},
    ground::covers,
    person::needs_representative,
};
use crate::{
    model::{
        Category, CategorySet, Purpose, Timestamp,
        consent::{
            Consent, ConsentState, Facet, PurposeEndScope, Until, Withdrawal, WithdrawalScope,
            covers_addresses,
        },
        decision::ReasonCode,
        destination::Role,
        law::{WithdrawalEffective, WrittenFor},
    },
    policy::{
        adequacy::Adequacy,
        case::{Case, is_recall},
        record::{Assessed, Claim, Failures},
        trace::Demand,
    },
};

const DAY_MILLIS: i64 = 86_400_000;

/// What `consent` is worth for `claim`.
pub(super) fn assess(claim: &Claim<'_>, consent: &Consent) -> Assessed {
    let standing = Standing::at(consent, claim.case.transfer.at);
    // a recall reaches whoever was sent data under a consent, for whatever purpose, by whatever channel and though it was
    // taken back since.
    let recalls = claim.purpose.is_some_and(is_recall);
    let mut failures = Failures::default();
    check_life(claim, consent, &standing, recalls, &mut failures);
    check_scope(claim, consent, recalls, &mut failures);
    check_proof(claim, consent, &mut failures);
    let withdrawn = if recalls {
        CategorySet::EMPTY
    } else {
        withdrawn(claim, consent, standing.granted_at)
    };
    Assessed {
        failures,
        names: consent.categories,
        withdrawn: withdrawn.intersection(consent.categories),
        unwritten: unwritten(claim.case, consent),
    }
}

/// The state of a consent at an instant, by what was recorded.
struct Standing {
    state: ConsentState,
    /// When it was last given.
    granted_at: Timestamp,
}

impl Standing {
    fn at(consent: &Consent, at: Timestamp) -> Self {
        let mut standing = Self {
            state: ConsentState::Given,
            granted_at: consent.given_at,
        };
        let mut latest = Timestamp::MIN;
        for (state, when) in &consent.events {
            if *when > at {
                continue;
            }
            if *when >= latest {
                latest = *when;
                standing.state = *state;
            }
            if matches!(state, ConsentState::Given | ConsentState::Renewed) {
                standing.granted_at = standing.granted_at.max(*when);
            }
        }
        standing
    }
}

/// Given to this operator, standing, within its term.
fn check_life(
    claim: &Claim<'_>,
    consent: &Consent,
    standing: &Standing,
    recalls: bool,
    failures: &mut Failures,
) {
    let case = claim.case;
    let is_ours = consent.operator == case.operator.bin;
    failures.note(ReasonCode::OperatorNotNamed, !is_ours);
    match standing.state {
        ConsentState::Given | ConsentState::Renewed => {}
        ConsentState::Refused => failures.note(ReasonCode::ConsentWithdrawn, !recalls),
        ConsentState::Invalidated | ConsentState::Revoked => {
            failures.note(ReasonCode::ConsentInvalidated, true);
        }
    }
    let is_early = consent.from > case.today || consent.given_at > case.transfer.at;
    failures.note(ReasonCode::ConsentNotYetValid, is_early);
    let own = match &consent.until {
        Until::Day(until) => {
            failures.note(ReasonCode::ConsentExpired, *until < case.today);
            PurposeEndScope::Consent(consent.id.clone())
        }
        Until::Programme(id) => PurposeEndScope::Programme(id.clone()),
        Until::Purpose => PurposeEndScope::Consent(consent.id.clone()),
    };
    failures.note(
        ReasonCode::PurposeEnded,
        has_ended(claim, &own, standing.granted_at),
    );
}

/// What it was given for: facet, recipient, countries, purpose, channel, addresses.
fn check_scope(claim: &Claim<'_>, consent: &Consent, recalls: bool, failures: &mut Failures) {
    let case = claim.case;
    let party = &case.destination.party;
    let is_public = party.role == Role::Public;
    match claim.demand {
        Demand::Facet(Facet::ThirdParty) => {
            let is_named = consent.third_party.is_some() || (is_public && consent.public);
            let is_given = is_named && case.reading.consent_answers(Facet::ThirdParty);
            failures.note(ReasonCode::ThirdPartyNotConsented, !is_given);
            failures.note(
                ReasonCode::RecipientNotCovered,
                is_public && !consent.public,
            );
        }
        Demand::Facet(Facet::CrossBorder) => {
            let countries = consent.cross_border.as_ref();
            failures.note(ReasonCode::CrossBorderNotConsented, countries.is_none());
            let names = |it| countries.is_some_and(|own| own.contains(&it));
            let is_inside = case.border.iter().all(|(it, _)| names(it));
            let is_outside = countries.is_some() && !is_inside;
            failures.note(ReasonCode::CountryNotCovered, is_outside);
        }
        Demand::Naming => {}
    }
    if claim.demand != Demand::Naming
        && let Some(scope) = &consent.third_party
    {
        let is_named = covers_party(scope, party);
        failures.note(ReasonCode::RecipientNotCovered, !is_named);
    }
    let is_for_it = recalls || covers(&consent.purposes, claim.purpose);
    failures.note(ReasonCode::PurposeNotCovered, !is_for_it);
    let is_limited = !recalls && !consent.channels.is_empty();
    let by_channel = || case.channel.is_some_and(|it| consent.channels.contains(it));
    failures.note(ReasonCode::ChannelNotCovered, is_limited && !by_channel());
    let is_to_them = covers_addresses(&consent.addresses, claim.identifiers);
    failures.note(ReasonCode::AddressNotCovered, !is_to_them);
}

/// How it can be proven, and by whose authority it was given.
fn check_proof(claim: &Claim<'_>, consent: &Consent, failures: &mut Failures) {
    let case = claim.case;
    let profile = &case.reading.profile;
    failures.note(ReasonCode::EvidenceMismatch, consent.evidence_mismatch);
    let method = consent.evidence.method;
    let accepted = &profile.evidence_methods;
    let is_accepted = accepted.is_empty() || accepted.contains(&method);
    failures.note(ReasonCode::EvidenceMethod, !is_accepted);
    let needs_writing = claim.demand == Demand::Facet(Facet::CrossBorder)
        && asks_writing(case, WrittenFor::NonAdequateCountry)
        && case.border.iter().any(|(_, it)| it != Adequacy::Adequate);
    let in_writing = &profile.written_evidence_for_purposes;
    let needs_writing = needs_writing || covers(in_writing, claim.purpose);
    let is_unwritten = needs_writing && !method.is_written();
    failures.note(ReasonCode::WrittenFormMissing, is_unwritten);
    if profile.retention_check {
        failures.note(ReasonCode::RetentionTooLong, outlives(case, consent));
    }
    match &consent.representative {
        Some(id) => {
            let given_on = consent.given_at.day(case.operator.utc_offset);
            let has_authority = claim.subject.representatives.iter().any(|it| {
                let holds = |day| it.from <= day && it.until.is_none_or(|it| day <= it);
                it.id == *id && holds(case.today) && holds(given_on)
            });
            failures.note(ReasonCode::RepresentativeExpired, !has_authority);
        }
        None => {
            let is_missing = needs_representative(case, claim.subject);
            failures.note(ReasonCode::MinorWithoutRepresentative, is_missing);
        }
    }
}

/// the recipient would keep the data beyond the consent's last day.
fn outlives(case: &Case<'_>, consent: &Consent) -> bool {
    match (&consent.until, case.destination.retention_days) {
        (Until::Day(until), Some(days)) => {
            let kept_until = case.transfer.at.plus_millis(i64::from(days) * DAY_MILLIS);
            kept_until > until.end(case.operator.utc_offset)
        }
        (Until::Day(_) | Until::Programme(_) | Until::Purpose, _) => false,
    }
}

fn asks_writing(case: &Case<'_>, what: WrittenFor) -> bool {
    case.reading.profile.written_evidence_for.contains(&what)
}

/// Special categories of a consent that was not given in writing, where the profile asks for writing.
fn unwritten(case: &Case<'_>, consent: &Consent) -> CategorySet {
    let is_enough = consent.evidence.method.is_written();
    if is_enough || !asks_writing(case, WrittenFor::SpecialCategories) {
        return CategorySet::EMPTY;
    }
    let named = consent.categories.iter();
    named.filter(|it: &Category| it.is_special()).collect()
}

/// Categories that withdrawals and newer refusals take out of `consent` for `claim`.
fn withdrawn(claim: &Claim<'_>, consent: &Consent, granted_at: Timestamp) -> CategorySet {
    let withdrawals = claim.subject.withdrawals.iter();
    let by_withdrawal = withdrawals
        .filter(|it| acts(claim.case, it) && targets(it, consent, granted_at))
        .filter(|it| reaches(claim, &it.scope))
        .map(|it| taken(consent, it.scope.categories));
    let others = claim.subject.consents.iter();
    let by_refusal = others
        .filter(|it| it.id != consent.id && refuses(claim, it, granted_at))
        .map(|it| taken(consent, it.categories));
    by_withdrawal
        .chain(by_refusal)
        .fold(CategorySet::EMPTY, CategorySet::union)
}

const fn taken(consent: &Consent, limit: CategorySet) -> CategorySet {
    if limit.is_empty() {
        consent.categories
    } else {
        limit
    }
}

/// Whether a withdrawal acts yet. One that the law forbids is recorded without effect (art. 8(2)).
fn acts(case: &Case<'_>, it: &Withdrawal) -> bool {
    let from = match case.reading.profile.withdrawal_effective {
        WithdrawalEffective::AtOnce => it.recorded.at,
        WithdrawalEffective::AsFiled => it.recorded.at.max(it.effective_at),
    };
    it.refused_reason.is_none() && from <= case.transfer.at
}

/// Whether it is about `consent`: by name, unless renewed since it was filed; or about all given before it was filed.
fn targets(it: &Withdrawal, consent: &Consent, granted_at: Timestamp) -> bool {
    let is_renewed = granted_at > consent.given_at && granted_at > it.filed_at;
    match &it.consent {
        Some(id) => *id == consent.id && !is_renewed,
        None => granted_at <= it.filed_at,
    }
}

/// Whether a scope reaches what is claimed. An empty list is no limit; a route without a channel may use any, so it is reached.
fn reaches(claim: &Claim<'_>, scope: &WithdrawalScope) -> bool {
    let case = claim.case;
    let party = &case.destination.party;
    let by_action = scope.actions.iter().any(|it| match (&**it, claim.demand) {
        ("processing", _) => true,
        ("third-party", demand) => demand == Demand::Facet(Facet::ThirdParty),
        ("cross-border", demand) => demand == Demand::Facet(Facet::CrossBorder),
        ("public", _) => party.role == Role::Public,
        _ => false,
    });
    let is_related = |it: &Purpose| {
        let claimed = claim.purpose;
        claimed.is_some_and(|claimed| it.covers(claimed) || claimed.covers(it))
    };
    let by_channel = case.channel.is_none_or(|it| scope.channels.contains(it));
    // The country of a consent is tested for the border only, and so is its withdrawal.
    let by_country =
        claim.demand == Demand::Facet(Facet::CrossBorder) && touches(case, &scope.countries);
    (scope.actions.is_empty() || by_action)
        && (scope.purposes.is_empty() || scope.purposes.iter().any(is_related))
        && (scope.channels.is_empty() || by_channel)
        && (scope.recipients.is_empty() || scope.recipients.contains(&party.id))
        && (scope.countries.is_empty() || by_country)
}

/// Whether `other` is a refusal, newer than the grant, of what is claimed. A refusal that asked about neither facet refuses both,
/// and one that asked about some addresses refuses all: less passes, never more.
fn refuses(claim: &Claim<'_>, other: &Consent, granted_at: Timestamp) -> bool {
    let case = claim.case;
    let at = case.transfer.at;
    let is_newer = other
        .events
        .iter()
        .filter(|(_, when)| *when <= at)
        .max_by_key(|(_, when)| *when)
        .is_some_and(|(state, when)| *state == ConsentState::Refused && *when > granted_at);
    if !is_newer {
        return false;
    }
    let is_whole = other.third_party.is_none() && other.cross_border.is_none();
    let by_facet = match claim.demand {
        Demand::Facet(Facet::ThirdParty) => other
            .third_party
            .as_ref()
            .is_some_and(|it| covers_party(it, &case.destination.party)),
        Demand::Facet(Facet::CrossBorder) => {
            let countries = other.cross_border.as_ref();
            countries.is_some_and(|it| touches(case, it))
        }
        Demand::Naming => false,
    };
    let by_purpose = other.purposes.is_empty() || covers(&other.purposes, claim.purpose);
    let by_channel =
        other.channels.is_empty() || case.channel.is_none_or(|it| other.channels.contains(it));
    (is_whole || by_facet) && by_purpose && by_channel
}
