//! The acceptance cases that the two shipped profiles, or a small profile beside them, can express. Numbers are the cases'.

use std::sync::Arc;

use super::setting::*;
use crate::model::{
    consent::{
        BasisKind, ConsentState, Facet, Objection, ObjectionTarget, PurposeEnd, PurposeEndScope,
        Until, WithdrawalScope,
    },
    decision::{ReasonCode, Verdict},
    destination::{FailurePolicy, Fallback, GapPolicy, Notification, Role},
    evidence::{Evidence, SubjectRecord},
    finding::GapKind,
    law::{CategoryRule, NotificationRule, Profile},
};

fn strict() -> Profile {
    profile("kz-law-strict")
}

/// kz-law-strict, reading (A) of art. 16(2).
fn reading_a() -> Profile {
    let mut it = strict();
    it.overrides.adequate_state_requires_consent = Some(false);
    it
}

/// As training-ngo's text: contract opens a country that is not adequate; third parties ask consent always.
fn contract_across() -> Profile {
    let mut it = reading_a();
    let kinds = it.extra_bases.entry(Facet::CrossBorder).or_default();
    kinds.insert(BasisKind::Contract);
    it.opt_in_classes = set("marketing", Into::into);
    it
}

fn mail_de(profile: Profile) -> crate::model::destination::Destination {
    destination("mail-de", "DE", Role::Processor, profile)
}

fn crm_ru(profile: Profile) -> crate::model::destination::Destination {
    destination("crm-ru", "RU", Role::Processor, profile)
}

fn with(edit: impl FnOnce(&mut SubjectRecord)) -> SubjectRecord {
    let mut it = subject("s");
    edit(&mut it);
    it
}

fn consenting(countries: &str) -> SubjectRecord {
    with(|it| it.consents.push(consent_to(countries)))
}

#[test]
fn cases_1_to_3_country_and_withdrawal() {
    let data = "name phone email";
    Scene::new(crm_ru(strict()), "order.notice", data, consenting("RU")).check("1", "");
    let two = Scene::new(mail_de(strict()), "order.notice", data, consenting("RU"));
    two.check("2", "country-not-covered");
    let reason = two.decide().primary().unwrap().clone();
    assert_eq!(reason.country, Some(country("DE")));
    assert_eq!(reason.record.as_deref(), Some("c"));
    let withdrawn = with(|it| {
        it.consents.push(consent_to("DE"));
        let scope = WithdrawalScope::default();
        it.withdrawals
            .push(withdrawal("2026-11-21T10:00:00+05:00", scope));
    });
    Scene::new(mail_de(strict()), "marketing.email", "email", withdrawn)
        .check("3", "consent-withdrawn");
}

#[test]
fn cases_4_and_5_contract() {
    let contract = |purposes| basis(BasisKind::Contract, &[Facet::CrossBorder], purposes);
    let four = with(|it| it.bases.push(contract("order")));
    Scene::new(mail_de(contract_across()), "marketing.email", "name", four)
        .check("4", "purpose-not-covered");
    let not_adequate = |profile| {
        let mut it = crm_ru(profile);
        let mut reading = (*it.readings[0]).clone();
        reading.assessments.retain(|it| it.country != country("RU"));
        it.readings = vec![Arc::new(reading)];
        it
    };
    let bare = with(|it| it.bases.push(contract("contract")));
    let consented = with(|it| {
        it.bases.push(contract("contract"));
        it.consents.push(crate::model::consent::Consent {
            cross_border: None,
            purposes: set("contract", purpose),
            ..consent("c")
        });
    });
    for (label, under, record, expected) in [
        ("with consent", contract_across(), &consented, ""),
        ("strict", strict(), &consented, "cross-border-not-consented"),
        (
            "bare",
            contract_across(),
            &bare,
            "third-party-not-consented",
        ),
        ("bare strict", strict(), &bare, "third-party-not-consented"),
    ] {
        let purpose = "contract.performance";
        Scene::new(not_adequate(under), purpose, "name", record.clone())
            .check(&format!("5 {label}"), expected);
    }
}

