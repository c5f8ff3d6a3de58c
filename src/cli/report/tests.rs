//! A report on a real log and real registers, after messages went through a real gatekeeper.

use clap::Parser as _;
use proptest::prelude::*;

use super::*;
use crate::cli::register::{Context, session::run_on};
use crate::{
    audit::{self, Log},
    config::{self, law},
    gatekeeper::{
        Gatekeeper, Snapshot,
        ports::{AuditLog as _, Clock as _},
        record::Outcome as End,
        screen::{Request, Screening},
    },
    model::{message::Message, subject::Identifier},
    store::{
        Registers, Writer,
        contract::{TestClock, consent},
        writer::{NewConsent, NewRestriction, NewWithdrawal, WithdrawalTarget},
    },
};

const CONFIGURATION: &str = r#"version: 1
operator:
  legal_name: Example LLP
  bin: "180940029997"
state_dir: ./state
listeners:
  - {id: main, bind: "127.0.0.1:0"}
parties:
  - {id: mailer, legal_name: "Mailer <b>&</b> Söhne GmbH", role: processor}
  - {id: store, legal_name: Backup SAS, role: subprocessor}
destinations:
  - id: mailing
    party: mailer
    country: DE
    onward: [{party: store, country: DE}]
    match: {path_prefix: /mail}
    upstream: {url: "https://mail.example.org"}
    agreement: &agreement
      ref: A-1
      signed: "2026-01-01"
      actions: [send]
      purposes: [marketing, order, recall]
      categories: [name, phone, email, health]
      confidentiality: true
      security: true
    fallback: [drop-records]
    routes:
      - {path: /bulk, purpose: marketing.email, actions: [send], records: "$.to[*]"}
      - {path: /recall, purpose: recall, actions: [send]}
      - {path: /, purpose: marketing.email, actions: [send]}
  - id: trial
    party: mailer
    country: US
    mode: log-only
    match: {path_prefix: /trial}
    upstream: {url: "https://mail.example.org"}
    agreement: *agreement
    not_personal:
      - {in: body, at: $.from, reason: role mailbox, owner: officer, expires: "2026-11-22"}
    routes:
      - {path: /, purpose: order.notice, actions: [send]}
"#;

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    args: crate::cli::subject::Args,
}

