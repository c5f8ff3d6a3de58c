//! Questions 9 and 10 together: for each facet, purpose and category, a record that carries it – or the one that came nearest.

use std::{cmp::Reverse, sync::Arc};

use super::{basis, consent};
use crate::{
    model::{
        CategorySet, Purpose, Timestamp,
        consent::{Basis, Consent, Facet},
        decision::{Carrier, PersonOutcome, Reason, ReasonCode},
        evidence::{General, SubjectRecord},
        subject::SubjectRef,
    },
    policy::{
        case::Case,
        findings::Findings,
        record::{Assessed, Claim, Failures},
        trace::{Considered, Demand, Trace},
    },
};

/// One subject of one person of the payload, under one reading.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    pub(super) case: &'a Case<'a>,
    pub(super) subject: &'a SubjectRecord,
    pub(super) general: &'a General,
    /// Index of the person in the transfer.
    pub(super) index: u32,
    pub(super) categories: CategorySet,
    /// The person's identifiers in the message.
    pub(super) identifiers: &'a [SubjectRef],
}

/// A record of either sort.
#[derive(Clone, Copy, Debug)]
enum Record<'a> {
    Basis(&'a Basis),
    Consent(&'a Consent),
}

impl<'a> About<'a> {
    /// Asks for every facet and purpose; a free facet is noted with what frees it.
    pub(super) fn ask<T: Trace>(
        &self,
        outcome: &mut PersonOutcome,
        findings: &mut Findings<'_>,
        trace: &mut T,
    ) {
        let mut is_asked = false;
        for (facet, free) in [
            (Facet::ThirdParty, Carrier::NotAsked),
            (Facet::CrossBorder, self.border_carrier()),
        ] {
            if self.case.asks(facet) {
                is_asked = true;
                self.claim(Demand::Facet(facet), outcome, findings, trace);
            } else if self.case.has(facet) {
                carry(outcome, facet, free);
            }
        }
        if !is_asked {
            // A facet that is free frees nothing that may go only if it is named.
            self.claim(Demand::Naming, outcome, findings, trace);
        }
    }

    /// What frees the border where no record is asked for.
    fn border_carrier(&self) -> Carrier {
        match self.case.safeguard {
            Some(it) if !self.case.border.is_adequate() => Carrier::Safeguard {
                safeguard: Arc::clone(&it.kind),
                reference: it.reference.as_str().into(),
            },
            Some(_) | None => Carrier::Adequacy,
        }
    }

    fn claim<T: Trace>(
        &self,
        demand: Demand,
        outcome: &mut PersonOutcome,
        findings: &mut Findings<'_>,
        trace: &mut T,
    ) {
        let wanted = match demand {
            Demand::Facet(_) => self.categories,
            Demand::Naming => self.categories.intersection(self.case.rules.only_if_named),
        };
        if wanted.is_empty() {
            return;
        }
        for purpose in self.case.purposes() {
            let claim = Claim {
                case: self.case,
                subject: self.subject,
                identifiers: self.identifiers,
                general: self.general,
                demand,
                purpose,
            };
            if T::ON {
                self.tell(&claim, wanted, trace);
            }
            let left = gather(&claim, wanted, outcome);
            outcome.covered = outcome.covered.minus(left);
            outcome.uncovered = outcome.uncovered.union(left);
            if !left.is_empty() {
                self.refuse(&claim, left, findings);
            }
        }
    }

    /// The reasons why nothing carries `left`.
    fn refuse(&self, claim: &Claim<'_>, left: CategorySet, findings: &mut Findings<'_>) {
        let case = self.case;
        let reason = |code| Reason {
            person: Some(self.index),
            facet: claim.demand.facet(),
            categories: left,
            country: match claim.demand {
                Demand::Facet(Facet::CrossBorder) => case.border.worst(),
                Demand::Facet(Facet::ThirdParty) | Demand::Naming => None,
            },
            ..case.reason(code)
        };
        let is_border = claim.demand == Demand::Facet(Facet::CrossBorder);
        if is_border
            && !case.reading.adequate_state_requires_consent()
            && let Some(country) = case.border.expired()
        {
            findings.add(Reason {
                country: Some(country),
                ..reason(ReasonCode::AdequacyAssessmentExpired)
            });
        }
        let Some((record, failures)) = nearest(claim, left) else {
            let code = match claim.demand {
                Demand::Facet(_) => ReasonCode::NoConsent,
                Demand::Naming => ReasonCode::SpecialCategory,
            };
            findings.add(reason(code));
            return;
        };
        let near = |code, categories| Reason {
            categories,
            record: Some(Arc::clone(record.id())),
            ..reason(code)
        };
        match record.reason(failures) {
            Some(ReasonCode::SpecialCategory | ReasonCode::CategoryNotCovered) => {
                let missing = left.minus(record.names());
                let special = missing.intersection(case.rules.only_if_named);
                for (code, categories) in [
                    (ReasonCode::SpecialCategory, special),
                    (ReasonCode::CategoryNotCovered, missing.minus(special)),
                ] {
                    if !categories.is_empty() {
                        findings.add(near(code, categories));
                    }
                }
            }
            Some(ReasonCode::CountryNotCovered) => findings.add(Reason {
                country: record.missing_country(case).or_else(|| case.border.worst()),
                ..near(ReasonCode::CountryNotCovered, left)
            }),
            Some(code) => findings.add(near(code, left)),
            None => findings.add(near(ReasonCode::NoConsent, left)),
        }
    }

    fn tell<T: Trace>(&self, claim: &Claim<'_>, wanted: CategorySet, trace: &mut T) {
        for record in records(claim) {
            let assessed = record.assess(claim);
            let carries = assessed.carries().intersection(wanted);
            let failures = assessed.failures_for(self.case, wanted.minus(carries));
            trace.considered(Considered {
                regime: Arc::clone(&self.case.reading.regime.code),
                person: self.index,
                subject: self.subject.id.clone(),
                demand: claim.demand,
                purpose: claim.purpose.cloned(),
                record: Arc::clone(record.id()),
                kind: record.kind(),
                carries,
                failures: failures.iter().collect(),
            });
        }
    }
}

/// Takes from every record what it carries, and returns what is left. A record that adds nothing is not a carrier.
fn gather(claim: &Claim<'_>, wanted: CategorySet, outcome: &mut PersonOutcome) -> CategorySet {
    let mut left = wanted;
    for record in records(claim) {
        if left.is_empty() {
            break;
        }
        let carried = record.assess(claim).carries().intersection(left);
        if !carried.is_empty() {
            left = left.minus(carried);
            // What merely names a category carries no facet; it is noted with the facet it speaks of first.
            let facet = claim.demand.facet().unwrap_or(Facet::ThirdParty);
            carry(outcome, facet, record.carrier(claim, facet));
        }
    }
    left
}

fn carry(outcome: &mut PersonOutcome, facet: Facet, carrier: Carrier) {
    let mut known = outcome.carriers.iter();
    if !known.any(|(its, it)| *its == facet && *it == carrier) {
        outcome.carriers.push((facet, carrier));
    }
}

/// The subject's consents, newest first, the subject's bases, then those of everybody.
fn records<'a>(claim: &Claim<'a>) -> impl Iterator<Item = Record<'a>> + use<'a> {
    let consents = claim.subject.consents.iter().rev().map(Record::Consent);
    let own = claim.subject.bases.iter().map(Record::Basis);
    let general = claim.general.bases.iter().map(Record::Basis);
    consents.chain(own).chain(general)
}

