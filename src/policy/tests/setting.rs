//! The common setting of the acceptance cases, and builders for what differs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use crate::{
    model::{
        CategorySet, Country, Day, Purpose, Timestamp,
        consent::{
            Basis, BasisKind, Consent, Evidence as Proof, EvidenceMethod, Facet, PartyScope,
            Recorded, Representative, Restriction, Until, Withdrawal, WithdrawalScope,
        },
        decision::{Decision, Mode, ReasonCode, Verdict},
        destination::{
            Agreement, Destination, FailurePolicy, Fallback, Modes, Party, Role, Route,
            RoutePurpose,
        },
        evidence::{Evidence, General, Known, PersonEvidence, SubjectRecord},
        finding::Confidence,
        inspection::PlanSpec,
        law::{AdequacyAssessment, AssessmentResult, Operator, Profile, Reading, Regime},
        subject::{IdentifierKind, SubjectId, SubjectRef},
        transfer::{Transfer, TransferPerson},
    },
    policy::{Policy, ReasonTable, data},
};

pub(super) const BIN: &str = "220240037922";
pub(super) const NOW: &str = "2026-11-22T12:00:00+05:00";

pub(super) fn day(text: &str) -> Day {
    text.parse().unwrap()
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn country(text: &str) -> Country {
    text.parse().unwrap()
}

pub(super) fn purpose(text: &str) -> Purpose {
    text.parse().unwrap()
}

pub(super) fn categories(codes: &str) -> CategorySet {
    codes
        .split_whitespace()
        .map(|it| CategorySet::named(it).unwrap())
        .fold(CategorySet::EMPTY, CategorySet::union)
}

pub(super) fn set<'a, T: Ord>(items: &'a str, parse: impl Fn(&'a str) -> T) -> BTreeSet<T> {
    items.split_whitespace().map(parse).collect()
}

pub(super) fn operator() -> Operator {
    Operator {
        legal_name: "Operator".to_owned(),
        bin: BIN.into(),
        home: Country::KZ,
        utc_offset: "+05:00".parse().unwrap(),
    }
}

/// Read once: the texts are long, and property tests decide often.
static REASONS: LazyLock<Arc<ReasonTable>> =
    LazyLock::new(|| Arc::new(ReasonTable::parse(data::REASONS.1).unwrap()));

pub(super) fn policy() -> Policy {
    Policy::new(operator(), Arc::clone(&REASONS))
}

pub(super) fn regime() -> Regime {
    serde_saphyr::from_str(data::REGIMES[0].1).unwrap()
}

pub(super) fn profile(code: &str) -> Profile {
    let name = format!("profiles/{code}.yaml");
    let file = data::PROFILES.iter().find(|it| it.0 == name).unwrap();
    serde_saphyr::from_str(file.1).unwrap()
}

pub(super) fn assessment(code: &str) -> AdequacyAssessment {
    AdequacyAssessment {
        regime: "kz-94v".into(),
        country: country(code),
        party: None,
        result: AssessmentResult::Adequate,
        requires_certification: None,
        by: "Officer".to_owned(),
        at: day("2026-06-01"),
        until: None,
        reason: "Convention 108".to_owned(),
        source: None,
        list_version: None,
    }
}

pub(super) fn reading(profile: Profile) -> Reading {
    Reading {
        regime: Arc::new(regime()),
        profile: Arc::new(profile),
        assessments: ["DE", "GB", "FR", "RU"].map(assessment).to_vec(),
    }
}

pub(super) fn agreement() -> Agreement {
    Agreement {
        reference: "A-1".to_owned(),
        sha256: None,
        signed: day("2025-01-01"),
        until: None,
        actions: set("send", Into::into),
        purposes: set("order marketing service", purpose),
        categories: CategorySet::all(),
        confidentiality: true,
        security: true,
    }
}

/// A destination in `code` with the role, with an agreement, under `profile`.
pub(super) fn destination(id: &str, code: &str, role: Role, profile: Profile) -> Destination {
    Destination {
        id: id.into(),
        party: Party {
            id: id.into(),
            legal_name: format!("Recipient {id}"),
            registration: None,
            certifications: BTreeSet::new(),
            protection_level: None,
            role,
            classes: set("mailing", Into::into),
        },
        country: country(code),
        remote_access_countries: BTreeSet::new(),
        onward: Vec::new(),
        agreement: Some(agreement()),
        safeguards: Vec::new(),
        notifications: Vec::new(),
        sole_store: false,
        retention_days: None,
        readings: vec![Arc::new(reading(profile))],
        modes: Modes::default(),
        confidence_min: Confidence::High,
        thresholds: Vec::new(),
        combination_min: 3,
        refuse_unverified: false,
        fallback: Fallback::default(),
        operators: BTreeMap::new(),
        gaps: BTreeMap::new(),
        registers_failure: FailurePolicy::Closed,
        inspection_failure: FailurePolicy::Closed,
        is_secured: true,
        controlled_zone: false,
        routes: vec![Route {
            id: "r".into(),
            methods: BTreeSet::new(),
            path: String::new(),
            purpose: RoutePurpose::Declared(purpose("order.notice")),
            channel: Some("email".into()),
            actions: BTreeSet::new(),
            plan: PlanSpec::default(),
        }],
    }
}

pub(super) fn reference(kind: IdentifierKind, number: u8) -> SubjectRef {
    SubjectRef {
        key_id: 1,
        kind,
        hash: [number; 16],
    }
}

pub(super) fn id(text: &str) -> SubjectId {
    SubjectId(text.into())
}

pub(super) fn subject(text: &str) -> SubjectRecord {
    let mut it = SubjectRecord::empty(id(text));
    it.identifier_kinds = vec![IdentifierKind::Email];
    it
}

pub(super) fn recorded(when: &str) -> Recorded {
    Recorded {
        at: at(when),
        by: "officer".into(),
    }
}

/// The form of retail-loyalty's annex: third parties yes, RU only, seven categories.
pub(super) fn consent(id_: &str) -> Consent {
    Consent {
        id: id_.into(),
        subject: id("s"),
        operator: BIN.into(),
        given_at: at("2026-01-10T10:00:00+05:00"),
        from: day("2026-01-10"),
        until: Until::Programme("loyalty".into()),
        third_party: Some(PartyScope::Any),
        cross_border: Some(set("RU", country)),
        public: false,
        categories: categories("name id_document birth_date sex address phone email"),
        purposes: set("order marketing service payment", purpose),
        channels: BTreeSet::new(),
        addresses: BTreeSet::new(),
        representative: None,
        notify_subject: false,
        evidence: Proof {
            method: EvidenceMethod::SmsCode,
            reference: "f-1".into(),
            text: "annex-1".into(),
            version: "1".into(),
            sha256: "00".into(),
            locale: "kk".into(),
            at: at("2026-01-10T10:00:00+05:00"),
        },
        evidence_mismatch: false,
        events: Vec::new(),
        recorded: recorded("2026-01-10T10:00:00+05:00"),
    }
}

pub(super) fn consent_to(countries: &str) -> Consent {
    Consent {
        cross_border: Some(set(countries, country)),
        ..consent("c")
    }
}

pub(super) fn withdrawal(when: &str, scope: WithdrawalScope) -> Withdrawal {
    Withdrawal {
        id: "w".into(),
        subject: id("s"),
        consent: None,
        scope,
        filed_at: at(when),
        effective_at: at(when),
        channel: "email".into(),
        refused_reason: None,
        recorded: recorded(when),
    }
}

pub(super) fn basis(kind: BasisKind, facets: &[Facet], purposes: &str) -> Basis {
    Basis {
        id: "b".into(),
        subject: Some(id("s")),
        kind,
        document: "N 1".into(),
        document_date: day("2026-01-01"),
        facets: facets.iter().copied().collect(),
        purposes: set(purposes, purpose),
        categories: CategorySet::all(),
        parties: PartyScope::Any,
        countries: set("DE RU US", country),
        from: day("2026-01-01"),
        until: None,
        obligation_open: false,
        recorded: recorded("2026-01-01T10:00:00+05:00"),
    }
}

pub(super) fn restriction(from: &str) -> Restriction {
    Restriction {
        id: "x".into(),
        reason: "accuracy-doubt".into(),
        from: at(from),
        lifted_at: None,
        allowed_purposes: BTreeSet::new(),
    }
}

pub(super) fn mother(until: &str) -> Representative {
    Representative {
        id: "m".into(),
        kind: "parent".into(),
        document: "certificate".into(),
        from: day("2014-01-01"),
        until: Some(day(until)),
    }
}

/// One message with what is known of its persons.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) destination: Destination,
    pub(super) transfer: Transfer,
    pub(super) known: Known,
}

