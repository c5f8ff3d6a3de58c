use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    gatekeeper::{
        keys::{IdentifierRefs, Keys, SubjectKey},
        ports::{Registers as _, SystemClock},
    },
    model::{
        CategorySet,
        consent::{BasisKind, ConsentState, Facet, ObjectionTarget, PartyScope},
        evidence::SubjectRecord,
        subject::{Identifier, IdentifierKind},
    },
    store::{
        Outbox, Reader, Registers,
        contract::{self, Elsewhere, TestClock, consent, email, phone, withdrawal},
    },
};

struct Bench {
    settings: Settings,
    clock: Arc<TestClock>,
    writer: Writer,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings {
            dir: dir.path().join("state"),
        };
        let clock = TestClock::new();
        let writer = Writer::open(&settings, Arc::clone(&clock) as _, "tester".into()).unwrap();
        Self {
            settings,
            clock,
            writer,
            _dir: dir,
        }
    }

    fn record(&self, whose: &Whose) -> Option<SubjectRecord> {
        let mut reader = Reader::open(&self.settings).unwrap();
        reader.state().unwrap().record(whose).unwrap()
    }

    fn actions(&self) -> Vec<String> {
        let outbox = Outbox::open(&self.settings).unwrap();
        let pending = outbox.pending(1_000).unwrap();
        pending.iter().map(|it| it.1.action.to_string()).collect()
    }
}

impl Elsewhere for Writer {
    fn grant(&mut self, new: &NewConsent) -> Saved {
        Self::grant(self, new).unwrap()
    }

    fn withdraw(&mut self, new: &NewWithdrawal) -> Saved {
        Self::withdraw(self, new).unwrap()
    }

    fn restrict(&mut self, new: &NewRestriction) -> Saved {
        Self::restrict(self, new).unwrap()
    }
}

fn by(who: &[IdentifierRefs]) -> Whose {
    Whose::Identified(who.to_vec())
}

#[tokio::test]
async fn the_port_keeps_its_contract() {
    let mut bench = Bench::new();
    let registers = Registers::open(&bench.settings).unwrap();
    contract::check(&registers, &mut bench.writer).await;
}

#[tokio::test]
async fn a_thousand_persons_are_one_answer() {
    let mut bench = Bench::new();
    let who: Vec<_> = (0..1_000)
        .map(|it| {
            vec![
                email(&format!("p{it}@example.org")),
                phone(&format!("+7701{it:07}")),
            ]
        })
        .collect();
    let all: Vec<_> = who.iter().map(|it| consent(it)).collect();
    bench.writer.grant_all(&all).unwrap();
    let registers = Registers::open(&bench.settings).unwrap();
    for _ in 0..2 {
        let known = registers.evidence(&who).await.unwrap();
        let consents: usize = known
            .persons
            .iter()
            .map(|it| it.subjects[0].consents.len())
            .sum();
        assert_eq!(consents, 1_000);
    }
}

/// A withdrawal acknowledged on another thread is in every answer that begins afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledged_withdrawal_is_never_missed() {
    let mut bench = Bench::new();
    let who = vec![email("race@example.org")];
    bench.writer.grant(&consent(&who)).unwrap();
    let registers = Registers::open(&bench.settings).unwrap();
    let acknowledged = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (done, whose) = (Arc::clone(&acknowledged), by(&who));
    let writing = std::thread::spawn(move || {
        for count in 1..=40 {
            let new = withdrawal(WithdrawalTarget::All(whose.clone()));
            bench.writer.withdraw(&new).unwrap();
            done.store(count, std::sync::atomic::Ordering::SeqCst);
        }
        bench
    });
    loop {
        let before = acknowledged.load(std::sync::atomic::Ordering::SeqCst);
        let known = registers
            .evidence(std::slice::from_ref(&who))
            .await
            .unwrap();
        assert!(known.persons[0].subjects[0].withdrawals.len() >= before);
        if before == 40 {
            break;
        }
    }
    drop(writing.join().unwrap());
}

#[tokio::test]
async fn a_broken_register_is_an_error_without_values() {
    let mut bench = Bench::new();
    let who = vec![email("broken@example.org")];
    bench.writer.grant(&consent(&who)).unwrap();
    let registers = Registers::open(&bench.settings).unwrap();
    let spoil = |sql: &str| {
        Connection::open(bench.settings.database())
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    };
    spoil(
        "UPDATE consents SET body = json_set(body, '$.from', 'broken@example.org'); UPDATE changes SET seq = seq + 1",
    );
    let error = registers
        .evidence(&[who])
        .await
        .expect_err("damaged")
        .to_string();
    assert!(
        error.contains("`consents`") && !error.contains("example"),
        "{error}"
    );
}