/// The record that comes nearest to carrying `left`: fewest failed checks; then one for this purpose; then a consent; then the one
/// that fails latest in order; then the newest. A basis of everybody counts only when it is for this purpose, since it says
/// nothing about the person.
fn nearest<'a>(claim: &Claim<'a>, left: CategorySet) -> Option<(Record<'a>, Failures)> {
    records(claim)
        .map(|it| (it, it.assess(claim).failures_for(claim.case, left)))
        .filter(|(record, failures)| {
            !record.is_general() || !failures.has(ReasonCode::PurposeNotCovered)
        })
        .min_by_key(|(record, failures)| {
            (
                failures.len(),
                failures.has(ReasonCode::PurposeNotCovered),
                matches!(record, Record::Basis(_)),
                Reverse(failures.first()),
                Reverse((record.at(), record.id())),
            )
        })
}

impl<'a> Record<'a> {
    fn assess(self, claim: &Claim<'_>) -> Assessed {
        match self {
            Self::Basis(it) => basis::assess(claim, it),
            Self::Consent(it) => consent::assess(claim, it),
        }
    }

    const fn id(self) -> &'a Arc<str> {
        match self {
            Self::Basis(it) => &it.id,
            Self::Consent(it) => &it.id,
        }
    }

    const fn at(self) -> Timestamp {
        match self {
            Self::Basis(it) => it.recorded.at,
            Self::Consent(it) => it.given_at,
        }
    }

    const fn names(self) -> CategorySet {
        match self {
            Self::Basis(it) => it.categories,
            Self::Consent(it) => it.categories,
        }
    }

    const fn is_general(self) -> bool {
        matches!(self, Self::Basis(Basis { subject: None, .. }))
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::Basis(it) => basis::name(it.kind),
            Self::Consent(_) => "consent",
        }
    }

    /// The reason this record gives. A basis for another purpose says nothing about the facet, so its purpose speaks first.
    fn reason(self, failures: Failures) -> Option<ReasonCode> {
        let first = failures.first()?;
        let is_facet = matches!(
            first,
            ReasonCode::ThirdPartyNotConsented | ReasonCode::CrossBorderNotConsented
        );
        let is_off_purpose = failures.has(ReasonCode::PurposeNotCovered);
        match self {
            Self::Basis(_) if is_facet && is_off_purpose => Some(ReasonCode::PurposeNotCovered),
            Self::Basis(_) | Self::Consent(_) => Some(first),
        }
    }

    /// The first country of the border that the record does not name.
    fn missing_country(self, case: &Case<'_>) -> Option<crate::model::Country> {
        let named = match self {
            Self::Basis(it) => &it.countries,
            Self::Consent(it) => it.cross_border.as_ref()?,
        };
        let mut countries = case.border.iter().map(|(it, _)| it);
        countries.find(|it| !named.contains(it))
    }

    fn carrier(self, claim: &Claim<'_>, facet: Facet) -> Carrier {
        match self {
            Self::Basis(it) => Carrier::Basis {
                basis: it.kind,
                record: Arc::clone(&it.id),
                beyond_statute: claim
                    .case
                    .reading
                    .accepts(facet, it.kind)
                    .is_some_and(|it| it.0),
            },
            Self::Consent(it) => Carrier::Consent {
                record: Arc::clone(&it.id),
            },
        }
    }
}

/// Whether `purposes` cover `purpose`; nothing covers a purpose that was not given.
pub(super) fn covers<'p>(
    purposes: impl IntoIterator<Item = &'p Purpose>,
    purpose: Option<&Purpose>,
) -> bool {
    let mut purposes = purposes.into_iter();
    purpose.is_some_and(|it| purposes.any(|own| own.covers(it)))
}
