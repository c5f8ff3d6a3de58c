//! A table of requests, asked of a small configuration, before and after a consent is recorded.

use std::fs;

use clap::Parser as _;

use super::*;
use crate::{
    config::{Shipped, law},
    model::{
        CategorySet,
        consent::{Evidence, EvidenceMethod, PartyScope, Until},
        subject::{Identifier, IdentifierKind},
    },
    store::writer::{ConsentTerms, NewConsent, Whose, Writer},
};

const CONFIG: &str = r#"
version: 1
operator: {legal_name: Test LLP, bin: "990140000007", home: KZ, utc_offset: "+05:00", profile: baseline, regimes: [kz-94v]}
state_dir: state
listeners: [{id: main, bind: "127.0.0.1:0"}, {id: second, bind: "127.0.0.1:0"}]
callers: [{id: crm, cidr: ["127.0.0.9/32"]}]
parties:
  - {id: de-mail, legal_name: Muster Mail GmbH, role: processor, classes: [mailing]}
  - {id: us-mail, legal_name: Example Mailer Inc., role: processor, classes: [mailing]}
adequacy:
  - {regime: kz-94v, country: DE, result: adequate, by: Officer, at: "2026-01-15", until: "2027-01-14", reason: tested}
destinations:
  - id: de
    party: de-mail
    country: DE
    match: {path_prefix: /de}
    upstream: {url: "https://de.example.test/v1"}
    agreement: &agreement {ref: a-1, signed: "2026-01-10", actions: [send], purposes: [order], categories: [email, phone],
      confidentiality: true, security: true}
    routes: [{path: /send, methods: [POST], purpose: order.notice, channel: email, actions: [send]}]
  - id: us
    party: us-mail
    country: US
    match: {path_prefix: /us, host: gate.example.test, listener: second}
    upstream: {url: "https://us.example.test/v1"}
    fallback: [drop-records]
    limits: {body_size: 1KiB}
    agreement: *agreement
    routes: [{path: /send, methods: [POST], purpose: order.notice, channel: email, actions: [send], records: "$.to[*]"}]
  - id: closed
    party: de-mail
    country: DE
    match: {path_prefix: /closed}
    callers: [{caller: crm}]
    upstream: {url: "https://de.example.test/v1"}
    agreement: *agreement
    routes: [{path: /send, purpose: order.notice, channel: email, actions: [send]}]
  - id: trial
    party: us-mail
    country: US
    match: {path_prefix: /trial}
    mode: log-only
    upstream: {url: "https://us.example.test/v1"}
    agreement: *agreement
    failure: {registers: {open: {owner: Head, reason: the registers move, until: "2026-12-31"}}}
    routes: [{path: /send, purpose: order.notice, channel: email, actions: [send]}]
"#;

const ANN: &str = r#"{"to":[{"email":"ann@example.org"}]}"#;
const BOTH: &str = r#"{"to":[{"email":"ann@example.org"},{"email":"bob@example.org"}]}"#;

/// A configuration with a state directory of its own.
struct Bench {
    dir: tempfile::TempDir,
    configuration: Configuration,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let shipped: &Shipped<'_> = &law::SHIPPED;
        let now = "2026-11-22T07:00:00Z".parse().unwrap();
        let configuration =
            crate::config::load_text(CONFIG, "shekara.yaml", dir.path(), now, shipped)
                .unwrap_or_else(|it| panic!("{it}"))
                .configuration;
        Self { dir, configuration }
    }

    /// Records that `address` consents to notices of orders by recipients in the United States.
    fn consent(&self, address: &str) {
        let keys = store::keys::open_or_create(&self.configuration.store.dir).unwrap();
        let clock = Arc::new(At("2026-11-21T07:00:00Z".parse().unwrap()));
        let mut writer = Writer::open(&self.configuration.store, clock, "tester".into()).unwrap();
        let identifier = Identifier::normalise(IdentifierKind::Email, address).unwrap();
        writer
            .grant(&NewConsent {
                id: None,
                whose: Whose::Identified(vec![keys.references(&identifier)]),
                terms: ConsentTerms {
                    operator: "990140000007".into(),
                    given_at: "2026-11-20T10:00:00Z".parse().unwrap(),
                    from: "2026-11-20".parse().unwrap(),
                    until: Until::Day("2026-12-31".parse().unwrap()),
                    third_party: Some(PartyScope::Any),
                    cross_border: Some(["US".parse().unwrap()].into()),
                    public: false,
                    categories: CategorySet::named("email").unwrap(),
                    purposes: ["order.notice".parse().unwrap()].into(),
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
            })
            .unwrap();
    }

    fn ask(&self, flags: &str, body: &str) -> Result<(Answer, Vec<String>), Failure> {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: Args,
        }
        let file = self.dir.path().join("body");
        fs::write(&file, body).unwrap();
        let file = file.display().to_string();
        let mut words: Vec<&str> = vec!["explain"];
        words.extend(flags.split_whitespace());
        words.extend(["--body", &file, "-H", "Content-Type: application/json"]);
        if !flags.contains("--at") {
            words.extend(["--at", "2026-11-22T07:00:00Z"]);
        }
        let args = Line::try_parse_from(words)
            .map_err(|it| Failure::new(it.to_string()))?
            .args;
        let mut notes = Vec::new();
        answer(args, &self.configuration, &mut notes).map(|it| (it, notes))
    }

    /// Asks; checks the verdict and that the text says all of `says`, and no value.
    #[track_caller]
    fn check(&self, flags: &str, body: &str, verdict: Verdict, says: &[&str]) {
        let (answer, _) = self
            .ask(flags, body)
            .unwrap_or_else(|it| panic!("{}", it.text));
        let text = answer.to_text();
        assert_eq!(answer.verdict(), verdict, "{flags}\n{text}");
        let json = format!("{:#}", answer.to_json());
        for it in says {
            assert!(text.contains(it), "{flags}: should say {it:?}:\n{text}");
        }
        for value in ["ann@", "bob@", "example.org"] {
            assert!(
                !text.contains(value) && !json.contains(value),
                "{text}\n{json}"
            );
        }
    }

    #[track_caller]
    fn check_fails(&self, flags: &str, says: &[&str]) {
        let failure = self.ask(flags, "").map(|_| ()).expect_err(flags);
        for it in says {
            assert!(failure.text.contains(it), "{}", failure.text);
        }
    }
}