#[test]
fn an_uncommitted_change_leaves_nothing() {
    let mut bench = Bench::new();
    let who = [email("lost@example.org")];
    let new = consent(&who);
    let mut change = Change::begin(
        &mut bench.writer.connection,
        Timestamp::from_millis(1),
        &"x".into(),
    )
    .unwrap();
    grant(&mut change, &new).unwrap();
    drop(change);
    assert_eq!(bench.record(&by(&who)), None);
    assert_eq!(bench.actions(), Vec::<String>::new());
    let saved = bench.writer.grant(&new).unwrap();
    assert_eq!(saved.sequence, 2, "the counter was rolled back with it");
}

#[test]
fn an_id_given_twice_is_one_record() {
    let mut bench = Bench::new();
    let who = [email("twice@example.org")];
    let mut new = consent(&who);
    new.id = Some("c-1".into());
    let first = bench.writer.grant(&new).unwrap();
    let second = bench.writer.grant(&new).unwrap();
    assert!(second.repeated && !first.repeated);
    assert_eq!((second.at, second.sequence), (first.at, first.sequence));

    let mut other = new.clone();
    other.terms.public = true;
    assert!(matches!(bench.writer.grant(&other), Err(Error::IdTaken(_))));
    let mut stranger = new.clone();
    stranger.whose = by(&[email("stranger@example.org")]);
    assert!(matches!(
        bench.writer.grant(&stranger),
        Err(Error::IdTaken(_))
    ));

    let mut back = withdrawal(WithdrawalTarget::Consent("c-1".into()));
    back.id = Some("w-1".into());
    bench.writer.withdraw(&back).unwrap();
    bench.clock.set("2026-11-23T00:00:00Z".parse().unwrap());
    assert!(bench.writer.withdraw(&back).unwrap().repeated);
    let record = bench.record(&by(&who)).unwrap();
    assert_eq!((record.consents.len(), record.withdrawals.len()), (1, 1));
}

#[test]
fn recorded_times_only_grow() {
    let mut bench = Bench::new();
    let who = [email("time@example.org")];
    let first = bench.writer.grant(&consent(&who)).unwrap();
    bench.clock.set(first.at.plus_millis(-3_600_000));
    let second = bench.writer.grant(&consent(&who)).unwrap();
    assert_eq!(second.at, first.at.plus_millis(1));
    let record = bench.record(&by(&who)).unwrap();
    assert_eq!(record.consents[1].recorded.at, second.at);
    assert_eq!(&*record.consents[1].recorded.by, "tester");
}

#[test]
fn a_file_is_imported_whole_or_not_at_all() {
    let mut bench = Bench::new();
    let mut bad = consent(&[email("bad@example.org")]);
    bad.terms.purposes.clear();
    let all = [consent(&[email("good@example.org")]), bad.clone(), bad];
    let problems = bench.writer.grant_all(&all).expect_err("two are bad");
    let places: Vec<_> = problems.iter().map(|it| it.0).collect();
    assert_eq!(places, [Some(1), Some(2)]);
    assert_eq!(bench.record(&by(&[email("good@example.org")])), None);
    assert_eq!(bench.actions(), Vec::<String>::new());
}

#[test]
fn identifiers_decide_who_it_is() {
    let mut bench = Bench::new();
    let (ann, bob) = (email("ann@example.org"), email("bob@example.org"));
    let home = phone("+7 701 000 00 03");
    let writer = &mut bench.writer;
    let first = writer
        .grant(&consent(&[ann.clone(), home.clone()]))
        .unwrap();
    let same = writer.grant(&consent(std::slice::from_ref(&home))).unwrap();
    assert_eq!(first.subject, same.subject);
    writer.grant(&consent(std::slice::from_ref(&bob))).unwrap();
    let mixed = writer.grant(&consent(&[ann.clone(), bob.clone()]));
    assert!(matches!(mixed, Err(Error::SeveralSubjects(2))));
    let stolen = writer.link(
        &by(std::slice::from_ref(&bob)),
        std::slice::from_ref(&home),
        false,
    );
    assert!(matches!(
        stolen,
        Err(Error::Invalid {
            field: "identifiers",
            ..
        })
    ));

    writer
        .link(
            &by(std::slice::from_ref(&bob)),
            std::slice::from_ref(&home),
            true,
        )
        .unwrap();
    let again = writer
        .link(
            &by(std::slice::from_ref(&bob)),
            std::slice::from_ref(&home),
            true,
        )
        .unwrap();
    assert!(again.repeated);
    let shared = writer.grant(&consent(std::slice::from_ref(&home)));
    assert!(
        matches!(shared, Err(Error::SeveralSubjects(2))),
        "the phone is both's"
    );
    let decided = writer.grant(&consent(&[home, ann])).unwrap();
    assert_eq!(decided.subject, first.subject);
    assert!(matches!(
        writer.grant(&consent(&[])),
        Err(Error::NoIdentifier)
    ));
}

