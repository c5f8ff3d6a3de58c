//! What the registers hold about the person, without the names of staff and representatives.

use std::{collections::BTreeSet, sync::Arc};

use serde::Serialize;

use crate::{
    cli::register::state::{self, State},
    model::{
        CategorySet, Country, Day, Purpose, Timestamp, UtcOffset,
        consent::{
            Basis, BasisKind, Consent, EvidenceMethod, Facet, ObjectionTarget, PartyScope,
            RecordId, Until, Withdrawal, WithdrawalScope,
        },
        evidence::{General, SubjectRecord},
    },
};

/// Everything on record, withdrawn and expired records included.
#[derive(Debug, Default, Serialize)]
pub(super) struct Standing {
    pub(super) consents: Vec<ConsentLine>,
    pub(super) bases: Vec<BasisLine>,
    pub(super) withdrawals: Vec<WithdrawalLine>,
    pub(super) restrictions: Vec<RestrictionLine>,
    pub(super) objections: Vec<ObjectionLine>,
}

/// A consent, with its state when the report was made.
#[derive(Debug, Serialize)]
pub(super) struct ConsentLine {
    pub(super) id: RecordId,
    pub(super) state: State,
    pub(super) given_at: Timestamp,
    pub(super) from: Day,
    pub(super) until: Until,
    pub(super) third_party: Option<PartyScope>,
    pub(super) cross_border: Option<BTreeSet<Country>>,
    pub(super) public: bool,
    pub(super) purposes: BTreeSet<Purpose>,
    pub(super) categories: CategorySet,
    pub(super) method: EvidenceMethod,
    pub(super) text: Arc<str>,
    pub(super) text_version: Arc<str>,
}

/// A basis other than consent.
#[derive(Debug, Serialize)]
pub(super) struct BasisLine {
    pub(super) id: RecordId,
    pub(super) kind: BasisKind,
    /// It holds for everybody.
    pub(super) general: bool,
    pub(super) document: Arc<str>,
    pub(super) document_date: Day,
    pub(super) facets: BTreeSet<Facet>,
    pub(super) purposes: BTreeSet<Purpose>,
    pub(super) categories: CategorySet,
    pub(super) countries: BTreeSet<Country>,
    pub(super) from: Day,
    pub(super) until: Option<Day>,
}

/// A withdrawal.
#[derive(Debug, Serialize)]
pub(super) struct WithdrawalLine {
    pub(super) id: RecordId,
    pub(super) consent: Option<RecordId>,
    pub(super) scope: WithdrawalScope,
    pub(super) filed_at: Timestamp,
    pub(super) recorded_at: Timestamp,
    pub(super) refused_reason: Option<Arc<str>>,
}

/// A blocking of the data.
#[derive(Debug, Serialize)]
pub(super) struct RestrictionLine {
    pub(super) id: RecordId,
    pub(super) reason: Arc<str>,
    pub(super) from: Timestamp,
    pub(super) lifted_at: Option<Timestamp>,
    pub(super) allowed_purposes: BTreeSet<Purpose>,
}

/// An objection to a basis.
#[derive(Debug, Serialize)]
pub(super) struct ObjectionLine {
    pub(super) id: RecordId,
    pub(super) against: ObjectionTarget,
    pub(super) from: Timestamp,
    pub(super) lifted_at: Option<Timestamp>,
}

/// What is on record at `at`.
pub(super) fn standing(
    record: Option<&SubjectRecord>,
    general: &General,
    at: Timestamp,
    offset: UtcOffset,
) -> Standing {
    let mut standing = Standing {
        bases: general.bases.iter().map(|it| basis(it, true)).collect(),
        ..Standing::default()
    };
    let Some(record) = record else {
        return standing;
    };
    let consent = |it| consent(it, state::of(it, record, general, at, offset));
    standing.consents = record.consents.iter().map(consent).collect();
    let own = record.bases.iter().map(|it| basis(it, false));
    standing.bases.splice(0..0, own);
    standing.withdrawals = record.withdrawals.iter().map(withdrawal).collect();
    for it in &record.restrictions {
        standing.restrictions.push(RestrictionLine {
            id: Arc::clone(&it.id),
            reason: Arc::clone(&it.reason),
            from: it.from,
            lifted_at: it.lifted_at,
            allowed_purposes: it.allowed_purposes.clone(),
        });
    }
    for it in &record.objections {
        standing.objections.push(ObjectionLine {
            id: Arc::clone(&it.id),
            against: it.against.clone(),
            from: it.from,
            lifted_at: it.lifted_at,
        });
    }
    standing
}

fn consent(it: &Consent, state: State) -> ConsentLine {
    ConsentLine {
        id: Arc::clone(&it.id),
        state,
        given_at: it.given_at,
        from: it.from,
        until: it.until.clone(),
        third_party: it.third_party.clone(),
        cross_border: it.cross_border.clone(),
        public: it.public,
        purposes: it.purposes.clone(),
        categories: it.categories,
        method: it.evidence.method,
        text: Arc::clone(&it.evidence.text),
        text_version: Arc::clone(&it.evidence.version),
    }
}

fn basis(it: &Basis, general: bool) -> BasisLine {
    BasisLine {
        id: Arc::clone(&it.id),
        kind: it.kind,
        general,
        document: Arc::clone(&it.document),
        document_date: it.document_date,
        facets: it.facets.clone(),
        purposes: it.purposes.clone(),
        categories: it.categories,
        countries: it.countries.clone(),
        from: it.from,
        until: it.until,
    }
}

fn withdrawal(it: &Withdrawal) -> WithdrawalLine {
    WithdrawalLine {
        id: Arc::clone(&it.id),
        consent: it.consent.clone(),
        scope: it.scope.clone(),
        filed_at: it.filed_at,
        recorded_at: it.recorded.at,
        refused_reason: it.refused_reason.clone(),
    }
}