#[test]
fn a_refusal_of_the_anonymous_caller_says_how_to_name_one() {
    let bench = Bench::new();
    let notes = |flags: &str| bench.ask(flags, "{}").unwrap().1.join("\n");
    assert!(notes("--path /closed/send").contains("--caller ID"));
    assert!(!notes("--path /closed/send --caller crm").contains("--caller"));
    assert!(!notes("--path /de/send").contains("--caller"));
}

const TO_US: &str = "--path /us/send -H Host:gate.example.test";

#[test]
fn each_request_is_answered_as_the_gate_would() {
    let bench = Bench::new();
    bench.consent("ann@example.org");
    let (allow, reduce, block) = (Verdict::Allow, Verdict::Reduce, Verdict::Block);
    bench.check(
        "--path /de/send",
        r#"{"order":"A-1"}"#,
        allow,
        &["No personal data found.", "de -> Muster Mail GmbH: allow"],
    );
    let found = &[
        "body $['to'][0]['email']",
        "email (",
        "Person 0: identified by email",
    ];
    bench.check("--path /de/send", ANN, allow, found);
    bench.check(TO_US, ANN, allow, &["carried by consent"]);
    bench.check(
        TO_US,
        BOTH,
        reduce,
        &["subject-unknown, person 1", "record 1", "1 of 2 resolved"],
    );
    bench.check(
        TO_US,
        r#"{"to":[{"email":"bob@example.org"}]}"#,
        block,
        &["subject-unknown", "mend: ", "nobody was resolved"],
    );
    let at = format!("{TO_US} --at 2027-01-01T00:00:00Z");
    bench.check(&at, ANN, block, &["consent-expired"]);
    bench.check(
        "--path /trial/send",
        r#"{"to":[{"email":"bob@example.org"}]}"#,
        allow,
        &["allow (would be block)", "log-only"],
    );
    bench.check(
        "--path /de/send",
        "{\"a\":",
        block,
        &[
            "Not read: body $ (malformed: it does not parse as its type)",
            "malformed",
        ],
    );
    bench.check(
        "--path /de/other",
        ANN,
        block,
        &["method-not-allowed", "route none"],
    );
    bench.check(
        "--path /us/send --destination us",
        ANN,
        allow,
        &["us -> Example Mailer Inc."],
    );
    bench.check(
        "--path /send --destination us",
        ANN,
        allow,
        &["us -> Example Mailer Inc."],
    );
}

/// Until the end of its last day, which is where the operator is.
#[test]
fn an_open_failure_policy_is_told() {
    let bench = Bench::new();
    let told = |flags: &str| bench.ask(flags, ANN).unwrap().0;
    let line = "Opened: failure.registers until 2026-12-31 (Head: the registers move)";
    let open = told("--path /trial/send --at 2026-12-31T18:59:59Z");
    assert!(open.to_text().contains(line), "{}", open.to_text());
    let json = open.to_json();
    assert_eq!(json["opened_failures"][0]["component"], "registers");
    assert_eq!(json["opened_failures"][0]["until"], "2026-12-31");
    for flags in [
        "--path /trial/send --at 2026-12-31T19:00:00Z",
        "--path /de/send",
    ] {
        let closed = told(flags);
        assert!(!closed.to_text().contains("Opened:"), "{flags}");
        assert_eq!(closed.to_json()["opened_failures"], serde_json::json!([]));
    }
}

