//! Question 9: bases other than consent.

use super::ground::covers;
use crate::{
    model::{
        CategorySet, Timestamp,
        consent::{Basis, BasisKind, Facet, ObjectionTarget, PartyScope, PurposeEndScope},
        decision::ReasonCode,
        destination::{Party, Role},
    },
    policy::{
        case::Case,
        record::{Assessed, Claim, Failures},
        trace::Demand,
    },
};

/// What `basis` is worth for `claim`.
pub(super) fn assess(claim: &Claim<'_>, basis: &Basis) -> Assessed {
    let case = claim.case;
    let mut failures = Failures::default();
    failures.note(ReasonCode::BasisSuspended, is_suspended(claim, basis));
    let is_over = basis.until.is_some_and(|it| it < case.today);
    failures.note(ReasonCode::ConsentExpired, is_over);
    failures.note(ReasonCode::ConsentNotYetValid, basis.from > case.today);
    let from = basis.from.start(case.operator.utc_offset);
    failures.note(
        ReasonCode::PurposeEnded,
        has_ended(claim, &PurposeEndScope::Consent(basis.id.clone()), from),
    );
    match claim.demand {
        Demand::Facet(facet) => {
            let answers =
                basis.facets.contains(&facet) && case.reading.accepts(facet, basis.kind).is_some();
            failures.note(not_consented(facet), !answers);
            failures.note(
                ReasonCode::RecipientNotCovered,
                !covers_party(&basis.parties, &case.destination.party),
            );
        }
        Demand::Naming => {
            let is_known = |facet| case.reading.accepts(facet, basis.kind).is_some();
            let is_accepted = is_known(Facet::ThirdParty) || is_known(Facet::CrossBorder);
            failures.note(ReasonCode::ThirdPartyNotConsented, !is_accepted);
        }
    }
    if claim.demand == Demand::Facet(Facet::CrossBorder) {
        let mut countries = case.border.iter().map(|(it, _)| it);
        let is_inside = countries.all(|it| basis.countries.contains(&it));
        failures.note(ReasonCode::CountryNotCovered, !is_inside);
    }
    // Marketing asks for the person's own word; no other basis stands in for it.
    let is_opt_in = claim.purpose.is_some_and(|it| case.is_opt_in(it));
    failures.note(
        ReasonCode::PurposeNotCovered,
        is_opt_in || !covers(&basis.purposes, claim.purpose),
    );
    Assessed {
        failures,
        names: basis.categories,
        withdrawn: CategorySet::EMPTY,
        unwritten: CategorySet::EMPTY,
    }
}

/// The reason when a record does not answer `facet`.
pub(super) const fn not_consented(facet: Facet) -> ReasonCode {
    match facet {
        Facet::ThirdParty => ReasonCode::ThirdPartyNotConsented,
        Facet::CrossBorder => ReasonCode::CrossBorderNotConsented,
    }
}

/// An objection that is open suspends what it is against.
fn is_suspended(claim: &Claim<'_>, basis: &Basis) -> bool {
    let at = claim.case.transfer.at;
    claim.subject.objections.iter().any(|it| {
        let is_open = it.from <= at && it.lifted_at.is_none_or(|lifted| at < lifted);
        is_open
            && match &it.against {
                ObjectionTarget::Basis(id) => *id == basis.id,
                ObjectionTarget::Kind(kind) => *kind == basis.kind,
            }
    })
}

/// Whether the record itself or the claim's purpose was ended since `granted`: what is given after an end is a new beginning.
pub(super) fn has_ended(claim: &Claim<'_>, own: &PurposeEndScope, granted: Timestamp) -> bool {
    let at = claim.case.transfer.at;
    let ends = claim.subject.purpose_ends.iter();
    let mut ends = ends.chain(&claim.general.purpose_ends);
    ends.any(|end| {
        end.at <= at
            && match &end.scope {
                PurposeEndScope::Consent(_) => end.scope == *own && granted <= end.at,
                // A programme that has ended stays ended.
                PurposeEndScope::Programme(_) => end.scope == *own,
                PurposeEndScope::Purpose(ended) => {
                    granted <= end.at && claim.purpose.is_some_and(|it| ended.covers(it))
                }
            }
    })
}

/// Whether `scope` names `party`.
pub(super) fn covers_party(scope: &PartyScope, party: &Party) -> bool {
    // The operator is no recipient of its own data.
    party.role == Role::SelfOperator
        || match scope {
            PartyScope::Any => true,
            PartyScope::Classes(classes) => !classes.is_disjoint(&party.classes),
            PartyScope::Parties(ids) => ids.contains(&party.id),
        }
}

/// Whether some country that a record may limit itself to is behind the destination.
pub(super) fn touches(
    case: &Case<'_>,
    countries: &std::collections::BTreeSet<crate::model::Country>,
) -> bool {
    case.border.iter().any(|(it, _)| countries.contains(&it))
}

/// The kebab-case name of `kind`.
pub(super) const fn name(kind: BasisKind) -> &'static str {
    match kind {
        BasisKind::ConstitutionalRights => "constitutional-rights",
        BasisKind::Contract => "contract",
        BasisKind::Court => "court",
        BasisKind::LawProtective => "law-protective",
        BasisKind::LegitimateInterest => "legitimate-interest",
        BasisKind::PublicSource => "public-source",
        BasisKind::StateBodyRequest => "state-body-request",
        BasisKind::StatutoryDuty => "statutory-duty",
        BasisKind::Treaty => "treaty",
        BasisKind::VitalInterest => "vital-interest",
    }
}
