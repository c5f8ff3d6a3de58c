//! What may be taken out instead of a refusal, and what may not.

use super::setting::*;
use crate::model::{
    consent::WithdrawalScope,
    decision::{Decision, Verdict},
    destination::Fallback,
    law::CategoryRule,
    subject::IdentifierKind,
};

/// A letter to somebody who consented to `covers`, where fields may be reduced.
fn scene(covers: &str, data: &str) -> Scene {
    let record = giving(|it| it.categories = categories(covers));
    let mut scene = Scene::new(strict_de(), "order.notice", data, record);
    scene.destination.fallback.reduce_fields = true;
    scene
}

#[track_caller]
fn reduced(decision: &Decision, expected: &[(u32, &str)]) {
    assert_eq!(decision.verdict, Verdict::Reduce, "{:?}", decision.reasons);
    let expected: Vec<_> = expected
        .iter()
        .map(|(person, codes)| (*person, categories(codes)))
        .collect();
    assert_eq!(decision.reduction.reduce_fields, expected);
}

#[track_caller]
fn blocked(decision: &Decision) {
    assert_eq!(decision.verdict, Verdict::Block, "{:?}", decision.reasons);
    assert!(decision.reduction.reduce_fields.is_empty());
    assert!(decision.reduction.drop_records.is_empty());
}

/// An uncovered category is reducible whatever the record fails in that comes nearest to it.
#[test]
fn the_reason_does_not_matter_where_something_is_covered() {
    let it = scene("name email", "name email phone");
    reduced(&it.decide(), &[(0, "phone")]);
    let mut withdrawn = scene("name email phone", "name email phone");
    let scope = WithdrawalScope {
        categories: categories("phone"),
        ..WithdrawalScope::default()
    };
    for person in &mut withdrawn.known.persons {
        let record = std::sync::Arc::make_mut(&mut person.subjects[0]);
        let taken_back = withdrawal("2026-11-01T10:00:00+05:00", scope.clone());
        record.withdrawals.push(taken_back);
    }
    let decision = withdrawn.decide();
    assert_eq!(
        decision.primary().unwrap().code.as_str(),
        "consent-withdrawn"
    );
    reduced(&decision, &[(0, "phone")]);
    let mut special = scene("name email", "name email health");
    special.destination.readings = strict_de().readings;
    reduced(&special.decide(), &[(0, "health")]);
}

/// Masking, pseudonymising and removing cure no missing basis, and nothing that stands against the person.
#[test]
fn nothing_covered_is_nothing_to_reduce() {
    blocked(&scene("name", "email phone").decide());
    let mut restricted = scene("name email", "name email phone");
    let record = std::sync::Arc::make_mut(&mut restricted.known.persons[0].subjects[0]);
    record
        .restrictions
        .push(restriction("2026-11-01T00:00:00+05:00"));
    blocked(&restricted.decide());
    let mut unknown = scene("name email", "name email phone");
    unknown.known.persons[0] = Default::default();
    blocked(&unknown.decide());
    let mut whole = scene("name email", "name email phone");
    whole.destination.agreement = None;
    blocked(&whole.decide());
}

/// Whoever is left must still be somebody.
#[test]
fn the_last_identifier_does_not_go() {
    let mut it = scene("name birth_date", "name birth_date email");
    blocked(&it.decide());
    let phone = reference(IdentifierKind::Phone, 1);
    it.transfer.persons[0].identifiers.push(phone);
    let owner = it.known.persons[0].subjects[0].id.clone();
    it.known.persons[0].matches.push((phone, vec![owner]));
    reduced(&it.decide(), &[(0, "email")]);
}

/// What never leaves does not leave when it is taken out; the rest needs its basis all the same.
#[test]
fn what_never_leaves_can_be_taken_out() {
    let with_photo = |covers: &str| {
        let mut it = scene(covers, "name email photo");
        edit_profile(&mut it.destination, |it| {
            it.categories.insert("photo".into(), CategoryRule::Never);
        });
        it
    };
    let covered = with_photo("name email photo").decide();
    assert_eq!(
        covered.primary().unwrap().code.as_str(),
        "category-forbidden"
    );
    reduced(&covered, &[(0, "photo")]);
    reduced(&with_photo("email").decide(), &[(0, "name photo")]);
    blocked(&with_photo("photo").decide());
    let mut whole = with_photo("name email photo");
    whole.destination.fallback = Fallback::default();
    blocked(&whole.decide());
}

#[test]
fn both_cures_stand_in_one_message() {
    let mut it = scene("email", "email");
    it.destination.fallback.drop_records = true;
    it.add("email", subject("none"));
    it.add("email phone", {
        let mut record = giving(|it| it.categories = categories("email"));
        record.id = id("third");
        record
    });
    let decision = it.decide();
    assert_eq!(decision.reduction.drop_records, [1]);
    reduced(&decision, &[(2, "phone")]);
    // Somebody outside the records can only be reduced.
    it.transfer.persons[2].record = None;
    reduced(&it.decide(), &[(2, "phone")]);
    it.transfer.persons[1].record = None;
    blocked(&it.decide());
    // Two persons of one record: dropping it is cure enough for both.
    it.transfer.persons[1].record = Some(2);
    it.transfer.persons[2].record = Some(2);
    let decision = it.decide();
    assert_eq!(decision.reduction.drop_records, [2]);
    assert!(decision.reduction.reduce_fields.is_empty());
    it.transfer.is_signed = true;
    let signed = it.decide();
    blocked(&signed);
    assert!(
        signed
            .reasons
            .iter()
            .any(|it| it.code.as_str() == "signed-message")
    );
}