impl Scene {
    /// A message for `purpose_` about one person with `data`, whose record is `record`.
    pub(super) fn new(
        destination: Destination,
        purpose_: &str,
        data: &str,
        record: SubjectRecord,
    ) -> Self {
        let mut it = Self {
            transfer: Transfer {
                destination: destination.id.clone(),
                route: Some("r".into()),
                at: at(NOW),
                purpose: Some(purpose(purpose_)),
                purpose_claimed: false,
                section_purposes: Vec::new(),
                caller_allowed: true,
                persons: Vec::new(),
                gaps: BTreeMap::new(),
                is_signed: false,
            },
            destination,
            known: Known::default(),
        };
        it.add(data, record);
        it
    }

    /// Adds a person, in a record of its own.
    pub(super) fn add(&mut self, data: &str, record: SubjectRecord) {
        let ordinal = self.transfer.persons.len();
        let found = reference(IdentifierKind::Email, u8::try_from(ordinal % 256).unwrap());
        self.transfer.persons.push(TransferPerson {
            identifiers: vec![found],
            categories: categories(data),
            weak_categories: CategorySet::EMPTY,
            record: Some(ordinal as u64),
        });
        self.known.persons.push(PersonEvidence {
            matches: vec![(found, vec![record.id.clone()])],
            subjects: vec![Arc::new(record)],
        });
    }

