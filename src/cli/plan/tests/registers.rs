//! The registers of any moment, put together again from their changes, against what they answered at that moment.

use super::Bench;
use crate::{
    gatekeeper::{
        history::{History, Missing, Owners},
        keys::IdentifierRefs,
        ports::Registers as _,
    },
    model::{
        CategorySet, Day,
        consent::{BasisKind, ConsentState, Facet, ObjectionTarget, PartyScope, PurposeEndScope},
        evidence::Known,
        transfer::TransferPerson,
    },
    store::{
        self, Outbox, contract,
        writer::{
            ConsentText, NewBasis, NewConsent, NewConsentState, NewObjection, NewPurposeEnd,
            NewRepresentative, NewRestriction, Whose, WithdrawalTarget, Writer,
        },
    },
};

/// Every kind of change, one after another; after each, what the registers say is kept.
#[test]
fn the_registers_of_any_moment_are_put_together_again() {
    let mut bench = Bench::new();
    let ann = || {
        vec![
            contract::email("ann@example.org"),
            contract::phone("+7 701 000 00 01"),
        ]
    };
    let bob = || vec![contract::email("bob@example.org")];
    let asked = [
        ann(),
        bob(),
        vec![contract::email("eve@example.org")],
        vec![contract::phone("+7 701 000 00 01")],
    ];
    let mut kept = vec![known(&bench, &asked)];
    for step in steps(&ann, &bob) {
        step(&mut bench.writer);
        kept.push(known(&bench, &asked));
    }
    let owners = owners(&bench, &asked);
    let mut history = History::of(owners.values().flatten().cloned().collect());
    let outbox = Outbox::open(&bench.configuration.store).unwrap();
    let changes = outbox.pending(1_000).unwrap();
    for (_, change) in changes.iter().rev().chain(&changes) {
        history.take(change);
    }
    let persons: Vec<TransferPerson> = asked
        .iter()
        .map(|it| TransferPerson {
            identifiers: it.iter().map(|it| it.current).collect(),
            ..TransferPerson::default()
        })
        .collect();
    for then in &kept {
        let again = history.evidence(then.sequence, &persons, &owners);
        assert_eq!(again.as_ref(), Ok(then), "after change {}", then.sequence);
    }
    let last = kept.last().unwrap().sequence;
    assert_eq!(
        history.evidence(last + 1, &persons, &owners),
        Err(Missing::Change)
    );
    let mut strange = changes[0].1.clone();
    strange.register_sequence = last + 1;
    strange.action = "subject-renamed".into();
    history.take(&strange);
    assert_eq!(
        history.evidence(last + 1, &persons, &owners),
        Err(Missing::Meaning)
    );
    assert!(history.evidence(last, &persons, &owners).is_ok());
}

fn known(bench: &Bench, asked: &[Vec<IdentifierRefs>]) -> Known {
    let answer = bench.registers.evidence(asked);
    bench.runtime.block_on(answer).unwrap()
}

/// Who owns what was asked about.
fn owners(bench: &Bench, asked: &[Vec<IdentifierRefs>]) -> Owners {
    let references = asked.iter().flatten().map(|it| it.current).collect();
    let mut reader = store::Reader::open(&bench.configuration.store).unwrap();
    reader.state().unwrap().owners(&references).unwrap()
}

type Step = Box<dyn FnOnce(&mut Writer)>;

