//! What every implementation of the gatekeeper's port on the registers must hold, and sample records to try it with.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use super::writer::{
    ConsentTerms, NewConsent, NewRestriction, NewWithdrawal, Saved, Whose, WithdrawalTarget,
};
use crate::{
    gatekeeper::{
        keys::{IdentifierRefs, Keys, SubjectKey},
        ports::{Clock, Registers},
    },
    model::{
        CategorySet, Timestamp,
        consent::{Evidence, EvidenceMethod, PartyScope, Until, WithdrawalScope},
        subject::{Identifier, IdentifierKind},
    },
};

/// How a test changes the registers beside the implementation under test: another connection, another process.
pub(crate) trait Elsewhere {
    fn grant(&mut self, new: &NewConsent) -> Saved;
    fn withdraw(&mut self, new: &NewWithdrawal) -> Saved;
    fn restrict(&mut self, new: &NewRestriction) -> Saved;
}

/// Runs an empty register and a second way into it through the words of the port.
pub(crate) async fn check(registers: &dyn Registers, elsewhere: &mut dyn Elsewhere) {
    unknown_is_an_answer(registers).await;
    a_change_is_seen_by_the_next_call(registers, elsewhere).await;
    answers_follow_the_question(registers, elsewhere).await;
    what_was_given_stays_as_it_was(registers, elsewhere).await;
}

async fn unknown_is_an_answer(registers: &dyn Registers) {
    let nobody = email("nobody@example.org");
    let known = registers.evidence(&[vec![nobody.clone()]]).await.unwrap();
    assert_eq!(known.persons.len(), 1);
    assert_eq!(known.persons[0].matches, vec![(nobody.current, Vec::new())]);
    assert_eq!(known.persons[0].subjects, Vec::new());
    assert_eq!(known.newest_recorded_at, None, "nothing is recorded");
    let none = registers.evidence(&[]).await.unwrap();
    assert_eq!(none.persons, Vec::new());
    let unnamed = registers.evidence(&[Vec::new()]).await.unwrap();
    assert_eq!(unnamed.persons.len(), 1);
}

async fn a_change_is_seen_by_the_next_call(
    registers: &dyn Registers,
    elsewhere: &mut dyn Elsewhere,
) {
    let who = vec![email("change@example.org")];
    // Asked before anything changes, so that a cache which trusts itself answers from here.
    let before = registers
        .evidence(std::slice::from_ref(&who))
        .await
        .unwrap();
    assert_eq!(before.persons[0].subjects, Vec::new());
    for round in 0..20 {
        let saved = elsewhere.grant(&consent(&who));
        let known = registers
            .evidence(std::slice::from_ref(&who))
            .await
            .unwrap();
        let record = &known.persons[0].subjects[0];
        assert_eq!(record.consents.len(), round + 1);
        assert_eq!(record.consents[round].id, saved.id);
        assert!(known.sequence >= saved.sequence, "read before the change");
        assert_eq!(known.newest_recorded_at, Some(saved.at));

        let withdrawn = elsewhere.withdraw(&withdrawal(WithdrawalTarget::Consent(saved.id)));
        let known = registers
            .evidence(std::slice::from_ref(&who))
            .await
            .unwrap();
        let withdrawals = &known.persons[0].subjects[0].withdrawals;
        assert_eq!(withdrawals.len(), round + 1);
        assert_eq!(withdrawals[round].id, withdrawn.id);
        assert_eq!(withdrawals[round].recorded.at, withdrawn.at);
        assert_eq!(known.newest_recorded_at, Some(withdrawn.at));
    }
    elsewhere.restrict(&NewRestriction {
        id: None,
        whose: Whose::Identified(who.clone()),
        reason: "accuracy-doubt".into(),
        from: None,
        allowed_purposes: ["data.clarification".parse().unwrap()].into(),
    });
    let known = registers.evidence(&[who]).await.unwrap();
    assert_eq!(known.persons[0].subjects[0].restrictions.len(), 1);
}