#[test]
fn cases_6_and_7_special_categories() {
    let named = with(|it| {
        let mut consent = consent_to("DE");
        consent.categories = categories("health phone");
        it.consents.push(consent);
    });
    let data = "health.diagnosis phone";
    for profile in [strict(), profile("baseline")] {
        let to = || mail_de(profile.clone());
        Scene::new(to(), "service.provision", data, named.clone()).check("6", "");
        let unnamed = Scene::new(to(), "service.provision", data, consenting("DE"));
        unnamed.check("6 unnamed", "special-category");
        let reason = unnamed.decide().primary().unwrap().clone();
        assert_eq!(reason.categories, categories("health.diagnosis"));
    }
    let mut never = strict();
    never
        .categories
        .insert("health".to_owned(), CategoryRule::Never);
    Scene::new(mail_de(never), "service.provision", data, named)
        .check("7", "special-category-forbidden");
}

#[test]
fn case_8_a_batch_loses_the_records_without_consent() {
    let good = |number: usize| {
        let mut it = consenting("DE");
        it.id = id(&format!("s{number}"));
        it
    };
    let mut scene = Scene::new(mail_de(strict()), "marketing.email", "email", good(0));
    for number in 1..100 {
        let record = good(number);
        let bad = [7, 50, 99].contains(&number);
        scene.add("email", if bad { subject("none") } else { record });
    }
    scene.check("8 whole", "no-consent");
    scene.destination.fallback = Fallback {
        drop_records: true,
        reduce_fields: false,
    };
    let decision = scene.decide();
    assert_eq!(decision.verdict, Verdict::Reduce);
    assert_eq!(decision.reduction.drop_records, [7, 50, 99]);
    scene.transfer.is_signed = true;
    let signed = scene.decide();
    assert_eq!(signed.verdict, Verdict::Block);
    assert!(signed.reduction.drop_records.is_empty());
    let codes: Vec<_> = signed.reasons.iter().map(|it| it.code).collect();
    assert!(codes.contains(&ReasonCode::SignedMessage));
    let mut alone = Scene::new(
        mail_de(strict()),
        "marketing.email",
        "email",
        subject("none"),
    );
    alone.destination.fallback.drop_records = true;
    alone.check("8 nothing remains", "no-consent");
}

#[test]
fn cases_9_and_10_remote_access_and_agreement() {
    let mut at_home = destination("sms-kz", "KZ", Role::Processor, strict());
    let scene = |it, countries| Scene::new(it, "order.notice", "phone", consenting(countries));
    scene(at_home.clone(), "RU").check("9 plain", "");
    at_home.remote_access_countries.insert(country("DE"));
    scene(at_home.clone(), "RU").check("9 declared", "country-not-covered");
    scene(at_home, "DE").check("9 consented", "");
    let mut crm_gb = destination("crm-gb", "GB", Role::Processor, strict());
    crm_gb.agreement = None;
    scene(crm_gb, "GB").check("10", "no-agreement");
}

#[test]
fn cases_11_to_13_anonymous_and_unknown() {
    let log_cn = || destination("log-cn", "CN", Role::Processor, strict());
    let purpose = "statistics.depersonalised";
    let mut clean = Scene::new(log_cn(), purpose, "online.ip", consenting("CN"));
    clean.check("11 with an address", "not-anonymous");
    clean.transfer.persons.clear();
    clean.known.persons.clear();
    clean.check("11", "");
    let mut unknown = Scene::new(mail_de(strict()), "order.notice", "email", subject("s"));
    unknown.known.persons[0].matches[0].1.clear();
    unknown.check("12", "subject-unknown");
    log_only(&mut unknown, ReasonCode::SubjectUnknown);
    let observed = unknown.decide();
    assert_eq!(observed.verdict, Verdict::Allow);
    assert_eq!(observed.would_be, Verdict::Block);
    let mut mail_us = destination("mail-us", "US", Role::Processor, profile("baseline"));
    mail_us.agreement = None;
    let thirteen = Scene::new(
        mail_us,
        "order.notice",
        "phone national_id email",
        subject("s"),
    );
    thirteen.check("13", "no-agreement");
}