#[test]
fn what_the_head_settles_is_refused_before_the_body() {
    let bench = Bench::new();
    let block = Verdict::Block;
    let missed = &[
        "destination-unknown",
        "host `other.example.test`",
        "us           second    gate.example.test  /us          host",
        "longest prefix wins",
    ];
    bench.check(
        "--path /us/send -H Host:other.example.test:8080",
        ANN,
        block,
        missed,
    );
    bench.check(
        "--path /deep",
        ANN,
        block,
        &["de           any       any                /de          path_prefix"],
    );
    bench.check(
        &format!("{TO_US} --listener main"),
        ANN,
        block,
        &["/us          listener"],
    );
    bench.check("--path /de/../us", ANN, block, &["framing", "dot segment"]);
    bench.check(
        "--path /de/send --method PUT",
        ANN,
        block,
        &["method-not-allowed", "this path takes POST"],
    );
    bench.check(
        TO_US,
        &" ".repeat(1025),
        block,
        &["body-too-large", "has 1025 bytes, `us` takes 1024"],
    );
}

#[test]
fn the_statute_is_shown_beside_a_milder_profile() {
    let bench = Bench::new();
    bench.consent("ann@example.org");
    bench.check(
        "--path /de/send",
        ANN,
        Verdict::Allow,
        &["under kz-law-strict: block"],
    );
    bench.check(TO_US, ANN, Verdict::Allow, &["under kz-law-strict: allow"]);
    bench.check(
        "--path /trial/send",
        BOTH,
        Verdict::Allow,
        &["under kz-law-strict: block"],
    );
}

#[test]
fn without_a_state_nobody_is_registered_and_none_is_made() {
    let bench = Bench::new();
    let (answer, notes) = bench.ask(TO_US, ANN).unwrap();
    assert!(answer.to_text().contains("subject-unknown"));
    assert!(notes[0].contains("no registers in"), "{notes:?}");
    assert!(!bench.configuration.store.dir.exists());
    bench.consent("ann@example.org");
    assert_eq!(bench.ask(TO_US, ANN).unwrap().1, Vec::<String>::new());
}

#[test]
fn explaining_changes_nothing() {
    let bench = Bench::new();
    bench.consent("ann@example.org");
    let sequence = || {
        let mut reader = store::Reader::open(&bench.configuration.store).unwrap();
        reader.state().unwrap().sequence()
    };
    let before = sequence();
    bench.ask(TO_US, BOTH).unwrap();
    assert_eq!(sequence(), before);
    assert!(!bench.configuration.audit.dir.exists());
}

#[test]
fn what_is_wrong_is_named_with_the_mend() {
    let bench = Bench::new();
    bench.check_fails(
        "--path /de --destination fr",
        &["--destination", "`fr`", "trial, us, de"],
    );
    bench.check_fails(
        "--path /de --listener third",
        &["--listener", "main, second"],
    );
    bench.check_fails("--path /de --caller erp", &["--caller", "crm"]);
    bench.check_fails("--path de", &["the target is not a path"]);
    bench.check_fails("--path /de --method P@ST", &["is not a method"]);
    bench.check_fails("--path /de -H nocolon", &["header field such as"]);
    bench.check_fails("", &["<REQUEST_FILE>"]);
    fs::remove_file(bench.dir.path().join("body")).unwrap();
    bench.check_fails("/no/such/file", &["cannot be used with"]);
}

#[test]
fn a_terminal_is_sent_no_control_character() {
    let bench = Bench::new();
    let (answer, _) = bench
        .ask("--path /de/send", "{\"\u{9b}31m\":\"ann@example.org\"}")
        .unwrap();
    let text = answer.to_text();
    assert!(text.contains("\u{fffd}31m"), "{text}");
    assert!(!text.contains('\u{9b}'), "{text}");
}

#[test]
fn json_has_what_the_text_has() {
    let bench = Bench::new();
    bench.consent("ann@example.org");
    let (answer, _) = bench.ask(TO_US, BOTH).unwrap();
    let json = answer.to_json();
    assert_eq!(json["verdict"], "reduce");
    assert_eq!(json["findings"][1]["location"], "body $['to'][1]['email']");
    assert_eq!(json["findings"][1]["acts"], true);
    assert_eq!(json["persons"][1]["identifiers"][0], "email");
    assert_eq!(json["explanation"]["persons"][1]["person"], 1);
    let (answer, _) = bench.ask("--path /nowhere", ANN).unwrap();
    let json = answer.to_json();
    assert_eq!(json["refused"]["code"], "destination-unknown");
    assert_eq!(json["refused"]["destinations"].as_array().unwrap().len(), 4);
}