async fn answers_follow_the_question(registers: &dyn Registers, elsewhere: &mut dyn Elsewhere) {
    let both = vec![email("two@example.org"), phone("+7 701 000 00 02")];
    elsewhere.grant(&consent(&both));
    let other = vec![email("three@example.org")];
    elsewhere.grant(&consent(&other));
    let nobody = vec![phone("+7 701 000 00 09")];
    let asked = [nobody, other.clone(), both.clone(), other];
    let known = registers.evidence(&asked).await.unwrap();
    let subjects: Vec<usize> = known.persons.iter().map(|it| it.subjects.len()).collect();
    assert_eq!(subjects, [0, 1, 1, 1]);
    assert_eq!(known.persons[1], known.persons[3]);
    let two = &known.persons[2];
    let matched: Vec<_> = two.matches.iter().map(|it| it.0).collect();
    assert_eq!(matched, [both[0].current, both[1].current]);
    assert!(
        two.matches
            .iter()
            .all(|it| it.1 == [two.subjects[0].id.clone()])
    );
    assert_eq!(
        two.subjects[0].identifier_kinds,
        [IdentifierKind::Email, IdentifierKind::Phone]
    );
}

async fn what_was_given_stays_as_it_was(registers: &dyn Registers, elsewhere: &mut dyn Elsewhere) {
    let who = vec![email("given@example.org")];
    elsewhere.grant(&consent(&who));
    let first = registers
        .evidence(std::slice::from_ref(&who))
        .await
        .unwrap();
    let again = registers
        .evidence(std::slice::from_ref(&who))
        .await
        .unwrap();
    assert_eq!(first, again, "the same question to the same state");
    elsewhere.grant(&consent(&[email("somebody-else@example.org")]));
    let later = registers.evidence(&[who]).await.unwrap();
    assert!(later.sequence > first.sequence);
    assert_eq!(later.persons, first.persons);
}

// === samples ===

/// A clock that tests set; starts at 2026-11-22T07:00:00Z.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_795_330_800_000)))
    }

    pub(crate) fn set(&self, to: Timestamp) {
        self.0.store(to.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) fn keys() -> Keys {
    Keys::new(SubjectKey::new(1, &[7; 32]), Vec::new(), &[8; 32])
}

pub(crate) fn email(address: &str) -> IdentifierRefs {
    keys().references(&Identifier::normalise(IdentifierKind::Email, address).unwrap())
}

pub(crate) fn phone(number: &str) -> IdentifierRefs {
    keys().references(&Identifier::normalise(IdentifierKind::Phone, number).unwrap())
}

pub(crate) fn consent(who: &[IdentifierRefs]) -> NewConsent {
    NewConsent {
        id: None,
        whose: Whose::Identified(who.to_vec()),
        terms: ConsentTerms {
            operator: "180940029997".into(),
            given_at: "2026-11-20T10:00:00Z".parse().unwrap(),
            from: "2026-11-20".parse().unwrap(),
            until: Until::Purpose,
            third_party: Some(PartyScope::Any),
            cross_border: Some(["DE".parse().unwrap()].into()),
            public: false,
            categories: CategorySet::named("email").unwrap(),
            purposes: ["marketing.email".parse().unwrap()].into(),
            channels: [].into(),
            addresses: [].into(),
            representative: None,
            notify_subject: false,
            evidence: Evidence {
                method: EvidenceMethod::WebCheckbox,
                reference: "form-1".into(),
                text: "t".into(),
                version: "1".into(),
                sha256: "ab".repeat(32).into(),
                locale: "kk".into(),
                at: "2026-11-20T10:00:00Z".parse().unwrap(),
            },
        },
    }
}

pub(crate) fn withdrawal(target: WithdrawalTarget) -> NewWithdrawal {
    NewWithdrawal {
        id: None,
        target,
        scope: WithdrawalScope::default(),
        filed_at: None,
        effective_at: None,
        channel: "web".into(),
        refused_reason: None,
    }
}