/// A state directory with a gate on it, at 2026-11-22T07:00:00Z.
struct Bench {
    _dir: tempfile::TempDir,
    clock: Arc<TestClock>,
    snapshot: Arc<Snapshot>,
    gatekeeper: Gatekeeper,
    log: Arc<Log>,
    runtime: tokio::runtime::Runtime,
    configuration: Configuration,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = TestClock::new();
        let loaded = config::load_text(CONFIGURATION, "c", dir.path(), clock.now(), &law::SHIPPED)
            .unwrap_or_else(|it| panic!("{it}"));
        let configuration = loaded
            .configuration
            .with_state_dir(dir.path().join("state"));
        let keys = store::keys::open_or_create(&configuration.store.dir).unwrap();
        let log = Arc::new(
            Log::open(&audit::Settings {
                segment_bytes: 1 << 20,
                ..configuration.audit.clone()
            })
            .unwrap(),
        );
        let registers = Registers::open(&configuration.store).unwrap();
        Self {
            gatekeeper: Gatekeeper::new(
                Arc::new(registers),
                Arc::clone(&log) as _,
                Arc::clone(&clock) as _,
            ),
            snapshot: configuration.build_snapshot(keys, 1),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            _dir: dir,
            clock,
            log,
            configuration,
        }
    }

    fn writer(&self) -> Writer {
        let clock = Arc::clone(&self.clock) as _;
        Writer::open(&self.configuration.store, clock, "clerk-Zhanna".into()).unwrap()
    }

    fn whose(&self, identifiers: &[(IdentifierKind, &str)]) -> Whose {
        let refs = identifiers.iter().map(|(kind, value)| {
            let it = Identifier::normalise(*kind, value).unwrap();
            self.snapshot.keys.references(&it)
        });
        Whose::Identified(refs.collect())
    }

    /// A consent to transfers to the mailer in Germany.
    fn grant(&self, id: &str, address: &str) {
        self.writer()
            .grant(&NewConsent {
                id: Some(id.into()),
                whose: self.whose(&[(IdentifierKind::Email, address)]),
                ..consent(&[])
            })
            .unwrap();
    }

    /// Sends `body` through the gate, to the end of the exchange or (`None`) to a crash before it.
    fn send(&self, path: &str, body: &str, sent: Option<bool>) {
        let matched = self
            .snapshot
            .destinations
            .find("main", "h", "POST", path)
            .unwrap();
        let message = Message {
            method: http::Method::POST,
            path: matched.path.clone(),
            query: None,
            headers: [(
                http::header::CONTENT_TYPE,
                http::HeaderValue::from_static("application/json"),
            )]
            .into_iter()
            .collect(),
            body: body.to_owned().into(),
            trailers: http::HeaderMap::new(),
        };
        let request = Request {
            caller: "anonymous".into(),
            listener: "main".into(),
            method: "POST".into(),
            matched: Some(matched),
            bytes_in: body.len() as u64,
        };
        let screening = self.gatekeeper.screen(message, request, &self.snapshot);
        match (self.runtime.block_on(screening), sent) {
            (Screening::Cleared(cleared), Some(sent)) => {
                let (_, _, mut completion) = cleared.into_parts();
                completion.sent = sent;
                completion.finish(End::Answered);
            }
            // The crash: nothing is told to anybody any more.
            (Screening::Cleared(cleared), None) => std::mem::forget(cleared.into_parts().2),
            (Screening::Refused(_), _) => {}
        }
        // One append waits for those queued before it.
        let event = audit::testing::operated(0);
        self.runtime.block_on(self.log.append(event)).unwrap();
    }

    fn run(&self, line: &str, who: &str) -> Result<String, Failure> {
        let words = ["subject", "report", "--subject", "-"]
            .into_iter()
            .chain(line.split_whitespace());
        let args = Line::try_parse_from(words).unwrap().args;
        let mut output = Vec::new();
        let mut terminal = Terminal {
            input: &mut who.as_bytes(),
            output: &mut output,
            notes: &mut Vec::new(),
            is_interactive: false,
        };
        let context = Context {
            state_dir: &self.configuration.store.dir,
            operator_bin: None,
            utc_offset: "+05:00".parse().unwrap(),
            purposes: &[],
            audit_dir: &self.configuration.audit.dir,
            configuration: Some(&self.configuration),
        };
        run_on(&args, &context, &mut terminal, Arc::clone(&self.clock) as _)?;
        Ok(String::from_utf8(output).unwrap())
    }

    fn json(&self, who: &str) -> serde_json::Value {
        serde_json::from_str(&self.run("--format json", who).unwrap()).unwrap()
    }
}

const ANN: &str = "email: ann@example.org";
const BOB: &str = "email: bob@example.org";

/// `outcome` and `categories` of each entry.
fn fates(entries: &serde_json::Value) -> Vec<(String, String)> {
    entries
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let categories: Vec<&str> = it["categories"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it.as_str().unwrap())
                .collect();
            (
                it["outcome"].as_str().unwrap().to_owned(),
                categories.join(" "),
            )
        })
        .collect()
}

fn fate(outcome: &str, categories: &str) -> (String, String) {
    (outcome.to_owned(), categories.to_owned())
}

