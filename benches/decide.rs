//! Cost of a decision: one person with five categories, and a batch of 1,000 persons.

use std::{collections::BTreeMap, hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::json;
use shekara::{
    model::{
        CategorySet, Country, Timestamp,
        destination::{Destination, FailurePolicy, Fallback, Modes, Party, Role},
        evidence::{Evidence, Known, PersonEvidence, SubjectRecord},
        finding::Confidence,
        law::{Operator, Reading},
        subject::{IdentifierKind, SubjectId, SubjectRef},
        transfer::{Transfer, TransferPerson},
    },
    policy::{Policy, ReasonTable, data},
};

const BIN: &str = "220240037922";

fn destination() -> Option<Destination> {
    let text = |files: &[(&str, &'static str)], name: &str| {
        files.iter().find(|it| it.0.ends_with(name)).map(|it| it.1)
    };
    let regime = serde_saphyr::from_str(text(data::REGIMES, "kz-94v.yaml")?).ok()?;
    let profile = serde_saphyr::from_str(text(data::PROFILES, "kz-law-strict.yaml")?).ok()?;
    Some(Destination {
        id: "crm".into(),
        party: Party {
            id: "crm".into(),
            legal_name: "Recipient".to_owned(),
            registration: None,
            certifications: std::collections::BTreeSet::new(),
            protection_level: None,
            role: Role::Controller,
            classes: std::collections::BTreeSet::new(),
        },
        country: "RU".parse().ok()?,
        remote_access_countries: std::collections::BTreeSet::new(),
        onward: Vec::new(),
        agreement: None,
        safeguards: Vec::new(),
        notifications: Vec::new(),
        sole_store: false,
        retention_days: None,
        readings: vec![Arc::new(Reading {
            regime: Arc::new(regime),
            profile: Arc::new(profile),
            assessments: Vec::new(),
        })],
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
        routes: Vec::new(),
    })
}

/// A person whose one consent covers the transfer.
fn person(number: u64) -> Option<(TransferPerson, PersonEvidence)> {
    let mut hash = [0; 16];
    hash.get_mut(..8)?.copy_from_slice(&number.to_be_bytes());
    let reference = SubjectRef {
        key_id: 1,
        kind: IdentifierKind::Email,
        hash,
    };
    let id = SubjectId(format!("s{number}").into());
    let given = "2026-01-10T10:00:00Z";
    let consent = serde_json::from_value(json!({
        "id": format!("c{number}"), "subject": id, "operator": BIN, "given_at": given, "from": "2026-01-10",
        "until": {"day": "2027-01-10"}, "third_party": "any", "cross_border": ["RU"], "public": false,
        "categories": ["name", "phone", "email"], "purposes": ["order"],
        "evidence": {"method": "sms-code", "ref": "f", "text": "t", "version": "1", "sha256": "00",
            "locale": "kk", "at": given},
        "recorded": {"at": given, "by": "officer"},
    }))
    .ok()?;
    let mut record = SubjectRecord::empty(id.clone());
    record.consents.push(consent);
    let found = TransferPerson {
        identifiers: vec![reference],
        categories: [
            "name.surname",
            "name.given",
            "name.patronymic",
            "phone",
            "email",
        ]
        .iter()
        .filter_map(|it| CategorySet::named(it).ok())
        .fold(CategorySet::EMPTY, CategorySet::union),
        weak_categories: CategorySet::EMPTY,
        record: Some(number),
    };
    let evidence = PersonEvidence {
        matches: vec![(reference, vec![id])],
        subjects: vec![Arc::new(record)],
    };
    Some((found, evidence))
}

fn message(count: u64) -> Option<(Transfer, Evidence)> {
    let all: Option<Vec<_>> = (0..count).map(person).collect();
    let (persons, known) = all?.into_iter().unzip();
    let transfer = Transfer {
        destination: "crm".into(),
        route: Some("r".into()),
        at: "2026-11-22T07:00:00Z".parse::<Timestamp>().ok()?,
        purpose: "order.notice".parse().ok(),
        purpose_claimed: false,
        section_purposes: Vec::new(),
        caller_allowed: true,
        persons,
        gaps: BTreeMap::new(),
        is_signed: false,
    };
    let evidence = Evidence::Known(Known {
        persons: known,
        ..Known::default()
    });
    Some((transfer, evidence))
}

fn decide(criterion: &mut Criterion) {
    let operator = Operator {
        legal_name: "Operator".to_owned(),
        bin: BIN.into(),
        home: Country::KZ,
        utc_offset: "+05:00".parse().unwrap_or_default(),
    };
    let table = ReasonTable::parse(data::REASONS.1).unwrap_or_default();
    let policy = Policy::new(operator, Arc::new(table));
    for count in [1, 1000] {
        if let (Some(to), Some((transfer, evidence))) = (destination(), message(count)) {
            assert!(policy.decide(&to, &transfer, &evidence).reasons.is_empty());
            criterion.bench_function(&format!("decide/{count}"), |it| {
                it.iter(|| black_box(policy.decide(black_box(&to), &transfer, &evidence)));
            });
        }
    }
}

criterion_group!(benches, decide);
criterion_main!(benches);