    pub(super) fn general(&mut self, general: General) {
        self.known.general = Arc::new(general);
    }

    pub(super) fn decide(&self) -> Decision {
        policy().decide(
            &self.destination,
            &self.transfer,
            &Evidence::Known(self.known.clone()),
        )
    }

    /// Checks the verdict and the primary reason; `""` is allow without a reason.
    pub(super) fn check(&self, label: &str, expected: &str) {
        let decision = self.decide();
        let primary = decision.primary().map_or("", |it| it.code.as_str());
        assert_eq!(primary, expected, "{label}: {:#?}", decision.reasons);
        let verdict = if expected.is_empty() {
            Verdict::Allow
        } else {
            Verdict::Block
        };
        assert_eq!(decision.verdict, verdict, "{label}");
        assert_eq!(decision.would_be, verdict, "{label}");
    }
}

pub(super) fn log_only(scene: &mut Scene, code: ReasonCode) {
    let rules = &mut scene.destination.modes.destination_rules;
    rules.insert(code.as_str().into(), Mode::LogOnly);
}

pub(super) fn strict_de() -> Destination {
    destination("mail-de", "DE", Role::Processor, profile("kz-law-strict"))
}

pub(super) fn baseline(code: &str) -> Destination {
    destination("mail", code, Role::Processor, profile("baseline"))
}

pub(super) fn edit_profile(it: &mut Destination, edit: impl FnOnce(&mut Profile)) {
    let mut reading = (*it.readings[0]).clone();
    let mut profile = (*reading.profile).clone();
    edit(&mut profile);
    reading.profile = Arc::new(profile);
    it.readings = vec![Arc::new(reading)];
}

pub(super) fn giving(edit: impl FnOnce(&mut Consent)) -> SubjectRecord {
    let mut it = subject("s");
    let mut consent = consent_to("DE");
    edit(&mut consent);
    it.consents.push(consent);
    it
}
