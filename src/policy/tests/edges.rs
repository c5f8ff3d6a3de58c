//! The edges of single rules.

use std::sync::Arc;

use super::setting::*;
use crate::{
    model::{
        CategorySet,
        consent::{
            BasisKind, Consent, ConsentState, EvidenceMethod, Facet, PartyScope, PurposeEnd,
            PurposeEndScope, Until, WithdrawalScope,
        },
        decision::{Carrier, Mode, ReasonCode, Verdict},
        destination::{Destination, Onward, ProtectionLevel, Role},
        evidence::{Evidence, General, SubjectRecord},
        finding::GapKind,
        law::{AssessmentResult, CategoryRule, WithdrawalEffective, WrittenFor},
        subject::IdentifierKind,
    },
    policy::{Adequacy, trace::Considered},
};

fn strict_de() -> Destination {
    destination("mail-de", "DE", Role::Processor, profile("kz-law-strict"))
}

fn baseline(code: &str) -> Destination {
    destination("mail", code, Role::Processor, profile("baseline"))
}

fn edit_profile(it: &mut Destination, edit: impl FnOnce(&mut crate::model::law::Profile)) {
    let mut reading = (*it.readings[0]).clone();
    let mut profile = (*reading.profile).clone();
    edit(&mut profile);
    reading.profile = Arc::new(profile);
    it.readings = vec![Arc::new(reading)];
}

fn giving(edit: impl FnOnce(&mut Consent)) -> SubjectRecord {
    let mut it = subject("s");
    let mut consent = consent_to("DE");
    edit(&mut consent);
    it.consents.push(consent);
    it
}

fn check_consent(label: &str, expected: &str, edit: impl FnOnce(&mut Consent)) {
    Scene::new(strict_de(), "order.notice", "email", giving(edit)).check(label, expected);
}

#[test]
fn each_check_of_a_consent_gives_its_reason() {
    check_consent("whole", "", |_| ());
    check_consent("operator", "operator-not-named", |it| {
        it.operator = "1".into()
    });
    check_consent("early", "consent-not-yet-valid", |it| {
        it.from = day("2026-11-23");
    });
    check_consent("future grant", "consent-not-yet-valid", |it| {
        it.given_at = at("2026-11-22T12:00:00.001+05:00");
    });
    check_consent("recipient", "recipient-not-covered", |it| {
        it.third_party = Some(PartyScope::Parties(set("other", |it| it.into())));
    });
    check_consent("class", "", |it| {
        it.third_party = Some(PartyScope::Classes(set("mailing", |it| it.into())));
    });
    check_consent("channel", "channel-not-covered", |it| {
        it.channels = set("sms", |it| it.into());
    });
    check_consent("purpose", "purpose-not-covered", |it| {
        it.purposes = set("order.delivery", purpose);
    });
    check_consent("representative", "representative-expired", |it| {
        it.representative = Some("nobody".into());
    });
}

#[test]
fn withdrawals_reach_as_far_as_their_scope() {
    let scopes: [(&str, WithdrawalScope, &str); 10] = [
        ("third", actions("third-party"), "consent-withdrawn"),
        ("collection", actions("collection"), ""),
        ("other purpose", purposes("marketing"), ""),
        ("parent purpose", purposes("order"), "consent-withdrawn"),
        (
            "child purpose",
            purposes("order.notice.sms"),
            "consent-withdrawn",
        ),
        ("other channel", channels("sms"), ""),
        ("this channel", channels("email"), "consent-withdrawn"),
        ("other recipient", recipients("other"), ""),
        ("this recipient", recipients("mail-de"), "consent-withdrawn"),
        ("whole", WithdrawalScope::default(), "consent-withdrawn"),
    ];
    for (label, scope, expected) in scopes {
        let mut record = giving(|_| ());
        let when = "2026-11-22T12:00:00+05:00";
        record.withdrawals.push(withdrawal(when, scope));
        let mut scene = Scene::new(strict_de(), "order.notice", "email", record);
        scene.check(label, expected);
        scene.transfer.at = at("2026-11-22T11:59:59.999+05:00");
        scene.check(&format!("{label}, a millisecond before"), "");
    }
}

fn actions(it: &str) -> WithdrawalScope {
    WithdrawalScope {
        actions: set(it, |it| it.into()),
        ..WithdrawalScope::default()
    }
}

fn purposes(it: &str) -> WithdrawalScope {
    WithdrawalScope {
        purposes: set(it, purpose),
        ..WithdrawalScope::default()
    }
}

fn channels(it: &str) -> WithdrawalScope {
    WithdrawalScope {
        channels: set(it, |it| it.into()),
        ..WithdrawalScope::default()
    }
}

fn recipients(it: &str) -> WithdrawalScope {
    WithdrawalScope {
        recipients: set(it, |it| it.into()),
        ..WithdrawalScope::default()
    }
}

