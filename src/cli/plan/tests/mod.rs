//! Decisions recorded by a real gatekeeper on a real log and registers, made again under changed configurations.

mod registers;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;

use super::*;
use crate::{
    audit::Log,
    config::law,
    gatekeeper::{
        Gatekeeper, Request, Screening, Snapshot,
        keys::{IdentifierRefs, Keys},
        ports::{AuditLog as _, Clock},
        record::AuditEvent,
        replay::Answer,
    },
    model::{
        CategorySet,
        consent::Until,
        decision::{ReasonCode, Verdict},
        message::Message,
        subject::{Identifier, IdentifierKind},
    },
    store::{
        self, Outbox, Registers,
        contract::{self, TestClock},
        writer::{NewRestriction, Whose, WithdrawalTarget, Writer},
    },
};

const ADEQUACY: &str = r#"adequacy: [{regime: kz-94v, country: DE, result: adequate, by: Officer, at: "2026-01-15", until: "2027-01-14", reason: tested}]"#;

const CONFIG: &str = r#"
version: 1
operator: {legal_name: Test LLP, bin: "180940029997", home: KZ, utc_offset: "+05:00", profile: baseline, regimes: [kz-94v]}
state_dir: state
listeners: [{id: main, bind: "127.0.0.1:0"}]
callers: [{id: crm, cidr: ["127.0.0.9/32"]}]
parties:
  - {id: de-mail, legal_name: Muster Mail GmbH, role: processor, classes: [mailing]}
  - {id: us-mail, legal_name: Example Mailer Inc., role: processor, classes: [mailing]}
${ADEQUACY}
destinations:
  - id: de
    party: de-mail
    country: DE
    match: {path_prefix: /de}
    upstream: {url: "https://de.example.test/v1"}
    agreement: &agreement {ref: a-1, signed: "2026-01-10", actions: [send], purposes: [order, marketing], categories: [email],
      confidentiality: true, security: true}
    routes: [{path: /send, methods: [POST], purpose: order.notice, channel: email, actions: [send]}]
  - id: bare
    party: de-mail
    country: DE
    match: {path_prefix: /bare}
    upstream: {url: "https://de.example.test/v2"}
    # no agreement
    routes: [{path: /send, purpose: order.notice, channel: email, actions: [send]}]
  - id: us
    party: us-mail
    country: US
    match: {path_prefix: /us}
    upstream: {url: "https://us.example.test/v1"}
    fallback: [drop-records]
    agreement: *agreement
    routes: [{path: /send, purpose: order.notice, channel: email, actions: [send], records: "$.to[*]"}]
  - id: trial
    party: de-mail
    country: DE
    match: {path_prefix: /trial}
    mode: log-only
    upstream: {url: "https://de.example.test/v3"}
    agreement: *agreement
    routes: [{path: /send, purpose: order.notice, channel: email, actions: [send]}]
"#;