#[tokio::test]
async fn rows_under_an_older_key_are_found_and_rewritten() {
    let mut bench = Bench::new();
    let old = SubjectKey::new(1, &[7; 32]);
    let rotated = Keys::new(SubjectKey::new(2, &[9; 32]), vec![old], &[8; 32]);
    let address = Identifier::normalise(IdentifierKind::Email, "key@example.org").unwrap();
    let now = rotated.references(&address);
    let first = bench
        .writer
        .grant(&consent(&[email("key@example.org")]))
        .unwrap();
    let registers = Registers::open(&bench.settings).unwrap();
    let known = registers.evidence(&[vec![now.clone()]]).await.unwrap();
    assert_eq!(
        known.persons[0].matches,
        [(now.current, vec![first.subject.clone().unwrap()])]
    );

    let second = bench
        .writer
        .grant(&consent(std::slice::from_ref(&now)))
        .unwrap();
    assert_eq!(second.subject, first.subject);
    let only_new = IdentifierRefs {
        current: now.current,
        older: Vec::new(),
    };
    assert_eq!(bench.record(&by(&[only_new])).unwrap().consents.len(), 2);
}

#[test]
fn a_text_with_another_hash_is_a_mismatch() {
    let mut bench = Bench::new();
    let who = [email("text@example.org")];
    bench.writer.grant(&consent(&who)).unwrap();
    let mut text = ConsentText {
        text: "t".into(),
        version: "1".into(),
        locale: "ru".into(),
        sha256: "cd".repeat(32).into(),
        from: "2026-01-01".parse().unwrap(),
        until: None,
    };
    let mismatch = |bench: &Bench| bench.record(&by(&who)).unwrap().consents[0].evidence_mismatch;
    bench.writer.add_text(&text).unwrap();
    assert!(!mismatch(&bench), "another language");
    text.locale = "kk".into();
    bench.writer.add_text(&text).unwrap();
    assert!(mismatch(&bench));
    assert!(bench.writer.add_text(&text).unwrap().repeated);
    text.sha256 = "ef".repeat(32).into();
    assert!(matches!(
        bench.writer.add_text(&text),
        Err(Error::IdTaken(_))
    ));
}

#[test]
fn every_kind_of_record_is_read_back_and_reported() {
    let mut bench = Bench::new();
    let who = by(&[email("all@example.org")]);
    let writer = &mut bench.writer;
    writer.grant(&consent(&[email("all@example.org")])).unwrap();
    let basis = basis(Some(who.clone()));
    let own = writer.add_basis(&basis).unwrap();
    let restriction = NewRestriction {
        id: None,
        whose: who.clone(),
        reason: "rights-request".into(),
        from: None,
        allowed_purposes: [].into(),
    };
    let restricted = writer.restrict(&restriction).unwrap();
    let released = writer.release(&restricted.id).unwrap();
    assert!(writer.release(&restricted.id).unwrap().repeated);
    let against = ObjectionTarget::Basis(own.id);
    let objection = writer
        .object(&NewObjection {
            id: None,
            whose: who.clone(),
            against,
            from: None,
        })
        .unwrap();
    let representative = representative(who.clone());
    writer.represent(&representative).unwrap();
    let birthday: Day = "2030-05-05".parse().unwrap();
    writer.require_representative(&who, Some(birthday)).unwrap();
    let record = bench.record(&who).unwrap();
    assert_eq!(record.bases.len(), 1);
    assert_eq!(record.restrictions[0].lifted_at, Some(released.at));
    assert_eq!(record.objections[0].lifted_at, None);
    assert_eq!(record.representatives.len(), 1);
    assert_eq!(record.needs_representative_until, Some(birthday));
    assert_eq!(
        bench.actions()[2..],
        [
            "basis-added",
            "subject-restricted",
            "restriction-lifted",
            "basis-objected",
            "representative-added",
            "representative-required"
        ]
    );
    let again = bench.writer.require_representative(&who, Some(birthday));
    assert!(again.unwrap().repeated);
    let lifted = bench.writer.lift(&objection.id, "note-1").unwrap();
    let objection = &bench.record(&who).unwrap().objections[0];
    assert_eq!(objection.lifted_at, Some(lifted.at));
    assert_eq!(objection.lifted_record.as_deref(), Some("note-1"));
    let again = bench.writer.lift(&objection.id, "note-1").unwrap();
    assert!(again.repeated && again.at == lifted.at);
    for record in ["note-2", " "] {
        let problem = bench.writer.lift(&objection.id, record).unwrap_err();
        assert!(problem.to_string().starts_with("record: "), "{problem}");
    }
}