#[test]
fn cases_14_and_15_representative_and_unsubscribe() {
    let child = |until: Option<&str>| {
        with(|it| {
            it.needs_representative_until = Some(day("2032-05-01"));
            it.representatives.extend(until.map(mother));
            let mut consent = consent_to("RU");
            consent.representative = Some("m".into());
            it.consents.push(consent);
        })
    };
    for (until, expected) in [
        (Some("2032-05-01"), ""),
        (Some("2026-11-21"), "minor-without-representative"),
        (None, "minor-without-representative"),
    ] {
        Scene::new(
            crm_ru(strict()),
            "service.provision",
            "name phone",
            child(until),
        )
        .check(&format!("14 {until:?}"), expected);
    }
    let unsubscribed = with(|it| {
        it.consents.push(consent_to("RU"));
        let scope = WithdrawalScope {
            purposes: set("marketing", purpose),
            ..WithdrawalScope::default()
        };
        it.withdrawals
            .push(withdrawal("2026-11-01T10:00:00+05:00", scope));
    });
    for (purpose, expected) in [
        ("order.notice", ""),
        ("marketing.email", "consent-withdrawn"),
    ] {
        Scene::new(crm_ru(strict()), purpose, "name", unsubscribed.clone()).check("15", expected);
    }
}

#[test]
fn cases_16_and_17_minimisation_and_term() {
    let listed = with(|it| {
        let mut consent = consent_to("DE");
        consent.categories = categories("name email");
        it.consents.push(consent);
    });
    let data = "name email national_id birth_date";
    let mut scene = Scene::new(mail_de(strict()), "order.notice", data, listed);
    scene.check("16", "category-not-covered");
    let extra = categories("national_id birth_date");
    assert_eq!(scene.decide().persons[0].uncovered, extra);
    scene.destination.fallback.reduce_fields = true;
    let reduced = scene.decide();
    assert_eq!(reduced.verdict, Verdict::Reduce);
    assert_eq!(reduced.reduction.reduce_fields, [(0, extra)]);
    scene.destination.fallback.reduce_fields = false;
    scene.destination.fallback.drop_records = true;
    scene.check("16, no record to drop", "category-not-covered");
    let until = |last: &str| {
        with(|it| {
            let mut consent = consent_to("DE");
            consent.until = Until::Day(day(last));
            it.consents.push(consent);
        })
    };
    let ended = Scene::new(
        mail_de(strict()),
        "order.notice",
        "email",
        until("2026-11-21"),
    );
    ended.check("17", "consent-expired");
    let mut last = Scene::new(
        mail_de(strict()),
        "order.notice",
        "email",
        until("2026-11-22"),
    );
    for (instant, expected) in [
        ("2026-11-22T23:59:59.999+05:00", ""),
        ("2026-11-23T00:00:00+05:00", "consent-expired"),
    ] {
        last.transfer.at = at(instant);
        last.check(instant, expected);
    }
}

#[test]
fn case_18_restriction() {
    let mut clarify = strict();
    clarify.clarify_exception = true;
    let blocked = with(|it| {
        it.consents.push(consent_to("DE"));
        it.restrictions
            .push(restriction("2026-11-01T00:00:00+05:00"));
    });
    let support = |profile| destination("support-kz", "KZ", Role::SelfOperator, profile);
    for (label, to, purpose, expected) in [
        (
            "18",
            mail_de(clarify.clone()),
            "marketing.email",
            "subject-blocked",
        ),
        ("18 support", support(clarify), "data.clarification", ""),
        (
            "18 no exception",
            support(strict()),
            "data.clarification",
            "subject-blocked",
        ),
        ("18 recall", mail_de(strict()), "recall", ""),
    ] {
        Scene::new(to, purpose, "email", blocked.clone()).check(label, expected);
    }
}

#[test]
fn cases_19_and_20_payment_and_channel() {
    let pay_us = || destination("pay-us", "US", Role::PaymentSystem, strict());
    let paying = with(|it| {
        let mut consent = consent_to("US");
        consent.categories = categories("name payment");
        it.consents.push(consent);
    });
    let scene = |to, data| Scene::new(to, "payment", data, paying.clone());
    scene(pay_us(), "name payment.token").check("19 token", "");
    scene(pay_us(), "payment.card").check("19 listed", "");
    let mut unlisted = pay_us();
    unlisted.agreement.as_mut().unwrap().categories = categories("payment.token");
    scene(unlisted, "payment.card").check("19 card", "payment-data");
    let mut to_mail = destination("mail-us", "US", Role::Processor, strict());
    scene(to_mail.clone(), "payment.card_code").check("19 mail", "payment-data");
    to_mail.is_secured = false;
    let mut plain = scene(to_mail, "name");
    plain.check("20", "open-channel");
    plain.destination.controlled_zone = true;
    plain.check("20 zone", "");
    plain.destination.controlled_zone = false;
    plain.transfer.persons.clear();
    plain.check("20 depersonalised", "");
}