/// A gate's state: log, registers, and the configuration in force.
struct Bench {
    dir: tempfile::TempDir,
    clock: Arc<TestClock>,
    text: String,
    configuration: Configuration,
    keys: Keys,
    log: Arc<Log>,
    registers: Registers,
    writer: Writer,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let text = CONFIG.replace("${ADEQUACY}", ADEQUACY);
        let configuration = load(&text, dir.path());
        let clock = TestClock::new();
        let keys = store::keys::open_or_create(&configuration.store.dir).unwrap();
        let by_clock: Arc<dyn Clock> = Arc::clone(&clock) as _;
        Self {
            log: Arc::new(Log::open(&configuration.audit).unwrap()),
            registers: Registers::open(&configuration.store).unwrap(),
            writer: Writer::open(&configuration.store, by_clock, "tester".into()).unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            dir,
            clock,
            text,
            configuration,
            keys,
        }
    }

    fn refs(&self, address: &str) -> IdentifierRefs {
        self.keys
            .references(&Identifier::normalise(IdentifierKind::Email, address).unwrap())
    }

    /// A consent to notices of orders by anybody in the United States; its id.
    fn grant(&mut self, address: &str) -> Arc<str> {
        let mut new = contract::consent(&[self.refs(address)]);
        new.terms.until = Until::Day("2026-12-31".parse().unwrap());
        new.terms.cross_border = Some(["US".parse().unwrap()].into());
        new.terms.purposes = ["order.notice".parse().unwrap()].into();
        self.writer.grant(&new).unwrap().id
    }

    /// Sends addresses to `/<destination>/send`, an hour after what went before.
    fn send(&self, destination: &str, addresses: &[&str]) -> Verdict {
        let to: Vec<Value> = addresses
            .iter()
            .map(|it| serde_json::json!({"email": it}))
            .collect();
        self.send_json(destination, &serde_json::json!({ "to": to }))
    }

    fn send_json(&self, destination: &str, body: &Value) -> Verdict {
        self.clock.set(self.clock.now().plus_millis(3_600_000));
        let snapshot: Arc<Snapshot> = self.configuration.build_snapshot(self.keys.clone(), 1);
        let path = format!("/{destination}/send");
        let matched = snapshot.destinations.find("main", "", "POST", &path);
        let mut headers = HeaderMap::new();
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        let message = Message {
            method: Method::POST,
            path: "/send".to_owned(),
            query: None,
            headers,
            body: Bytes::from(body.to_string()),
            trailers: HeaderMap::new(),
        };
        let request = Request {
            caller: "anonymous".into(),
            listener: "main".into(),
            method: "POST".into(),
            matched,
            bytes_in: message.body.len() as u64,
        };
        let gatekeeper = Gatekeeper::new(
            Arc::new(self.registers.clone()),
            Arc::clone(&self.log) as _,
            Arc::clone(&self.clock) as _,
        );
        match self
            .runtime
            .block_on(gatekeeper.screen(message, request, &snapshot))
        {
            Screening::Cleared(it) => it.report.decided.decision.verdict,
            Screening::Refused(it) => it.report.decided.decision.verdict,
        }
    }

    /// Hands the changes of the registers on to the log, as a running gate does.
    fn drain(&self) {
        let mut outbox = Outbox::open(&self.configuration.store).unwrap();
        let (ids, changes): (Vec<i64>, Vec<_>) = outbox.pending(1_000).unwrap().into_iter().unzip();
        for change in changes {
            let appended = self.log.append(AuditEvent::Register(change));
            self.runtime.block_on(appended).unwrap();
        }
        outbox.acknowledge(&ids).unwrap();
    }

    fn plan_with(&self, flags: &str, change: impl Fn(&str) -> String) -> Report {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: Args,
        }
        let words = ["plan", "--against", "new.yaml"].into_iter();
        let line =
            <Line as clap::Parser>::try_parse_from(words.chain(flags.split_whitespace())).unwrap();
        let new = change(&self.text);
        let new = load(&new, self.dir.path());
        plan(&line.args, &self.configuration, &new).unwrap_or_else(|it| panic!("{}", it.text))
    }

    /// Plans with `from` written as `to`; checks flips `destination was is reason count`, and what would flip.
    #[track_caller]
    fn check(&self, (from, to): (&str, &str), flips: &[&str], would_flip: &[&str]) {
        assert!(self.text.contains(from), "{from}");
        let report = self.plan_with("", |it| it.replace(from, to));
        let json = report.to_json();
        assert_eq!(lines(&json["flips"]), flips, "{from} -> {to}\n{json:#}");
        assert_eq!(
            lines(&json["would_flip"]),
            would_flip,
            "{from} -> {to}\n{json:#}"
        );
        assert_eq!(
            json["not_replayed"],
            serde_json::json!([]),
            "{from} -> {to}"
        );
        assert_eq!(report.flips(), !flips.is_empty());
    }
}

fn lines(ways: &Value) -> Vec<String> {
    let ways = ways.as_array().unwrap();
    let text = |way: &Value, name: &str| way[name].as_str().unwrap_or("none").to_owned();
    ways.iter()
        .map(|it| {
            let words = ["destination", "was", "is", "reason"].map(|name| text(it, name));
            format!("{} {}", words.join(" "), it["count"])
        })
        .collect()
}

fn load(text: &str, base: &std::path::Path) -> Configuration {
    let now = "2026-11-22T07:00:00Z".parse().unwrap();
    config::load_text(text, "shekara.yaml", base, now, &law::SHIPPED)
        .unwrap_or_else(|it| panic!("{it}"))
        .configuration
}