#[test]
fn an_objection_is_to_a_basis_that_the_subject_has() {
    let mut bench = Bench::new();
    let (ann, ben) = (
        by(&[email("ann@example.org")]),
        by(&[email("ben@example.org")]),
    );
    let of_ann = bench.writer.add_basis(&basis(Some(ann.clone()))).unwrap();
    let of_ben = bench.writer.add_basis(&basis(Some(ben))).unwrap();
    let of_all = bench.writer.add_basis(&basis(None)).unwrap();
    for (id, is_right) in [
        (of_ann.id, true),
        (of_ben.id, false),
        (of_all.id, true),
        ("nope".into(), false),
    ] {
        let objection = NewObjection {
            id: None,
            whose: ann.clone(),
            against: ObjectionTarget::Basis(Arc::clone(&id)),
            from: None,
        };
        let saved = bench.writer.object(&objection);
        assert_eq!(saved.is_ok(), is_right, "{id}");
    }
}

#[test]
fn ends_and_later_states_are_read_back_and_reported() {
    let mut bench = Bench::new();
    let who = by(&[email("all@example.org")]);
    let writer = &mut bench.writer;
    let given = writer.grant(&consent(&[email("all@example.org")])).unwrap();
    writer.add_basis(&basis(None)).unwrap();
    let state = NewConsentState {
        id: None,
        consent: Arc::clone(&given.id),
        state: ConsentState::Refused,
    };
    let refused = writer.change_state(&state).unwrap();
    let end = |scope| NewPurposeEnd {
        id: None,
        whose: None,
        scope,
        at: None,
    };
    writer
        .end_purpose(&end(PurposeEndScope::Consent(Arc::clone(&given.id))))
        .unwrap();
    writer
        .end_purpose(&end(PurposeEndScope::Programme("club".into())))
        .unwrap();
    let record = bench.record(&who).unwrap();
    assert_eq!(
        record.consents[0].events,
        [(ConsentState::Refused, refused.at)]
    );
    assert_eq!(record.purpose_ends.len(), 1);
    let mut reader = Reader::open(&bench.settings).unwrap();
    let general = reader.state().unwrap().general().unwrap();
    assert_eq!((general.bases.len(), general.purpose_ends.len()), (1, 1));
    assert_eq!(
        bench.actions()[2..],
        [
            "basis-added",
            "consent-state-changed",
            "purpose-ended",
            "purpose-ended"
        ]
    );
}

fn basis(whose: Option<Whose>) -> NewBasis {
    NewBasis {
        id: None,
        whose,
        kind: BasisKind::Contract,
        document: "contract 7".into(),
        document_date: "2026-01-01".parse().unwrap(),
        facets: [Facet::ThirdParty].into(),
        purposes: ["contract.performance".parse().unwrap()].into(),
        categories: CategorySet::named("name").unwrap(),
        parties: PartyScope::Any,
        countries: [].into(),
        from: "2026-01-01".parse().unwrap(),
        until: None,
        obligation_open: true,
    }
}

fn representative(whose: Whose) -> NewRepresentative {
    NewRepresentative {
        id: None,
        whose,
        kind: "parent".into(),
        document: "certificate".into(),
        from: "2026-01-01".parse().unwrap(),
        until: None,
    }
}

