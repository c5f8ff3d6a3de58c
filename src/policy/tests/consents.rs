//! The edges of the consent's rules: checks, withdrawals, refusals, ends, records that join.

use super::setting::*;
use crate::model::{
    consent::{Consent, ConsentState, PartyScope, Until, WithdrawalScope},
    decision::ReasonCode,
    evidence::SubjectRecord,
    law::WithdrawalEffective,
    subject::{IdentifierKind, SubjectRef},
};

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
    check_consent("address", "address-not-covered", |it| {
        it.addresses = [reference(IdentifierKind::Email, 9)].into();
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

#[test]
fn an_address_scope_limits_the_kinds_that_it_names() {
    use IdentifierKind::{Email, NationalId, Phone};
    let (own, other) = (reference(Email, 0), reference(Email, 9));
    let (phone, other_phone) = (reference(Phone, 1), reference(Phone, 2));
    let number = reference(NationalId, 3);
    let old = SubjectRef { key_id: 0, ..own };
    let cases: [(&str, &[SubjectRef], &[SubjectRef], &str); 10] = [
        ("no scope", &[], &[own, phone], ""),
        ("the address", &[own], &[own], ""),
        ("one of two", &[own, other], &[other], ""),
        ("another address", &[own], &[other], "address-not-covered"),
        ("one more", &[own], &[own, other], "address-not-covered"),
        ("a kind without limit", &[own], &[own, phone], ""),
        ("both kinds", &[own, phone], &[own, phone], ""),
        (
            "another phone",
            &[own, phone],
            &[own, other_phone],
            "address-not-covered",
        ),
        ("no address", &[own, phone], &[number], ""),
        ("an earlier key", &[old], &[own], "address-not-covered"),
    ];
    for (label, scope, found, expected) in cases {
        let record = giving(|it| it.addresses = scope.iter().copied().collect());
        let mut scene = Scene::new(strict_de(), "order.notice", "email", record);
        scene.transfer.persons[0].identifiers = found.to_vec();
        scene.known.persons[0].matches = found.iter().map(|it| (*it, vec![id("s")])).collect();
        scene.check(label, expected);
    }
}