/// Ann consents; everything is sent once; then she withdraws, and Bob is restricted.
fn with_a_past() -> Bench {
    let mut bench = Bench::new();
    let consent = bench.grant("ann@example.org");
    bench.grant("bob@example.org");
    bench.drain();
    assert_eq!(bench.send("de", &["ann@example.org"]), Verdict::Allow);
    assert_eq!(bench.send("de", &[]), Verdict::Allow);
    assert_eq!(bench.send("bare", &["ann@example.org"]), Verdict::Block);
    assert_eq!(bench.send("us", &["ann@example.org"]), Verdict::Allow);
    let stranger = ["bob@example.org", "eve@example.org"];
    assert_eq!(bench.send("us", &stranger), Verdict::Reduce);
    assert_eq!(bench.send("trial", &["ann@example.org"]), Verdict::Allow);
    let withdrawal = contract::withdrawal(WithdrawalTarget::Consent(consent));
    bench.writer.withdraw(&withdrawal).unwrap();
    let bob = Whose::Identified(vec![bench.refs("bob@example.org")]);
    let restriction = NewRestriction {
        id: None,
        whose: bob,
        reason: "accuracy-doubt".into(),
        from: None,
        allowed_purposes: [].into(),
    };
    bench.writer.restrict(&restriction).unwrap();
    assert_eq!(bench.send("us", &["ann@example.org"]), Verdict::Block);
    bench.grant("eve@example.org");
    bench
}

#[test]
fn the_same_configuration_gives_the_same_decisions() {
    let bench = with_a_past();
    // Once with the later changes in the outbox only, once in the log.
    for _ in 0..2 {
        let report = bench.plan_with("", str::to_owned);
        let json = report.to_json();
        assert_eq!(json["decisions"], 7, "{json:#}");
        assert_eq!(json["same"], 7, "{json:#}");
        assert_eq!(json["of_other_configurations"], 0);
        assert!(!report.flips());
        bench.drain();
    }
}

#[test]
fn a_changed_configuration_flips_what_rested_on_it() {
    let bench = with_a_past();
    let strict = ("profile: baseline", "profile: kz-law-strict");
    bench.check(("legal_name: Test LLP", "legal_name: Test2 LLP"), &[], &[]);
    bench.check(
        (ADEQUACY, ""),
        &["de allow block country-not-covered 1"],
        &["trial allow block country-not-covered 1"],
    );
    bench.check(
        ("# no agreement", "agreement: *agreement"),
        &["bare block allow no-agreement 1"],
        &[],
    );
    bench.check(
        strict,
        &["de allow block country-not-covered 1"],
        &["trial allow block country-not-covered 1"],
    );
    bench.check(
        ("fallback: [drop-records]", ""),
        &["us reduce block subject-unknown 1"],
        &[],
    );
    bench.check(
        ("id: us\n", "id: usa\n"),
        &[
            "us allow block destination-unknown 1",
            "us reduce block destination-unknown 1",
        ],
        &[],
    );
    bench.check(("mode: log-only", "mode: enforce"), &[], &[]);
    bench.check(
        (
            "match: {path_prefix: /de}",
            "match: {path_prefix: /de}\n    callers: [{caller: crm}]",
        ),
        &["de allow block caller-not-allowed 2"],
        &[],
    );
}

#[test]
fn a_window_and_a_destination_limit_what_is_asked() {
    let bench = with_a_past();
    let count = |flags: &str| bench.plan_with(flags, str::to_owned).to_json()["decisions"].clone();
    assert_eq!(count("--destination de"), 2);
    assert_eq!(count("--from 2026-11-22T09:00:00Z"), 6);
    assert_eq!(
        count("--from 2026-11-22T09:00:00Z --to 2026-11-22T10:00:00Z"),
        1
    );
    let listed = bench.plan_with("--list", |it| {
        it.replace("# no agreement", "agreement: *agreement")
    });
    let text = listed.to_text("new.yaml");
    let id = listed.to_json()["flips"][0]["decisions"][0]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(text.contains(&id), "{text}");
    assert!(
        text.contains("7 decisions on record, made again under new.yaml: 6 stay, 1 flip"),
        "{text}"
    );
    assert!(text.contains("no-agreement (no longer)"), "{text}");
    assert!(text.contains("messages are not kept"), "{text}");
    assert!(!text.contains("example.org"), "{text}");
}

