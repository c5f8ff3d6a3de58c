//! Reload many times a second under load: no error, no mixed decision, flat memory.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    time::{Duration, Instant},
};

use aws_lc_rs::digest::{SHA256, digest};
use rustix::process::Signal;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::{
    Scale,
    gate::{Gate, get, replace},
    load::{Load, Way, upstream},
    scale,
};

/// What one of two configurations says; everything here differs, so that a mixture shows.
struct Side {
    mode: &'static str,
    country: &'static str,
    profile: &'static str,
    purpose: &'static str,
    route: &'static str,
    status: u16,
}

const SIDES: [Side; 2] = [
    Side {
        mode: "enforce",
        country: "US",
        profile: "baseline",
        purpose: "order.notice",
        route: "/",
        status: 403,
    },
    Side {
        mode: "log-only",
        country: "DE",
        profile: "kz-law-strict",
        purpose: "service.provision",
        route: "/x",
        status: 200,
    },
];

/// A configuration of a usual size: 24 destinations with agreements and routes, of which `side` changes one and the mode.
fn configuration(side: &Side, upstream: SocketAddr, watch: &str) -> String {
    let Side {
        mode,
        country,
        profile,
        purpose,
        route,
        ..
    } = side;
    let mut text = format!(
        r#"version: 1
operator: {{legal_name: Test LLP, bin: "990140000007", home: KZ, utc_offset: "+05:00", profile: baseline, regimes: [kz-94v]}}
state_dir: state
mode: {mode}
listeners: [{{id: main, bind: "127.0.0.1:0"}}]
admin: {{bind: "127.0.0.1:0"}}
log: {{format: json, level: "warn,shekara::app=info"}}
reload: {{watch: {watch}}}
callers:
  - {{id: shop, cidr: ["127.0.0.0/8"]}}
  - {{id: jobs, token_sha256: ["2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"]}}
parties: [{{id: us, legal_name: Example Inc., role: controller}}, {{id: mailer, legal_name: Mailer GmbH, role: processor}}]
destinations:
  - id: us
    party: us
    country: {country}
    profile: {profile}
    match: {{path_prefix: /us}}
    legal_status: 403
    upstream: {{url: "http://{upstream}/", controlled_zone: true}}
    routes: [{{id: {mode}, path: {route}, purpose: {purpose}}}]
"#
    );
    for number in 1..24 {
        text.push_str(&format!(
            r#"  - id: mailing-{number}
    party: mailer
    country: DE
    match: {{path_prefix: /mail-{number}}}
    upstream: {{url: "https://mail-{number}.example.org/base"}}
    agreement:
      ref: DPA-{number}
      signed: "2026-02-01"
      actions: [send, store]
      purposes: [order, marketing, service]
      categories: [name, email, phone]
      confidentiality: true
      security: true
    fallback: [drop-records]
    routes:
      - {{methods: [POST], path: /batch, purpose: marketing.email, channel: email, actions: [send], records: "$.recipients[*]",
         subjects: [{{in: body, at: "$.recipients[*].email", kind: email}}]}}
      - {{path: /, purpose: order.notice, channel: email, actions: [send]}}
"#
        ));
    }
    text
}

/// The version that a record names: first 16 hex digits of the SHA-256 of the file.
fn version(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    let bytes = &hash.as_ref()[..8];
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}