#[test]
fn the_outbox_repeats_until_acknowledged_and_names_nobody() {
    let mut bench = Bench::new();
    let address = email("outbox@example.org");
    let saved = bench
        .writer
        .grant(&consent(std::slice::from_ref(&address)))
        .unwrap();
    let mut outbox = Outbox::open(&bench.settings).unwrap();
    let pending = outbox.pending(10).unwrap();
    assert_eq!(outbox.pending(10).unwrap(), pending);
    let sequences: Vec<_> = pending.iter().map(|it| it.1.register_sequence).collect();
    assert_eq!(sequences, [1, 2]);
    assert_eq!(pending[1].1.record, saved.id);
    assert_eq!(
        pending[1].1.body["purposes"],
        serde_json::json!(["marketing.email"])
    );
    let text = serde_json::to_string(&pending.iter().map(|it| &it.1).collect::<Vec<_>>()).unwrap();
    let hash = crate::gatekeeper::keys::hex(&address.current.hash);
    assert!(
        !text.contains("example.org") && !text.contains(&hash),
        "{text}"
    );
    outbox.acknowledge(&[pending[0].0]).unwrap();
    assert_eq!(outbox.pending(10).unwrap(), pending[1..]);
}

#[test]
fn the_system_clock_has_passed_when_a_change_is_acknowledged() {
    let bench = Bench::new();
    let mut writer = Writer::open(&bench.settings, Arc::new(SystemClock), "tester".into()).unwrap();
    let first = consent(&[email("wait@example.org")]);
    for _ in 0..5 {
        let saved = writer.grant(&first).unwrap();
        assert!(SystemClock.now() >= saved.at);
    }
}

/// What a model of the registers does: one list of records a person.
#[derive(Clone, Debug)]
enum Step {
    Grant { person: u8, id: Option<u8> },
    WithdrawAll { person: u8 },
    WithdrawLast { person: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_u8..4, proptest::option::of(0_u8..6))
            .prop_map(|(person, id)| Step::Grant { person, id }),
        (0_u8..4).prop_map(|person| Step::WithdrawAll { person }),
        (0_u8..4).prop_map(|person| Step::WithdrawLast { person }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_was_acknowledged_is_what_is_read(steps in proptest::collection::vec(step(), 1..24)) {
        let mut bench = Bench::new();
        let mut model: BTreeMap<u8, (Vec<RecordId>, Vec<RecordId>)> = BTreeMap::new();
        let who = |person: u8| by(&[email(&format!("p{person}@example.org"))]);
        for step in steps {
            match step {
                Step::Grant { person, id } => {
                    let mut new = consent(&[]);
                    new.whose = who(person);
                    new.id = id.map(|it| format!("c-{it}").into());
                    let taken = new.id.as_ref().and_then(|id| model.iter().find(|it| it.1.0.contains(id)).map(|it| *it.0));
                    match (bench.writer.grant(&new), taken) {
                        (Ok(saved), None) => model.entry(person).or_default().0.push(saved.id),
                        (Ok(saved), Some(owner)) => prop_assert!(saved.repeated && owner == person),
                        (Err(Error::IdTaken(_)), Some(owner)) => prop_assert_ne!(owner, person),
                        (result, _) => prop_assert!(false, "{result:?}"),
                    }
                }
                Step::WithdrawAll { person } => {
                    match bench.writer.withdraw(&withdrawal(WithdrawalTarget::All(who(person)))) {
                        Ok(saved) => model.get_mut(&person).unwrap().1.push(saved.id),
                        Err(error) => prop_assert!(matches!(error, Error::UnknownSubject) && !model.contains_key(&person)),
                    }
                }
                Step::WithdrawLast { person } => {
                    let Some(last) = model.get(&person).and_then(|it| it.0.last()).cloned() else { continue };
                    let saved = bench.writer.withdraw(&withdrawal(WithdrawalTarget::Consent(last))).unwrap();
                    model.get_mut(&person).unwrap().1.push(saved.id);
                }
            }
        }
        for person in 0..4 {
            let read = bench.record(&who(person)).map(|it| {
                let consents: Vec<_> = it.consents.iter().map(|it| Arc::clone(&it.id)).collect();
                let withdrawals: Vec<_> = it.withdrawals.iter().map(|it| Arc::clone(&it.id)).collect();
                (consents, withdrawals)
            });
            prop_assert_eq!(read.as_ref(), model.get(&person));
        }
    }
}