/// Acceptance case 35.
#[test]
fn a_person_learns_who_received_what_and_nothing_of_others() {
    let bench = Bench::new();
    bench.grant("c-ann", "ann@example.org");
    bench.grant("c-eve", "eve@example.org");
    let batch = r#"{"to":[{"email":"ann@example.org"},{"email":"bob@example.org","phone":"+7 701 000 00 05"},{"email":"eve@example.org"}]}"#;
    bench.send("/mail/bulk", batch, Some(true));
    bench.send("/mail/x", r#"{"email":"ann@example.org"}"#, Some(false));
    bench.send("/mail/x", r#"{"email":"ann@example.org"}"#, None);
    bench.send(
        "/mail/x",
        r#"{"email":"ann@example.org","diagnosis":"J45.0"}"#,
        Some(true),
    );
    bench.send("/trial", r#"{"email":"bob@example.org"}"#, Some(true));

    let ann = bench.json(ANN);
    assert_eq!(
        fates(&ann["transfers"]),
        [fate("sent", "email"), fate("unknown", "email")]
    );
    let first = &ann["transfers"][0];
    assert_eq!(
        first["recipient"]["legal_name"],
        "Mailer <b>&</b> Söhne GmbH"
    );
    assert_eq!(first["recipient"]["country"], "DE");
    assert_eq!(first["purposes"], serde_json::json!(["marketing.email"]));
    let bases = first["bases"].as_array().unwrap();
    assert!(bases.iter().any(|it| it["record"] == "c-ann"), "{first:#}");
    let refused = &ann["refused"];
    assert_eq!(refused["count"], 2);
    assert_eq!(
        fates(&refused["attempts"]),
        [
            fate("not-sent", "email"),
            fate("refused", "email health.diagnosis")
        ]
    );
    assert_eq!(ann["recipients"][0]["transfers"], 2);
    assert_eq!(ann["recipients"][0]["onward"][0]["party"], "store");
    assert_eq!(ann["registers"]["consents"][0]["state"], "standing");
    // 2026-11-22 is a Sunday.
    assert_eq!(ann["answer_due"]["day"], "2026-11-25");

    let bob = bench.json(BOB);
    assert_eq!(bob["subject"], serde_json::Value::Null);
    assert_eq!(fates(&bob["transfers"]), [fate("sent", "email")]);
    assert_eq!(
        bob["transfers"][0]["reasons"][0], "subject-unknown",
        "{bob:#}"
    );
    assert_eq!(
        fates(&bob["refused"]["attempts"]),
        [fate("dropped", "phone email")]
    );

    let nobody = bench.json("email: nobody@example.org");
    assert_eq!(nobody["transfers"], serde_json::json!([]));
    assert_eq!(nobody["registers"]["consents"], serde_json::json!([]));
}

#[test]
fn what_is_on_record_and_whom_to_tell() {
    let bench = Bench::new();
    bench.grant("c-ann", "ann@example.org");
    bench.send("/mail/x", r#"{"email":"ann@example.org"}"#, Some(true));
    bench
        .writer()
        .withdraw(&NewWithdrawal {
            id: Some("w-1".into()),
            ..store::contract::withdrawal(WithdrawalTarget::Consent("c-ann".into()))
        })
        .unwrap();
    bench
        .writer()
        .restrict(&NewRestriction {
            id: Some("r-1".into()),
            whose: bench.whose(&[(IdentifierKind::Email, "ann@example.org")]),
            reason: "rights-request".into(),
            from: None,
            allowed_purposes: [].into(),
        })
        .unwrap();
    assert_eq!(
        bench.json(ANN)["recipients"][0]["recalled_at"],
        serde_json::Value::Null
    );
    bench.clock.set("2026-11-23T07:00:00Z".parse().unwrap());
    bench.send("/mail/recall", r#"{"email":"ann@example.org"}"#, Some(true));
    bench.send("/mail/x", r#"{"email":"ann@example.org"}"#, Some(true));
    let report = bench.json(ANN);
    assert_eq!(report["registers"]["consents"][0]["state"], "withdrawn");
    assert_eq!(report["registers"]["withdrawals"][0]["id"], "w-1");
    assert_eq!(
        report["registers"]["restrictions"][0]["reason"],
        "rights-request"
    );
    assert_eq!(
        report["recipients"][0]["recalled_at"], "2026-11-23T07:00:00.000Z",
        "{report:#}"
    );
    assert_eq!(
        report["refused"]["attempts"][0]["reasons"][0],
        "subject-blocked"
    );
    let text = report.to_string();
    assert!(
        !text.contains("Zhanna") && !text.contains("example.org"),
        "{text}"
    );
    for (period, count) in [
        ("--to 2026-11-22", 1),
        ("--from 2026-11-23", 1),
        ("--from 2026-11-24", 0),
    ] {
        let line = format!("--format json {period}");
        let report: serde_json::Value =
            serde_json::from_str(&bench.run(&line, ANN).unwrap()).unwrap();
        assert_eq!(
            report["transfers"].as_array().unwrap().len(),
            count,
            "{period}"
        );
    }
}

#[test]
fn a_shared_identifier_is_marked_and_never_tells_of_the_other() {
    let bench = Bench::new();
    let phone = (IdentifierKind::Phone, "+7 701 000 00 01");
    for (id, address) in [("c-ann", "ann@example.org"), ("c-bob", "bob@example.org")] {
        bench.grant(id, address);
        let Whose::Identified(shared) = bench.whose(&[phone]) else {
            panic!("identified")
        };
        let whose = bench.whose(&[(IdentifierKind::Email, address)]);
        bench.writer().link(&whose, &shared, true).unwrap();
    }
    // Bob's address beside the family phone: about Bob.
    bench.send(
        "/trial",
        r#"{"email":"bob@example.org","phone":"+77010000001"}"#,
        Some(true),
    );
    // The phone alone: about either.
    bench.send("/trial", r#"{"phone":"+77010000001"}"#, Some(true));
    let ann = bench.json(ANN);
    let transfers = ann["transfers"].as_array().unwrap();
    assert_eq!(transfers.len(), 1, "{ann:#}");
    assert_eq!(transfers[0]["may_concern_another"], true);
    assert!(!ann.to_string().contains("c-bob"), "{ann:#}");
    assert_eq!(bench.json(BOB)["transfers"].as_array().unwrap().len(), 2);
    let failure = bench.run("", "phone: +7 701 000 00 01").unwrap_err();
    assert!(failure.text.contains("2 subjects"), "{}", failure.text);
}

#[test]
fn a_log_that_does_not_hold_together_gives_no_report() {
    let bench = Bench::new();
    bench.grant("c-ann", "ann@example.org");
    bench.send("/mail/x", r#"{"email":"ann@example.org"}"#, Some(true));
    let report = bench.json(ANN);
    assert_eq!(report["log"]["records"], 3);
    let head = format!(
        "{}:{}",
        report["log"]["head_sequence"],
        report["log"]["head_hash"].as_str().unwrap()
    );
    bench.run(&format!("--expect-head {head}"), ANN).unwrap();
    let path = bench
        .configuration
        .audit
        .dir
        .join("00000000000000000000.seg");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[300] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(bench.run("", ANN).unwrap_err().code, TAMPERED);
}

#[test]
fn html_and_text_speak_three_languages_and_escape() {
    let bench = Bench::new();
    bench.grant("c-ann", "ann@example.org");
    bench.send("/mail/x", r#"{"email":"ann@example.org"}"#, Some(true));
    bench.send(
        "/mail/x",
        r#"{"email":"ann@example.org","diagnosis":"J45.0"}"#,
        Some(true),
    );
    for (lang, words) in [
        (
            "en",
            [
                "Data handed over",
                "Germany (DE)",
                "consent c-ann",
                "acts on the operator",
                "2026-11-25",
            ],
        ),
        (
            "ru",
            [
                "Переданные данные",
                "Германия (DE)",
                "согласие c-ann",
                "по поручению оператора",
                "2026-11-25",
            ],
        ),
        (
            "kk",
            [
                "Берілген деректер",
                "Германия (DE)",
                "келісім c-ann",
                "оператордың тапсырмасымен",
                "2026-11-25",
            ],
        ),
    ] {
        let html = bench
            .run(&format!("--format html --lang {lang}"), ANN)
            .unwrap();
        let text = bench
            .run(&format!("--format text --lang {lang}"), ANN)
            .unwrap();
        for word in words {
            assert!(html.contains(word), "{lang}: {word} in {html}");
            assert!(text.contains(word), "{lang}: {word} in {text}");
        }
        assert!(html.contains(&format!("<html lang=\"{lang}\">")));
        assert!(html.contains("<th scope=\"col\">") && html.contains("Content-Security-Policy"));
        assert!(
            html.contains("Mailer &lt;b&gt;&amp;&lt;/b&gt; Söhne GmbH") && !html.contains("<b>")
        );
        assert!(
            !html.contains("<script") && !html.contains("http://") && !html.contains("https://")
        );
        assert!(html.contains("2026-11-22 12:00:00 +05:00"));
        for it in [&html, &text] {
            assert!(!it.contains('{') || it.contains("body{font"), "{it}");
            assert!(!it.contains("example.org"), "{it}");
        }
    }
}

/// An exception that ends while the gate runs.
#[test]
fn a_value_is_personal_again_once_its_exception_has_ended() {
    let bench = Bench::new();
    let body = r#"{"from":"ann@example.org"}"#;
    bench.send("/trial", body, Some(true));
    assert_eq!(bench.json(ANN)["transfers"], serde_json::json!([]));
    bench.clock.set("2026-11-22T19:00:00Z".parse().unwrap());
    bench.send("/trial", body, Some(true));
    assert_eq!(
        fates(&bench.json(ANN)["transfers"]),
        [fate("sent", "email")]
    );
}

const NAMES: [&str; 4] = ["ann", "bob", "eve", "dan"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever stands in whichever batch: the report lists exactly the person's own categories and records.
    #[test]
    fn no_batch_tells_of_another_person(
        batches in prop::collection::vec(prop::collection::vec((0_usize..4, any::<bool>(), any::<bool>()), 1..5), 1..4),
        consenting in prop::collection::vec(any::<bool>(), 4),
    ) {
        let bench = Bench::new();
        for (name, _) in NAMES.iter().zip(&consenting).filter(|it| *it.1) {
            bench.grant(&format!("c-{name}"), &format!("{name}@example.org"));
        }
        for batch in &batches {
            let records: Vec<String> = batch.iter().map(|(who, has_phone, has_diagnosis)| {
                let phone = if *has_phone { format!(r#","phone":"+7 701 000 00 0{who}""#) } else { String::new() };
                let diagnosis = if *has_diagnosis { r#","diagnosis":"J45.0""# } else { "" };
                format!(r#"{{"email":"{}@example.org"{phone}{diagnosis}}}"#, NAMES[*who])
            }).collect();
            bench.send("/mail/bulk", &format!(r#"{{"to":[{}]}}"#, records.join(",")), Some(true));
        }
        for (at, name) in NAMES.iter().enumerate() {
            let report = bench.json(&format!("email: {name}@example.org"));
            let text = report.to_string();
            for other in NAMES.iter().filter(|it| *it != name) {
                let (record, address) = (format!("c-{other}"), format!("{other}@"));
                prop_assert!(!text.contains(&record) && !text.contains(&address));
            }
            let mut own = BTreeSet::new();
            let mut lines = 0;
            for batch in &batches {
                lines += usize::from(batch.iter().any(|it| it.0 == at));
                for (_, has_phone, has_diagnosis) in batch.iter().filter(|it| it.0 == at) {
                    own.insert("email");
                    own.extend(has_phone.then_some("phone"));
                    own.extend(has_diagnosis.then_some("health.diagnosis"));
                }
            }
            let entries = || report["transfers"].as_array().unwrap().iter().chain(report["refused"]["attempts"].as_array().unwrap());
            prop_assert_eq!(entries().count(), lines);
            for entry in entries() {
                prop_assert_eq!(&entry["may_concern_another"], &serde_json::json!(false));
                for category in entry["categories"].as_array().unwrap() {
                    prop_assert!(own.contains(category.as_str().unwrap()), "{} in {}", category, text);
                }
            }
        }
    }
}