#[test]
fn cases_21_and_22_notification_and_purpose_end() {
    let mut notified = strict();
    notified.notification = NotificationRule::CrossBorder;
    let us = destination("mail-us", "US", Role::Processor, notified);
    let mut scene = Scene::new(us, "service.notice", "email", consenting("US"));
    scene.check("21", "notification-missing");
    scene.destination.notifications.push(Notification {
        regime: "kz-94v".into(),
        authority: "Authority".to_owned(),
        reference: "1".to_owned(),
        submitted: day("2026-11-20"),
        wait_until: None,
        countries: set("US", country),
        purposes: std::collections::BTreeSet::new(),
        outcome: None,
    });
    scene.check("21 recorded", "");
    scene.destination.notifications[0].wait_until = Some(day("2026-11-23"));
    scene.check("21 waiting", "notification-missing");
    let ended = with(|it| {
        let mut consent = consent_to("DE");
        consent.until = Until::Purpose;
        it.consents.push(consent);
        it.purpose_ends.push(PurposeEnd {
            scope: PurposeEndScope::Consent("c".into()),
            at: at("2026-11-20T10:00:00+05:00"),
        });
    });
    Scene::new(mail_de(strict()), "order.notice", "email", ended).check("22", "purpose-ended");
}

#[test]
fn case_23_two_readings_of_article_16() {
    let an_fr = |profile| destination("an-fr", "FR", Role::Processor, profile);
    let at_home = with(|it| {
        it.consents.push(crate::model::consent::Consent {
            cross_border: None,
            ..consent("c")
        });
    });
    for (label, under, record, expected) in [
        ("23 A", reading_a(), at_home.clone(), ""),
        ("23 B", strict(), at_home, "cross-border-not-consented"),
        ("23 A none", reading_a(), subject("s"), "no-consent"),
        ("23 B none", strict(), subject("s"), "no-consent"),
        ("baseline", profile("baseline"), subject("s"), ""),
    ] {
        Scene::new(an_fr(under), "order.notice", "email", record).check(label, expected);
    }
}

#[test]
fn cases_24_and_25_evidence_and_objection() {
    let mismatched = with(|it| {
        let mut consent = consent_to("DE");
        consent.evidence_mismatch = true;
        it.consents.push(consent);
    });
    Scene::new(mail_de(strict()), "order.notice", "email", mismatched)
        .check("24", "evidence-mismatch");
    let mut interest = reading_a();
    let kinds = interest.extra_bases.entry(Facet::ThirdParty).or_default();
    kinds.insert(BasisKind::Contract);
    let mut objecting = with(|it| {
        it.bases
            .push(basis(BasisKind::Contract, &[Facet::ThirdParty], "order"));
        it.objections.push(Objection {
            id: "o".into(),
            against: ObjectionTarget::Kind(BasisKind::Contract),
            from: at("2026-11-01T10:00:00+05:00"),
            lifted_at: None,
            lifted_record: None,
        });
    });
    let sms_kz = || destination("sms-kz", "KZ", Role::Processor, interest.clone());
    Scene::new(sms_kz(), "order.notice", "phone", objecting.clone()).check("25", "basis-suspended");
    objecting.objections[0].lifted_at = Some(at(NOW));
    Scene::new(sms_kz(), "order.notice", "phone", objecting).check("25 lifted", "");
}

