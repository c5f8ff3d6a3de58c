//! Cases of the regimes beside the Kazakh one, and of the switches that only some profiles set.

use std::sync::Arc;

use super::setting::{
    Scene, basis, consent_to, country, day, destination, policy, purpose, set, subject,
};
use crate::{
    model::{
        consent::{Basis, BasisKind, Consent, EvidenceMethod, Facet},
        decision::Carrier,
        destination::{Destination, Notification, Role, Safeguard},
        evidence::{Evidence, SubjectRecord},
        law::{Profile, Reading, Regime, ThirdPartyTransfer},
    },
    policy::data,
};

fn shipped<T: serde::de::DeserializeOwned>(files: &[(&str, &str)], code: &str) -> T {
    let ending = format!("/{code}.yaml");
    let file = files.iter().find(|it| it.0.ends_with(&ending)).unwrap();
    serde_saphyr::from_str(file.1).unwrap()
}

/// The shipped profile with the regime that it reads, as it is in a data directory: nothing assessed.
fn reading(code: &str) -> Reading {
    let profile: Profile = shipped(data::PROFILES, code);
    let regime: Regime = shipped(data::REGIMES, &profile.on_regime);
    Reading {
        regime: Arc::new(regime),
        profile: Arc::new(profile),
        assessments: Vec::new(),
    }
}

fn to(code: &str, reading: Reading) -> Destination {
    let profile = (*reading.profile).clone();
    let mut it = destination("there", code, Role::Processor, profile);
    it.readings = vec![Arc::new(reading)];
    it
}

fn with_bases(bases: Vec<Basis>) -> SubjectRecord {
    SubjectRecord {
        bases,
        ..subject("s")
    }
}

fn with_consent(consent: Consent) -> SubjectRecord {
    SubjectRecord {
        consents: vec![consent],
        ..subject("s")
    }
}

/// A contract that answers third parties only.
fn by_contract() -> SubjectRecord {
    let facets = [Facet::ThirdParty];
    with_bases(vec![basis(BasisKind::Contract, &facets, "order")])
}

fn check(label: &str, to: Destination, record: SubjectRecord, expected: &str) {
    Scene::new(to, "order.notice", "name email", record).check(label, expected);
}

#[test]
fn gdpr_counts_the_area_as_home_and_lists_the_rest() {
    for (code, expected) in [
        ("DE", ""),
        ("NO", ""),
        ("RE", ""),
        ("CH", ""),
        ("KZ", "cross-border-not-consented"),
        ("GI", "cross-border-not-consented"),
        ("US", "cross-border-not-consented"),
    ] {
        check(
            code,
            to(code, reading("baseline-eu-gdpr")),
            by_contract(),
            expected,
        );
    }
    let mut certified = to("US", reading("baseline-eu-gdpr"));
    certified.party.certifications = set("DPF", Into::into);
    check("DPF", certified, by_contract(), "");
    check(
        "no basis at home",
        to("DE", reading("baseline-eu-gdpr")),
        subject("s"),
        "no-consent",
    );
}

fn clauses(kind: &str, signed: &str, until: Option<&str>) -> Safeguard {
    Safeguard {
        kind: kind.into(),
        reference: "SCC-7".to_owned(),
        signed: day(signed),
        until: until.map(day),
    }
}

#[test]
fn gdpr_accepts_safeguards_in_force() {
    for (label, safeguard, expected) in [
        ("in force", clauses("scc", "2026-01-01", None), ""),
        (
            "last day",
            clauses("bcr", "2026-01-01", Some("2026-11-22")),
            "",
        ),
        (
            "over",
            clauses("scc", "2026-01-01", Some("2026-11-21")),
            "cross-border-not-consented",
        ),
        (
            "not yet signed",
            clauses("scc", "2026-11-23", None),
            "cross-border-not-consented",
        ),
        (
            "no such kind",
            clauses("nda", "2026-01-01", None),
            "cross-border-not-consented",
        ),
    ] {
        let mut india = to("IN", reading("baseline-eu-gdpr"));
        india.safeguards = vec![safeguard];
        check(label, india, by_contract(), expected);
    }
    let mut india = to("IN", reading("baseline-eu-gdpr"));
    india.safeguards = vec![clauses("scc", "2026-01-01", None)];
    let decision = Scene::new(india, "order.notice", "name", by_contract()).decide();
    let carried = Carrier::Safeguard {
        safeguard: "scc".into(),
        reference: "SCC-7".into(),
    };
    let carriers = &decision.persons[0].carriers;
    assert!(carriers.contains(&(Facet::CrossBorder, carried)));
    // The Kazakh law knows no safeguards.
    let mut strict = to("IN", reading("kz-law-strict"));
    strict.safeguards = vec![clauses("scc", "2026-01-01", None)];
    check(
        "kz",
        strict,
        with_consent(consent_to("DE")),
        "country-not-covered",
    );
}

