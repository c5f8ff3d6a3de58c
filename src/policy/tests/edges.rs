//! The edges of single rules.

use std::sync::Arc;

use super::setting::*;
use crate::{
    model::{
        CategorySet,
        consent::{
            BasisKind, EvidenceMethod, Facet, PurposeEnd, PurposeEndScope, Until, WithdrawalScope,
        },
        decision::{Carrier, Mode, ReasonCode, Verdict},
        destination::{Destination, Onward, ProtectionLevel, Role},
        evidence::{Evidence, General, SubjectRecord},
        finding::GapKind,
        law::{AssessmentResult, CategoryRule, WrittenFor},
        subject::IdentifierKind,
    },
    policy::{Adequacy, trace::Considered},
};

/// What each identifier of a person matches: kind and subjects.
fn identified(scene: &mut Scene, matches: &[(IdentifierKind, &str)], subjects: &[SubjectRecord]) {
    let found: Vec<_> = (0..)
        .zip(matches)
        .map(|(number, (kind, owners))| {
            let owners = owners.split_whitespace().map(id).collect();
            (reference(*kind, number), owners)
        })
        .collect();
    scene.transfer.persons[0].identifiers = found.iter().map(|it| it.0).collect();
    scene.known.persons[0].matches = found;
    scene.known.persons[0].subjects = subjects.iter().cloned().map(Arc::new).collect();
}