#[test]
fn cases_26_and_27_gaps() {
    for (kind, code) in [
        (GapKind::Opaque, "opaque"),
        (GapKind::BodyTooLarge, "body-too-large"),
        (GapKind::DecodedTooLarge, "decoded-too-large"),
        (GapKind::RatioExceeded, "ratio-exceeded"),
        (GapKind::DeadlineExceeded, "deadline-exceeded"),
        (GapKind::InspectionFailed, "inspection-failed"),
        (GapKind::Ambiguous, "ambiguous"),
    ] {
        let mut scene = Scene::new(mail_de(strict()), "order.notice", "email", consenting("DE"));
        scene.transfer.gaps.insert(kind, 1);
        scene.check("26 closed", code);
        let at = scene.transfer.at;
        let ended = GapPolicy::AllowLoggedUntil(at);
        scene.destination.gaps.insert(kind, ended);
        scene.check("26 ended", code);
        let opened = GapPolicy::AllowLoggedUntil(at.plus_millis(1));
        scene.destination.gaps.insert(kind, opened);
        scene.check("26 opened", if kind.is_openable() { "" } else { code });
        scene.destination.inspection_failure = FailurePolicy::Open;
        let is_open = kind.is_openable() || kind == GapKind::InspectionFailed;
        scene.check("27 inspection open", if is_open { "" } else { code });
    }
}

#[test]
fn cases_33_and_36_to_38() {
    // 33: a number below the destination's confidence is recorded as weak; no person, no question.
    let mut weak = Scene::new(mail_de(strict()), "order.notice", "email", subject("s"));
    weak.transfer.persons.clear();
    weak.check("33", "");
    let not_third = with(|it| {
        it.consents.push(crate::model::consent::Consent {
            third_party: None,
            ..consent("c")
        });
    });
    let sms_kz = destination("sms-kz", "KZ", Role::Processor, strict());
    Scene::new(sms_kz, "order.notice", "phone", not_third).check("36", "third-party-not-consented");
    let requested = with(|it| {
        let kind = BasisKind::StateBodyRequest;
        it.bases
            .push(basis(kind, &[Facet::ThirdParty], "state.body"));
    });
    let state = destination("state-kz", "KZ", Role::StateBody, strict());
    Scene::new(state, "state.body", "name national_id", requested).check("37", "");
    let mut apart = strict();
    apart
        .incompatible
        .push((purpose("hr"), purpose("marketing")));
    let mut joined = Scene::new(mail_de(apart), "marketing.email", "email", consenting("DE"));
    joined.transfer.section_purposes.push(purpose("hr.records"));
    joined.check("38", "incompatible-purposes");
}

#[test]
fn registers_that_do_not_answer_refuse_unless_opened() {
    let mut scene = Scene::new(mail_de(strict()), "order.notice", "email", subject("s"));
    let decide =
        |it: &Scene| policy().decide(&it.destination, &it.transfer, &Evidence::Unavailable);
    let refused = decide(&scene);
    assert_eq!(refused.verdict, Verdict::Block);
    let code = refused.primary().unwrap().code;
    assert_eq!(code, ReasonCode::RegistersUnavailable);
    scene.destination.registers_failure = FailurePolicy::Open;
    let passed = decide(&scene);
    assert_eq!(passed.verdict, Verdict::Allow);
    assert!(passed.persons[0].carriers.is_empty());
    let end = scene.transfer.at;
    for (until, verdict) in [(end.plus_millis(1), Verdict::Allow), (end, Verdict::Block)] {
        scene.destination.registers_failure = FailurePolicy::OpenUntil(until);
        assert_eq!(decide(&scene).verdict, verdict);
        scene.transfer.gaps.insert(GapKind::InspectionFailed, 1);
        scene.destination.inspection_failure = FailurePolicy::OpenUntil(until);
        assert_eq!(decide(&scene).verdict, verdict);
        scene.transfer.gaps.clear();
    }
}

#[test]
fn states_of_a_consent() {
    for (state, expected) in [
        (ConsentState::Renewed, ""),
        (ConsentState::Invalidated, "consent-invalidated"),
        (ConsentState::Revoked, "consent-invalidated"),
        (ConsentState::Refused, "consent-withdrawn"),
    ] {
        let record = with(|it| {
            let mut consent = consent_to("DE");
            consent
                .events
                .push((state, at("2026-05-01T10:00:00+05:00")));
            it.consents.push(consent);
        });
        Scene::new(mail_de(strict()), "order.notice", "email", record)
            .check(&format!("{state:?}"), expected);
    }
}