#[expect(clippy::too_many_lines, reason = "one step a kind of change")]
fn steps(
    ann: &dyn Fn() -> Vec<IdentifierRefs>,
    bob: &dyn Fn() -> Vec<IdentifierRefs>,
) -> Vec<Step> {
    fn step(work: impl FnOnce(&mut Writer) + 'static) -> Step {
        Box::new(work)
    }
    let (ann, bob) = (ann(), bob());
    let of = |who: &[IdentifierRefs]| Whose::Identified(who.to_vec());
    let consent = |id: &str, who: &[IdentifierRefs]| NewConsent {
        id: Some(id.into()),
        ..contract::consent(who)
    };
    let email = vec![ann[0].clone()];
    let phone = vec![ann[1].clone()];
    let basis = |id: &str, whose: Option<Whose>| NewBasis {
        id: Some(id.into()),
        whose,
        kind: BasisKind::Contract,
        document: "contract 1".into(),
        document_date: "2026-01-01".parse().unwrap(),
        facets: [Facet::ThirdParty].into(),
        purposes: ["order".parse().unwrap()].into(),
        categories: CategorySet::named("email").unwrap(),
        parties: PartyScope::Any,
        countries: [].into(),
        from: "2026-01-01".parse().unwrap(),
        until: None,
        obligation_open: false,
    };
    let text = ConsentText {
        text: "t".into(),
        version: "1".into(),
        locale: "kk".into(),
        sha256: "cd".repeat(32).into(),
        from: "2026-01-01".parse().unwrap(),
        until: None,
    };
    let end = |whose: Option<Whose>, scope: PurposeEndScope| NewPurposeEnd {
        id: None,
        whose,
        scope,
        at: None,
    };
    let restriction = NewRestriction {
        id: Some("r-1".into()),
        whose: of(&email),
        reason: "accuracy-doubt".into(),
        from: None,
        allowed_purposes: [].into(),
    };
    let objection = NewObjection {
        id: Some("o-1".into()),
        whose: of(&email),
        against: ObjectionTarget::Kind(BasisKind::Contract),
        from: None,
    };
    let representative = NewRepresentative {
        id: Some("p-1".into()),
        whose: of(&email),
        kind: "parent".into(),
        document: "certificate 1".into(),
        from: "2026-01-01".parse().unwrap(),
        until: None,
    };
    let state = |state| NewConsentState {
        id: None,
        consent: "c-1".into(),
        state,
    };
    let whole = contract::withdrawal(WithdrawalTarget::Consent("c-1".into()));
    let all = contract::withdrawal(WithdrawalTarget::All(of(&email)));
    let until: Option<Day> = Some("2030-01-01".parse().unwrap());
    let (first, second, of_ann, of_all) = (
        consent("c-1", &email),
        consent("c-2", &bob),
        basis("b-1", Some(of(&email))),
        basis("b-2", None),
    );
    let (renewed, void) = (
        state(ConsentState::Renewed),
        state(ConsentState::Invalidated),
    );
    let programme = end(None, PurposeEndScope::Programme("loyalty".into()));
    let purpose = end(
        Some(of(&email)),
        PurposeEndScope::Purpose("order".parse().unwrap()),
    );
    let (needs, no_more, linked, shared) = (of(&email), of(&email), of(&email), of(&bob));
    let shared_phone = phone.clone();
    vec![
        step(move |it| drop(it.grant(&first).unwrap())),
        step(move |it| drop(it.link(&linked, &phone, false).unwrap())),
        step(move |it| drop(it.grant(&second).unwrap())),
        step(move |it| drop(it.restrict(&restriction).unwrap())),
        step(move |it| drop(it.release("r-1").unwrap())),
        step(move |it| drop(it.change_state(&void).unwrap())),
        step(move |it| drop(it.change_state(&renewed).unwrap())),
        step(move |it| drop(it.add_basis(&of_ann).unwrap())),
        step(move |it| drop(it.object(&objection).unwrap())),
        step(move |it| drop(it.lift("o-1", "protocol 1").unwrap())),
        step(move |it| drop(it.add_basis(&of_all).unwrap())),
        step(move |it| drop(it.require_representative(&needs, until).unwrap())),
        step(move |it| drop(it.represent(&representative).unwrap())),
        step(move |it| drop(it.require_representative(&no_more, None).unwrap())),
        step(move |it| drop(it.add_text(&text).unwrap())),
        step(move |it| drop(it.end_purpose(&programme).unwrap())),
        step(move |it| drop(it.end_purpose(&purpose).unwrap())),
        step(move |it| drop(it.withdraw(&whole).unwrap())),
        step(move |it| drop(it.withdraw(&all).unwrap())),
        step(move |it| drop(it.link(&shared, &shared_phone, true).unwrap())),
    ]
}