/// If this fails, a reload loses requests, lets one request see two configurations, or keeps old configurations in memory.
#[tokio::test(flavor = "multi_thread")]
async fn many_reloads_under_load() {
    let scale = scale();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shekara.yaml");
    let (upstream, _) = upstream(Duration::from_millis(2)).await;
    let texts = SIDES
        .each_ref()
        .map(|it| configuration(it, upstream, "off"));
    fs::write(&file, &texts[0]).unwrap();
    let mut gate = Gate::start(folder.path());
    let versions = BTreeMap::from([(version(&texts[0]), 0), (version(&texts[1]), 1)]);
    let way = Way {
        address: gate.main(),
        tls: None,
        is_fresh: false,
    };
    let load = Load::start(&way, scale.rate);
    let began = Instant::now();
    let (asked, resident) = reload_often(&gate, &texts, &scale).await;
    let reload_time = began.elapsed();
    let (outcome, rate) = load.stop().await;
    sleep(Duration::from_millis(500)).await;
    let taken = gate
        .metric(r#"shekara_config_reloads_total{outcome="taken"}"#)
        .await
        - 1.0;
    let refused = gate
        .metric(r#"shekara_config_reloads_total{outcome="refused"}"#)
        .await;
    let alive = gate.metric("shekara_config_generations_alive").await;
    gate.signal(Signal::TERM);
    assert!(gate.ended().success());
    let per_side = check_decisions(&gate, &versions, &outcome.answers);
    let (first, last) = (resident[resident.len() / 5], *resident.last().unwrap());
    println!(
        "reload: {asked} asked for and {taken} taken in {:.1} s ({:.0} a second), {} requests at {rate:.0} a second (p50 {:.1} ms, \
         p99 {:.1} ms), {} under the one and {} under the other configuration, {} again, {} broken, memory {first} KiB to {last} KiB, \
         {alive} configurations alive",
        reload_time.as_secs_f64(),
        taken / reload_time.as_secs_f64(),
        outcome.answers.len(),
        outcome.percentile(0.5),
        outcome.percentile(0.99),
        per_side[0],
        per_side[1],
        outcome.again,
        outcome.broken,
    );
    assert_eq!(
        (outcome.again, outcome.broken, outcome.turned_away),
        (0, 0, 0)
    );
    assert_eq!(refused, 0.0);
    assert_eq!(alive, 1.0, "old configurations stay in memory");
    assert!(
        taken >= f64::from(asked) * scale.reload_share,
        "{taken} of {asked}"
    );
    assert!(per_side.iter().all(|it| *it > 0), "{per_side:?}");
    assert!(
        last < first + first / 4 + 8 * 1024,
        "memory grows: {resident:?}"
    );
}

/// Puts the one and the other configuration in place in turn. Returns how often, and the memory in KiB after every tenth time.
async fn reload_often(gate: &Gate, texts: &[String; 2], scale: &Scale) -> (u32, Vec<u64>) {
    let file = gate.folder.join("shekara.yaml");
    let (mut next, mut asked, mut resident) = (1, 0, Vec::new());
    let began = Instant::now();
    let mut tick = interval(scale.reload_every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while began.elapsed() < scale.time {
        tick.tick().await;
        replace(&file, &texts[next]);
        gate.signal(Signal::HUP);
        asked += 1;
        next = 1 - next;
        if asked % 10 == 0 {
            resident.push(gate.resident());
        }
    }
    (asked, resident)
}

/// Every answer has one record, and record and answer say in everything what the one configuration says that the record names.
fn check_decisions(
    gate: &Gate,
    versions: &BTreeMap<String, usize>,
    answers: &[crate::load::Answer],
) -> [usize; 2] {
    let statuses: BTreeMap<&str, u16> = answers
        .iter()
        .map(|it| (it.decision.as_str(), it.status))
        .collect();
    assert_eq!(statuses.len(), answers.len(), "an id was given twice");
    let decisions = gate.decisions();
    assert_eq!(decisions.len(), answers.len(), "a decision for each answer");
    let mut per_side = [0; 2];
    for it in &decisions {
        let at = versions[it["versions"]["config"].as_str().unwrap()];
        let side = &SIDES[at];
        per_side[at] += 1;
        assert_eq!(it["recipient"]["country"], side.country, "{it}");
        assert_eq!(it["transfer"]["purpose"], side.purpose, "{it}");
        assert_eq!(it["transfer"]["route"], side.mode, "{it}");
        let is_blocked = it["decision"]["verdict"] == "block";
        assert_eq!(is_blocked, side.mode == "enforce", "{it}");
        assert_eq!(statuses[it["id"].as_str().unwrap()], side.status, "{it}");
    }
    per_side
}

/// If this fails, a changed file waits for a signal, a half-written one is reported, or a broken one is reported again and again.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_content_takes_force_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shekara.yaml");
    let (upstream, connections) = upstream(Duration::ZERO).await;
    let texts = SIDES
        .each_ref()
        .map(|it| configuration(it, upstream, "200ms"));
    fs::write(&file, &texts[1]).unwrap();
    let mut gate = Gate::start(folder.path());
    let way = Way {
        address: gate.main(),
        tls: None,
        is_fresh: false,
    };
    let load = Load::start(&way, 50);
    while load.answered() < 20 {
        sleep(Duration::from_millis(10)).await;
    }
    // Written in two halves, slower than one look: nobody is told of the half.
    let text = format!("# A comment.\n{}", texts[1]);
    let (half, _) = text.rsplit_once("    upstream:").unwrap();
    fs::write(&file, half).unwrap();
    sleep(Duration::from_millis(550)).await;
    fs::write(&file, &text).unwrap();
    until(&gate, "shekara_config_generation", 2.0).await;
    sleep(Duration::from_millis(500)).await;
    let refused = r#"shekara_config_reloads_total{outcome="refused"}"#;
    assert_eq!(gate.metric(refused).await, 0.0, "the half was reported");
    replace(&file, &texts[1].replace("country: DE", "country: XX"));
    until(&gate, refused, 1.0).await;
    sleep(Duration::from_millis(1000)).await;
    assert_eq!(gate.metric(refused).await, 1.0, "it was reported again");
    replace(&file, &texts[1]);
    until(&gate, "shekara_config_generation", 3.0).await;
    let (outcome, _) = load.stop().await;
    assert_eq!((outcome.again, outcome.broken), (0, 0));
    let after = connections.load(std::sync::atomic::Ordering::SeqCst);
    assert!(
        after <= 20,
        "connections to the recipient were dropped: {after} for 20 clients"
    );
    assert_eq!(get(gate.admin, "/readyz").await.0, 200);
    gate.signal(Signal::TERM);
    assert!(gate.ended().success());
}

async fn until(gate: &Gate, series: &str, value: f64) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let now = gate.metric(series).await;
        #[expect(clippy::float_cmp, reason = "counts")]
        if now == value {
            return;
        }
        assert!(Instant::now() < deadline, "{series} is {now}, not {value}");
        sleep(Duration::from_millis(20)).await;
    }
}