#[test]
fn resolution_of_a_person() {
    use IdentifierKind::{Email, NationalId, Phone};
    let good = |name: &str| {
        let mut it = giving(|_| ());
        it.id = id(name);
        it.identifier_kinds = vec![Email, Phone];
        it
    };
    let (a, b, bad) = (good("a"), good("b"), subject("bad"));
    let all = [a, b, bad];
    type Matches = [(IdentifierKind, &'static str)];
    let cases: [(&str, &Matches, &str); 9] = [
        ("one", &[(Email, "a")], ""),
        ("none", &[], "subject-unresolved"),
        ("nobody", &[(Email, "")], "subject-unknown"),
        (
            "two subjects, one without consent",
            &[(Email, "a"), (Phone, "bad")],
            "no-consent",
        ),
        ("shared, all covered", &[(Phone, "a b")], ""),
        ("shared, one not", &[(Phone, "a bad")], "no-consent"),
        ("shared, decided", &[(Phone, "a bad"), (Email, "a")], ""),
        (
            "another value of a registered kind",
            &[(Email, "a"), (Phone, "")],
            "subject-unknown",
        ),
        (
            "a kind he has none of",
            &[(Email, "a"), (NationalId, "")],
            "",
        ),
    ];
    for (label, matches, expected) in cases {
        let mut scene = Scene::new(strict_de(), "order.notice", "email", subject("s"));
        identified(&mut scene, matches, &all);
        scene.check(label, expected);
        scene.destination = baseline("DE");
        let is_resolution = expected.starts_with("subject-");
        scene.check(label, if is_resolution { expected } else { "" });
    }
    let mut scene = Scene::new(strict_de(), "order.notice", "email", subject("s"));
    identified(&mut scene, &[(Email, "a"), (NationalId, "")], &all);
    scene.destination.refuse_unverified = true;
    scene.check("unverified", "identifier-unverified");
    identified(&mut scene, &[(Email, "lost")], &all);
    scene.check("a subject without its record", "subject-unknown");
    scene.known.persons.clear();
    scene.check("no answer about the person", "subject-unknown");
}

#[test]
fn persons_are_resolved_even_where_nothing_is_asked() {
    let own = destination("own", "KZ", Role::SelfOperator, profile("baseline"));
    let mut scene = Scene::new(own, "order.notice", "email", subject("s"));
    scene.check("known", "");
    assert!(scene.decide().persons[0].carriers.is_empty());
    scene.transfer.persons[0].identifiers.clear();
    scene.check("unresolved", "subject-unresolved");
}

#[test]
fn adequacy_is_the_newest_assessment_in_force() {
    let decide = |edit: &dyn Fn(&mut crate::model::law::Reading, &mut Destination)| {
        let mut to = baseline("DE");
        let mut reading = (*to.readings[0]).clone();
        edit(&mut reading, &mut to);
        to.readings = vec![Arc::new(reading)];
        Scene::new(to, "order.notice", "email", subject("s"))
    };
    decide(&|_, _| ()).check("adequate", "");
    decide(&|it, _| it.assessments[0].at = day("2025-11-22")).check("the last of 12 months", "");
    let expired = decide(&|it, _| it.assessments[0].at = day("2025-11-21"));
    expired.check("12 months over", "adequacy-assessment-expired");
    let until = |last: &'static str| {
        move |it: &mut crate::model::law::Reading, _: &mut Destination| {
            it.assessments[0].until = Some(day(last));
        }
    };
    decide(&until("2026-11-22")).check("last day", "");
    decide(&until("2026-11-21")).check("over", "adequacy-assessment-expired");
    decide(&|it, _| it.assessments[0].at = day("2026-11-23"))
        .check("after the transfer", "no-consent");
    decide(&|it, _| {
        let mut refused = assessment("DE");
        refused.at = day("2026-09-01");
        refused.result = AssessmentResult::NotAdequate;
        it.assessments.insert(0, refused);
    })
    .check("found wanting later", "no-consent");
    decide(&|it, _| it.assessments[0].party = Some("other".into()))
        .check("of another party", "no-consent");
    decide(&|it, _| it.assessments[0].requires_certification = Some("DPF".into()))
        .check("not certified", "no-consent");
    decide(&|it, to| {
        it.assessments[0].requires_certification = Some("DPF".into());
        to.party.certifications.insert("DPF".into());
    })
    .check("certified", "");
    decide(&|_, to| {
        to.onward.push(Onward {
            party: "behind".into(),
            country: country("US"),
        });
    })
    .check("onward recipient", "no-consent");
}

#[test]
fn categories_take_the_longest_code() {
    let scene = |data: &str| {
        let mut to = baseline("DE");
        edit_profile(&mut to, |it| {
            it.categories
                .insert("address".to_owned(), CategoryRule::Never);
            it.categories
                .insert("address.other".to_owned(), CategoryRule::Ordinary);
            it.categories
                .insert("voice".to_owned(), CategoryRule::Never);
            it.categories
                .insert("photo".to_owned(), CategoryRule::OnlyIfNamed);
            it.categories
                .insert("biometric".to_owned(), CategoryRule::Ordinary);
        });
        Scene::new(to, "order.notice", data, subject("s"))
    };
    scene("address.residence").check("parent", "category-forbidden");
    scene("address.other").check("child", "");
    scene("voice").check("voice", "call-recording");
    scene("photo").check("photo", "special-category");
    scene("biometric").check("biometric", "");
    scene("health.other").check("default", "special-category");
    scene("payment.card").check("card", "payment-data");
}

#[test]
fn the_recipient_is_held_to_the_profile() {
    type Edit = fn(&mut Destination);
    let cases: [(&str, Edit, &str); 8] = [
        ("sole store", |it| it.sole_store = true, "localisation"),
        (
            "unsigned",
            |it| it.agreement.as_mut().unwrap().signed = day("2026-11-23"),
            "no-agreement",
        ),
        (
            "last day",
            |it| it.agreement.as_mut().unwrap().until = Some(day("2026-11-22")),
            "",
        ),
        (
            "over",
            |it| it.agreement.as_mut().unwrap().until = Some(day("2026-11-21")),
            "agreement-expired",
        ),
        (
            "no secrecy",
            |it| it.agreement.as_mut().unwrap().confidentiality = false,
            "no-agreement",
        ),
        (
            "no security",
            |it| it.agreement.as_mut().unwrap().security = false,
            "no-agreement",
        ),
        (
            "class",
            |it| {
                edit_profile(it, |it| {
                    it.recipient_classes = Some(set("bank", |it| it.into()))
                })
            },
            "recipient-class",
        ),
        (
            "level",
            |it| edit_profile(it, |it| it.protection_level_required = true),
            "protection-level-missing",
        ),
    ];
    for (label, edit, expected) in cases {
        let mut to = baseline("DE");
        edit(&mut to);
        Scene::new(to, "order.notice", "email", subject("s")).check(label, expected);
    }
    let mut to = baseline("DE");
    edit_profile(&mut to, |it| it.protection_level_required = true);
    to.party.protection_level = Some(ProtectionLevel {
        by: "Officer".to_owned(),
        at: day("2026-01-01"),
        reason: "Audit".to_owned(),
        until: Some(day("2026-11-22")),
    });
    Scene::new(to, "order.notice", "email", subject("s")).check("level on record", "");
}

#[test]
fn purposes_of_the_message() {
    let closed = |it: &mut crate::model::law::Profile| it.purposes = Some(set("email", purpose));
    let mut to = baseline("DE");
    edit_profile(&mut to, closed);
    Scene::new(to.clone(), "order.notice", "email", subject("s"))
        .check("closed list", "purpose-not-allowed");
    Scene::new(to, "email.notification", "email", subject("s")).check("listed", "");
    Scene::new(
        baseline("DE"),
        "research.preferences",
        "email",
        subject("s"),
    )
    .check("research", "not-depersonalised");
    let mut none = Scene::new(strict_de(), "order.notice", "email", giving(|_| ()));
    none.transfer.purpose = None;
    none.check("no purpose", "purpose-not-declared");
    log_only(&mut none, ReasonCode::PurposeNotDeclared);
    let decision = none.decide();
    assert_eq!(
        decision.primary().unwrap().code,
        ReasonCode::PurposeNotCovered
    );
    assert_eq!(
        decision.verdict,
        Verdict::Block,
        "no record covers a purpose not given"
    );
    none.transfer.route = None;
    none.check("no route", "method-not-allowed");
    let mut opt_in = baseline("DE");
    edit_profile(&mut opt_in, |it| {
        it.opt_in_classes = set("marketing", |it| it.into())
    });
    for (purpose, expected) in [
        ("order.notice", ""),
        ("marketing.sms", "no-consent"),
        ("info.company", "no-consent"),
    ] {
        Scene::new(opt_in.clone(), purpose, "email", subject("s")).check(purpose, expected);
    }
    let consenting = Scene::new(
        opt_in,
        "marketing.sms",
        "email",
        giving(|it| it.cross_border = None),
    );
    consenting.check("opted in", "");
}

#[test]
fn proof_has_the_form_the_profile_asks_for() {
    let decide = |edit: fn(&mut crate::model::law::Profile), method| {
        let mut to = destination("mail-us", "US", Role::Processor, profile("baseline"));
        edit_profile(&mut to, edit);
        let mut record = subject("s");
        let mut consent = consent_to("US");
        consent.categories = CategorySet::all();
        consent.evidence.method = method;
        record.consents.push(consent);
        Scene::new(to, "order.notice", "email health.other", record)
    };
    let written = |it: &mut crate::model::law::Profile| {
        it.written_evidence_for
            .insert(WrittenFor::NonAdequateCountry);
    };
    let special = |it: &mut crate::model::law::Profile| {
        it.written_evidence_for
            .insert(WrittenFor::SpecialCategories);
    };
    let methods = |it: &mut crate::model::law::Profile| {
        it.evidence_methods.insert(EvidenceMethod::ESignature);
    };
    for (edit, method, expected) in [
        (
            written as fn(&mut _),
            EvidenceMethod::SmsCode,
            "written-form-missing",
        ),
        (written, EvidenceMethod::Signature, ""),
        (special, EvidenceMethod::WebCheckbox, "written-form-missing"),
        (methods, EvidenceMethod::Tablet, "evidence-method"),
        (methods, EvidenceMethod::ESignature, ""),
    ] {
        decide(edit, method).check(&format!("{method:?}"), expected);
    }
    let partly = decide(special, EvidenceMethod::WebCheckbox).decide();
    assert_eq!(partly.persons[0].covered, categories("email"));
    let mut kept = Scene::new(
        strict_de(),
        "order.notice",
        "email",
        giving(|it| it.until = Until::Day(day("2026-12-01"))),
    );
    edit_profile(&mut kept.destination, |it| it.retention_check = true);
    kept.destination.retention_days = Some(9);
    kept.check("kept to the last day", "");
    kept.destination.retention_days = Some(10);
    kept.check("kept longer", "retention-too-long");
}

#[test]
fn ends_of_programmes_and_purposes() {
    let end = |scope, when: &str| General {
        purpose_ends: vec![PurposeEnd {
            scope,
            at: at(when),
        }],
        ..General::default()
    };
    let programme = || PurposeEndScope::Programme("loyalty".into());
    let order = || PurposeEndScope::Purpose(purpose("order"));
    for (scope, when, expected) in [
        (programme(), NOW, "purpose-ended"),
        (programme(), "2026-11-22T12:00:00.001+05:00", ""),
        (order(), NOW, "purpose-ended"),
        (order(), "2026-01-01T00:00:00+05:00", ""),
    ] {
        let mut scene = Scene::new(strict_de(), "order.notice", "email", giving(|_| ()));
        scene.general(end(scope.clone(), when));
        scene.check(&format!("{scope:?} {when}"), expected);
    }
}

#[test]
fn bases_of_everybody_and_beyond_the_statute() {
    let mut duty = basis(BasisKind::StatutoryDuty, &[Facet::ThirdParty], "state.body");
    duty.subject = None;
    let fund = || destination("fund", "KZ", Role::StateBody, profile("kz-law-strict"));
    let mut scene = Scene::new(fund(), "state.body", "name", subject("s"));
    scene.general(General {
        bases: vec![duty],
        ..General::default()
    });
    scene.check("everybody", "");
    scene.transfer.purpose = Some(purpose("marketing.email"));
    scene.check("for another purpose it says nothing", "no-consent");
    edit_profile(&mut scene.destination, |it| {
        let kinds = it.extra_bases.entry(Facet::ThirdParty).or_default();
        kinds.insert(BasisKind::Contract);
    });
    let mut record = subject("s");
    record
        .bases
        .push(basis(BasisKind::Contract, &[Facet::ThirdParty], "order"));
    let beyond = Scene::new(scene.destination.clone(), "order.notice", "name", record);
    beyond.check("beyond", "");
    let carriers = beyond.decide().persons[0].carriers.clone();
    let is_beyond = |it: &Carrier| {
        matches!(
            it,
            Carrier::Basis {
                beyond_statute: true,
                ..
            }
        )
    };
    assert!(
        carriers
            .iter()
            .any(|it| it.0 == Facet::ThirdParty && is_beyond(&it.1))
    );
}

#[test]
fn a_restriction_holds_between_its_instants() {
    let mut record = giving(|_| ());
    record.restrictions.push(restriction(NOW));
    record.restrictions[0].allowed_purposes = set("order.notice", purpose);
    let mut scene = Scene::new(strict_de(), "order.notice", "email", record.clone());
    scene.check("allowed purpose", "");
    scene.transfer.section_purposes = vec![purpose("marketing")];
    scene.check("another purpose present", "subject-blocked");
    scene.transfer.at = at("2026-11-22T11:59:59.999+05:00");
    scene.check("before", "");
    record.restrictions[0].lifted_at = Some(at(NOW));
    Scene::new(strict_de(), "service.x", "email", record).check("lifted", "");
}

#[test]
fn the_strictest_of_two_regimes_decides_and_is_named() {
    let mut to = baseline("DE");
    let mut second = reading(profile("kz-law-strict"));
    let mut regime = regime();
    regime.code = "second".into();
    second.regime = Arc::new(regime);
    to.readings.push(Arc::new(second));
    let decision = Scene::new(to, "order.notice", "email", subject("s")).decide();
    assert_eq!(decision.verdict, Verdict::Block);
    assert_eq!(decision.regime.as_deref(), Some("second"));
    let mut none = Scene::new(baseline("DE"), "order.notice", "email", subject("s"));
    none.destination.readings.clear();
    none.check("no regime", "destination-unknown");
}

#[test]
fn log_only_softens_the_law_and_nothing_else() {
    let mut scene = Scene::new(strict_de(), "order.notice", "email", subject("s"));
    scene.destination.modes.global = Mode::LogOnly;
    let softened = scene.decide();
    assert_eq!(
        (softened.verdict, softened.would_be),
        (Verdict::Allow, Verdict::Block)
    );
    scene
        .destination
        .modes
        .destination_rules
        .insert("R-01".into(), Mode::Enforce);
    assert_eq!(
        scene.decide().verdict,
        Verdict::Block,
        "the rule is enforced again"
    );
    scene.destination.modes.destination_rules.clear();
    scene.transfer.gaps.insert(GapKind::Framing, 1);
    assert_eq!(
        scene.decide().verdict,
        Verdict::Block,
        "framing acts always"
    );
    scene.transfer.gaps.clear();
    scene.transfer.caller_allowed = false;
    let code = scene.decide().primary().unwrap().code;
    assert_eq!(code, ReasonCode::CallerNotAllowed);
}

#[test]
fn an_explanation_tells_what_was_considered() {
    let scene = Scene::new(
        strict_de(),
        "order.notice",
        "email",
        giving(|it| it.cross_border = None),
    );
    let evidence = Evidence::Known(scene.known.clone());
    let policy = policy();
    let beside = scene.decide();
    let (decision, explanation) = policy.explain(
        &scene.destination,
        &scene.transfer,
        &evidence,
        Some(("kz-law-strict", &beside)),
    );
    assert_eq!(decision, beside, "tracing changes nothing");
    let considered: &Vec<Considered> = &explanation.persons[0].considered;
    assert_eq!(considered.len(), 2, "one consent against two facets");
    assert_eq!(
        considered[1].failures,
        [ReasonCode::CrossBorderNotConsented]
    );
    assert_eq!(
        explanation.readings[0].countries,
        [(country("DE"), Adequacy::Adequate)]
    );
    let mend = explanation.mend.clone().unwrap();
    assert_eq!(
        mend,
        "Record a consent to cross-border transfer that names DE."
    );
    let text = explanation.render();
    for part in [
        "block (would be block)",
        "art. 7(6) with art. 16(3) (reading B)",
        "fails cross-border-not-consented",
        "under kz-law-strict: block",
        "└─ ",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(
        serde_json::to_string(&explanation)
            .unwrap()
            .contains("cross-border-not-consented")
    );
}

#[test]
fn a_recall_reaches_those_who_withdrew() {
    let mut record = giving(|_| ());
    let scope = WithdrawalScope::default();
    record
        .withdrawals
        .push(withdrawal("2026-11-01T10:00:00+05:00", scope));
    Scene::new(strict_de(), "recall", "email", record.clone()).check("recall", "");
    let by_sms = giving(|it| it.channels = set("sms", Into::into));
    Scene::new(strict_de(), "recall", "email", by_sms.clone()).check("other channel", "");
    Scene::new(strict_de(), "order.notice", "email", by_sms)
        .check("order by another channel", "channel-not-covered");
    Scene::new(strict_de(), "recall", "email", subject("s")).check("nothing given", "no-consent");
    Scene::new(strict_de(), "order.notice", "email", record).check("order", "consent-withdrawn");
}