#[test]
fn what_the_record_does_not_decide_is_counted() {
    let check = |bench: &Bench, change: &dyn Fn(&str) -> String, why: &str, count: u64| {
        let json = bench.plan_with("", change).to_json();
        let missed: BTreeMap<&str, u64> = json["not_replayed"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (it["why"].as_str().unwrap(), it["count"].as_u64().unwrap()))
            .collect();
        assert_eq!(missed.get(why), Some(&count), "{why}: {json:#}");
    };
    let same = |it: &str| it.to_owned();

    let bench = with_a_past();
    let nowhere = Bench::send(&bench, "nowhere", &["ann@example.org"]);
    assert_eq!(nowhere, Verdict::Block);
    check(&bench, &same, "unread", 1);

    // The number of an order looks like an IIN, which the destination does not act on by default.
    let lower = |it: &str| asking("medium", it);
    let json = bench.plan_with("--destination de", lower).to_json();
    assert_eq!(json["same"], 2, "nothing of medium confidence: {json:#}");
    let order = serde_json::json!({"email": "ann@example.org", "order_id": "991231100010"});
    assert_eq!(bench.send_json("de", &order), Verdict::Allow);
    check(&bench, &lower, "confidence", 1);
    let json = bench.plan_with("", |it| asking("certain", it)).to_json();
    assert_eq!(json["same"], 8, "addresses are certain: {json:#}");
    let forbids = |it: &str| lower(it).replace("profile: baseline", "profile: kz-law-strict");
    let json = bench.plan_with("--destination de", forbids).to_json();
    assert_eq!(
        lines(&json["flips"]),
        [
            "de allow block consent-withdrawn 1",
            "de allow block country-not-covered 1"
        ]
    );

    // The identifiers of a person are gone, as after an erasure.
    let database = rusqlite::Connection::open(bench.configuration.store.database()).unwrap();
    let hash = bench.refs("ann@example.org").current.hash;
    let erased = database.execute("DELETE FROM identifiers WHERE hash = ?1", [hash]);
    assert_eq!(erased.unwrap(), 1);
    check(&bench, &same, "persons-unknown", 6);

    // A change was lost on its way to the log.
    let bench = with_a_past();
    let mut outbox = Outbox::open(&bench.configuration.store).unwrap();
    let first = outbox.pending(1).unwrap()[0].0;
    outbox.acknowledge(&[first]).unwrap();
    check(&bench, &same, "changes-missing", 1);
}

/// The configuration with another confidence for `de`.
fn asking(confidence: &str, text: &str) -> String {
    let change = format!("  - id: de\n    confidence_min: {confidence}\n");
    text.replace("  - id: de\n", &change)
}

#[test]
fn a_record_that_its_own_configuration_does_not_give_is_unfaithful() {
    let bench = with_a_past();
    // Another operator under the version of the one in force: as if the record had been made by other rules.
    let mut present = load(&bench.text.replace(ADEQUACY, ""), bench.dir.path());
    present.version.clone_from(&bench.configuration.version);
    let args = Args {
        against: "new.yaml".into(),
        from: None,
        to: None,
        destination: Some("de".to_owned()),
        list: false,
        format: Format::Text,
    };
    let report =
        plan(&args, &present, &bench.configuration).unwrap_or_else(|it| panic!("{}", it.text));
    let json = report.to_json();
    assert_eq!(json["not_replayed"][0]["why"], "unfaithful", "{json:#}");
    assert!(!report.flips());
}

#[test]
fn without_log_or_registers_the_mend_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let empty = load(&CONFIG.replace("${ADEQUACY}", ADEQUACY), dir.path());
    let args = || Args {
        against: "new.yaml".into(),
        from: None,
        to: None,
        destination: None,
        list: false,
        format: Format::Text,
    };
    let failure = plan(&args(), &empty, &empty).map(|_| ()).unwrap_err();
    assert!(failure.text.contains("no audit log in"), "{}", failure.text);
    let bench = with_a_past();
    let mut elsewhere = bench.configuration;
    elsewhere.store.dir = dir.path().join("none");
    let failure = plan(&args(), &elsewhere, &empty).map(|_| ()).unwrap_err();
    assert!(failure.text.contains("--state"), "{}", failure.text);
    assert!(!dir.path().join("none").exists());
}

#[test]
fn other_records_dropped_are_a_flip() {
    let reduce = |dropped: &[u64], reduced: &[&str]| Answer {
        verdict: Verdict::Reduce,
        would_be: Verdict::Reduce,
        reason: Some(ReasonCode::NoConsent),
        dropped: dropped.to_vec(),
        reduced: reduced
            .iter()
            .map(|it| (0, CategorySet::named(it).unwrap()))
            .collect(),
    };
    let flips = |was, is| Replayed { was, is }.flips();
    assert!(flips(reduce(&[1], &[]), reduce(&[1, 2], &[])));
    assert!(flips(reduce(&[1], &["email"]), reduce(&[1], &["phone"])));
    assert!(!flips(reduce(&[1], &["email"]), reduce(&[1], &["email"])));
}
