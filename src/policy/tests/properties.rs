//! Properties: less basis, more findings or stricter law never let more through, and the decision is a function.

use proptest::prelude::*;

use super::setting::*;
use crate::model::{
    Category,
    consent::{BasisKind, Consent, Facet, Until, WithdrawalScope},
    decision::Verdict,
    destination::Role,
    evidence::SubjectRecord,
    finding::GapKind,
    law::Profile,
    subject::IdentifierKind,
};

const DATA: [&str; 6] = [
    "email",
    "phone",
    "name",
    "health.other",
    "payment.card",
    "national_id",
];
const PURPOSES: [&str; 4] = ["order.notice", "marketing.email", "recall", "state.body"];
const COUNTRIES: [&str; 4] = ["DE", "RU", "US", "KZ"];
const ROLES: [Role; 3] = [Role::Processor, Role::SelfOperator, Role::PaymentSystem];

fn some_of(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::subsequence(of, 0..=of.len()).prop_map(|it| it.join(" "))
}

prop_compose! {
    fn consents()(
        third in any::<bool>(), border in any::<bool>(), countries in some_of(&COUNTRIES),
        purposes in some_of(&["order", "marketing", "state"]), data in some_of(&DATA),
        month in 1..12_u32, until in 1..29_u32, number in 0..1000_u32,
    ) -> Consent {
        Consent {
            id: format!("c{number}").into(),
            third_party: third.then_some(crate::model::consent::PartyScope::Any),
            cross_border: border.then(|| set(&countries, country)),
            purposes: set(&purposes, purpose),
            categories: categories(&data),
            given_at: at(&format!("2026-{month:02}-10T10:00:00Z")),
            until: Until::Day(day(&format!("2026-11-{until:02}"))),
            ..consent("c")
        }
    }
}

prop_compose! {
    fn records()(
        consents in prop::collection::vec(consents(), 0..4), has_basis in any::<bool>(),
        is_blocked in prop::bool::weighted(0.2),
    ) -> SubjectRecord {
        let mut it = subject("s");
        it.consents = consents;
        if has_basis {
            it.bases.push(basis(BasisKind::Treaty, &[Facet::ThirdParty, Facet::CrossBorder], "state"));
        }
        if is_blocked {
            it.restrictions.push(restriction("2026-10-01T00:00:00Z"));
        }
        it
    }
}

prop_compose! {
    fn scenes()(
        records in prop::collection::vec((records(), some_of(&DATA)), 1..4),
        to in prop::sample::select(&COUNTRIES[..]), role in prop::sample::select(&ROLES[..]),
        on in prop::sample::select(&PURPOSES[..]), is_strict in any::<bool>(), drops in any::<bool>(),
    ) -> Scene {
        let code = if is_strict { "kz-law-strict" } else { "baseline" };
        let mut destination = destination("d", to, role, profile(code));
        destination.fallback.drop_records = drops;
        let mut scene: Option<Scene> = None;
        for (record, data) in records {
            let data = if data.is_empty() { "email".to_owned() } else { data };
            match &mut scene {
                Some(it) => it.add(&data, record),
                None => scene = Some(Scene::new(destination.clone(), on, &data, record)),
            }
        }
        scene.unwrap()
    }
}

fn records_of(scene: &mut Scene, edit: impl Fn(&mut SubjectRecord)) {
    for person in &mut scene.known.persons {
        for record in &mut person.subjects {
            edit(std::sync::Arc::make_mut(record));
        }
    }
}

fn under(scene: &Scene, profile: Profile) -> Scene {
    let mut it = scene.clone();
    it.destination.readings = vec![std::sync::Arc::new(reading(profile))];
    it
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn less_basis_never_lets_more_through(scene in scenes()) {
        let before = scene.decide().verdict;
        let edits: [fn(&mut SubjectRecord); 4] = [
            |it| it.withdrawals.push(withdrawal("2026-11-21T10:00:00Z", WithdrawalScope::default())),
            |it| it.consents.iter_mut().for_each(|it| it.until = Until::Day(day("2026-11-21"))),
            |it| it.restrictions.push(restriction("2026-11-01T00:00:00Z")),
            |it| { it.consents.pop(); },
        ];
        for edit in edits {
            let mut after = scene.clone();
            records_of(&mut after, edit);
            let verdict = after.decide().verdict;
            prop_assert!(verdict >= before, "{before:?} became {verdict:?}");
        }
    }

    #[test]
    fn an_address_scope_never_lets_more_through(
        scene in scenes(),
        scope in prop::collection::btree_set((any::<bool>(), 0..3_u8), 0..4),
        only_first in any::<bool>(),
    ) {
        let before = scene.decide().verdict;
        let mut after = scene;
        records_of(&mut after, |it| {
            let consents = it.consents.iter_mut();
            for consent in consents.take(if only_first { 1 } else { usize::MAX }) {
                consent.addresses = scope.iter().map(|(is_email, number)| {
                    let kind = if *is_email { IdentifierKind::Email } else { IdentifierKind::Phone };
                    reference(kind, *number)
                }).collect();
            }
        });
        let verdict = after.decide().verdict;
        prop_assert!(verdict >= before, "{before:?} became {verdict:?}");
    }

    #[test]
    fn more_findings_or_gaps_never_let_more_through(scene in scenes()) {
        let before = scene.decide().verdict;
        for category in Category::ALL {
            let mut more = scene.clone();
            more.transfer.persons[0].categories.insert(*category);
            prop_assert!(more.decide().verdict >= before, "{category}");
        }
        for kind in GapKind::ALL {
            let mut more = scene.clone();
            more.transfer.gaps.insert(*kind, 1);
            prop_assert_eq!(more.decide().verdict, Verdict::Block);
        }
    }

    #[test]
    fn the_strict_reading_never_allows_what_the_default_refuses(scene in scenes()) {
        let default = under(&scene, profile("baseline")).decide().verdict;
        let strict = under(&scene, profile("kz-law-strict")).decide().verdict;
        prop_assert!(strict >= default, "{default:?}, strictly {strict:?}");
    }

    #[test]
    fn the_decision_is_a_function_and_order_is_no_argument(scene in scenes()) {
        let first = scene.decide();
        prop_assert_eq!(&first, &scene.decide());
        let mut reversed = scene;
        records_of(&mut reversed, |it| it.consents.reverse());
        let second = reversed.decide();
        prop_assert_eq!(first.verdict, second.verdict);
        let codes = |it: &crate::model::decision::Decision| -> Vec<_> {
            it.reasons.iter().map(|it| it.code).collect()
        };
        prop_assert_eq!(codes(&first), codes(&second));
    }

    #[test]
    fn every_person_that_passes_is_covered(scene in scenes()) {
        let decision = scene.decide();
        for (at, it) in decision.persons.iter().enumerate() {
            let found = scene.transfer.persons[at].categories;
            prop_assert_eq!(it.covered.union(it.uncovered), found);
            prop_assert!(it.covered.intersection(it.uncovered).is_empty());
            if decision.verdict == Verdict::Allow {
                prop_assert!(it.uncovered.is_empty());
            }
        }
    }
}