#[test]
fn gdpr_derogations_are_narrower_than_bases() {
    let both = [Facet::ThirdParty, Facet::CrossBorder];
    let us = |kind| {
        let mut contract = basis(kind, &both, "order");
        contract.id = "b2".into();
        with_bases(vec![contract])
    };
    for (kind, expected) in [
        (BasisKind::Contract, ""),
        (BasisKind::Court, ""),
        (BasisKind::LegitimateInterest, "cross-border-not-consented"),
    ] {
        let label = format!("{kind:?}");
        check(
            &label,
            to("US", reading("baseline-eu-gdpr")),
            us(kind),
            expected,
        );
    }
    let conduct = |method| {
        let mut it = consent_to("US");
        it.evidence.method = method;
        with_consent(it)
    };
    for (method, expected) in [
        (EvidenceMethod::WebCheckbox, ""),
        (EvidenceMethod::Conduct, "evidence-method"),
    ] {
        let label = format!("{method:?}");
        let there = to("US", reading("baseline-eu-gdpr"));
        check(&label, there, conduct(method), expected);
    }
}

fn notice(submitted: &str, countries: &str) -> Notification {
    Notification {
        regime: "ru-152fz".into(),
        authority: "Roskomnadzor".to_owned(),
        reference: "N-1".to_owned(),
        submitted: day(submitted),
        wait_until: None,
        countries: set(countries, country),
        purposes: set("order", purpose),
        outcome: None,
    }
}

#[test]
fn the_russian_law_asks_for_notice_and_patience() {
    // Ten working days from Friday 6 November are over with Friday 20 November; the case is judged on the 22nd.
    for (label, code, notices, expected) in [
        ("none", "AM", vec![], "notification-missing"),
        ("listed", "AM", vec![notice("2026-11-20", "AM")], ""),
        (
            "another country",
            "AM",
            vec![notice("2026-11-20", "DE")],
            "notification-missing",
        ),
        (
            "too early",
            "CN",
            vec![notice("2026-11-09", "CN")],
            "notification-missing",
        ),
        ("waited", "CN", vec![notice("2026-11-06", "CN")], ""),
        ("home", "RU", vec![], ""),
    ] {
        let mut there = to(code, reading("baseline-ru-152fz"));
        there.notifications = notices;
        let record = with_consent(consent_to("AM CN"));
        check(label, there, record, expected);
    }
    let mut refused = to("AM", reading("baseline-ru-152fz"));
    refused.notifications = vec![Notification {
        outcome: Some("refused".to_owned()),
        ..notice("2026-11-02", "AM")
    }];
    let record = with_consent(consent_to("AM"));
    check("refused", refused, record, "notification-missing");
}

#[test]
fn the_russian_law_gives_contract_no_third_party() {
    check(
        "contract",
        to("RU", reading("baseline-ru-152fz")),
        by_contract(),
        "third-party-not-consented",
    );
    let mut sole = to("AM", reading("baseline-ru-152fz"));
    sole.notifications = vec![notice("2026-11-02", "AM")];
    sole.sole_store = true;
    check(
        "only store",
        sole,
        with_consent(consent_to("AM")),
        "localisation",
    );
}

#[test]
fn a_text_may_close_third_parties_and_ask_for_writing() {
    let clinic = |switch| {
        let mut it = reading("clinic-email");
        let mut profile = (*it.profile).clone();
        profile.third_party_transfer = switch;
        it.profile = Arc::new(profile);
        to("KZ", it)
    };
    let mut consent = consent_to("DE");
    consent.purposes = set("email", purpose);
    for (switch, expected) in [
        (ThirdPartyTransfer::StatutoryOrConsent, ""),
        (
            ThirdPartyTransfer::StatutoryOnly,
            "third-party-not-consented",
        ),
    ] {
        let record = with_consent(consent.clone());
        let scene = Scene::new(clinic(switch), "email.notification", "email", record);
        scene.check(&format!("{switch:?}"), expected);
        let evidence = Evidence::Known(scene.known.clone());
        let (_, explanation) =
            policy().explain(&scene.destination, &scene.transfer, &evidence, None);
        assert!(explanation.render().contains("(R-36: policy, cl. 8.1"));
    }
    for (method, expected) in [
        (EvidenceMethod::SmsCode, "written-form-missing"),
        (EvidenceMethod::Signature, ""),
    ] {
        let mut consent = consent_to("DE");
        consent.purposes = set("directory", purpose);
        consent.evidence.method = method;
        let there = to("KZ", reading("it-service"));
        let scene = Scene::new(there, "directory", "name", with_consent(consent));
        scene.check(&format!("directory {method:?}"), expected);
    }
}