#[test]
fn a_partial_withdrawal_of_categories_leaves_the_rest() {
    let mut record = giving(|_| ());
    let scope = WithdrawalScope {
        categories: categories("phone"),
        ..WithdrawalScope::default()
    };
    record
        .withdrawals
        .push(withdrawal("2026-11-01T10:00:00+05:00", scope));
    let to = || strict_de();
    Scene::new(to(), "order.notice", "email", record.clone()).check("kept", "");
    let taken = Scene::new(to(), "order.notice", "email phone", record);
    taken.check("taken", "consent-withdrawn");
    assert_eq!(taken.decide().persons[0].covered, categories("email"));
}

#[test]
fn when_a_withdrawal_acts() {
    let scene = |edit: &dyn Fn(&mut SubjectRecord), as_filed: bool| {
        let mut record = giving(|_| ());
        let mut it = withdrawal("2026-11-20T10:00:00+05:00", WithdrawalScope::default());
        it.effective_at = at("2026-12-04T10:00:00+05:00");
        record.withdrawals.push(it);
        edit(&mut record);
        let mut to = strict_de();
        edit_profile(&mut to, |it| {
            if as_filed {
                it.withdrawal_effective = WithdrawalEffective::AsFiled;
            }
        });
        Scene::new(to, "order.notice", "email", record)
    };
    scene(&|_| (), false).check("at once", "consent-withdrawn");
    scene(&|_| (), true).check("as filed", "");
    let refused =
        |it: &mut SubjectRecord| it.withdrawals[0].refused_reason = Some("art. 8(2)".into());
    scene(&refused, false).check("forbidden by law", "");
    let renewed = |it: &mut SubjectRecord| {
        let when = at("2026-11-21T10:00:00+05:00");
        it.consents[0].events.push((ConsentState::Renewed, when));
    };
    scene(&renewed, false).check("given again", "");
    let other = |it: &mut SubjectRecord| it.withdrawals[0].consent = Some("other".into());
    scene(&other, false).check("of another consent", "");
    let later = |it: &mut SubjectRecord| it.consents[0].given_at = at("2026-11-21T10:00:00+05:00");
    scene(&later, false).check("all before, given after", "");
}

#[test]
fn a_newer_refusal_withdraws_what_it_was_asked_for() {
    let with_refusal = |purposes: &str, when: &str| {
        let mut it = giving(|_| ());
        it.consents.push(Consent {
            id: "no".into(),
            purposes: set(purposes, purpose),
            events: vec![(ConsentState::Refused, at(when))],
            ..consent_to("DE")
        });
        it
    };
    for (purposes, when, expected) in [
        ("order", "2026-03-01T10:00:00+05:00", "consent-withdrawn"),
        ("marketing", "2026-03-01T10:00:00+05:00", ""),
        ("order", "2026-01-01T10:00:00+05:00", ""),
    ] {
        let record = with_refusal(purposes, when);
        Scene::new(strict_de(), "order.notice", "email", record).check(purposes, expected);
    }
}

#[test]
fn records_join_their_categories_but_not_their_scopes() {
    let mut record = giving(|it| it.categories = categories("email"));
    record.consents.push(Consent {
        id: "c2".into(),
        categories: categories("phone"),
        ..consent_to("DE")
    });
    let scene = Scene::new(strict_de(), "order.notice", "email phone", record.clone());
    scene.check("union", "");
    assert_eq!(scene.decide().persons[0].carriers.len(), 4);
    record.consents[1].cross_border = Some(set("RU", country));
    let split = Scene::new(strict_de(), "order.notice", "email phone", record.clone());
    split.check("phone goes to RU only", "category-not-covered");
    assert_eq!(split.decide().persons[0].uncovered, categories("phone"));
    record.consents[0].third_party = None;
    record.consents[1].categories = categories("email");
    Scene::new(strict_de(), "order.notice", "email", record).check("a facet each", "");
}

#[test]
fn the_nearest_record_gives_the_reason() {
    let mut record = giving(|it| it.purposes = set("hr", purpose));
    record.consents.push(Consent {
        id: "near".into(),
        until: Until::Day(day("2026-11-01")),
        ..consent_to("DE")
    });
    for _ in 0..2 {
        let decision = Scene::new(strict_de(), "order.notice", "email", record.clone()).decide();
        let primary = decision.primary().unwrap();
        assert_eq!(primary.code, ReasonCode::ConsentExpired);
        assert_eq!(primary.record.as_deref(), Some("near"));
        record.consents.reverse();
    }
}

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
    Scene::new(strict_de(), "recall", "email", subject("s")).check("nothing given", "no-consent");
    Scene::new(strict_de(), "order.notice", "email", record).check("order", "consent-withdrawn");
}
