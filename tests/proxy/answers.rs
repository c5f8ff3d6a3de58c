//! The gate's own answers, redirects, addresses, and what the metrics say.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
};

use shekara::{
    gatekeeper::record::Outcome,
    model::destination::{self as facts, RoutePurpose},
};

use crate::{
    between, between_with, start,
    support::{
        client::Client,
        gate::{Setup, destination},
        lines,
        ports::{FixedResolver, Order},
        upstream::{Script, Upstream},
    },
};

const GET: &str = "GET /v1 HTTP/1.1\r\nHost: crm.test\r\n\r\n";

#[tokio::test]
async fn a_refusal_is_a_problem_in_the_language_asked_for() {
    let (gate, _upstream) = between(Script::ok()).await;
    let mut ids = Vec::new();
    for (accept, language) in [("de", "en"), ("ru-RU, en;q=0.5", "ru"), ("kk", "kk")] {
        let wire =
            format!("GET /v1 HTTP/1.1\r\nHost: other.test\r\nAccept-Language: {accept}\r\n\r\n");
        let answer = Client::connect(gate.address).await.ask(&wire).await;
        assert_eq!(answer.status, 403);
        for (name, value) in [
            ("content-type", "application/problem+json"),
            ("content-language", language),
            ("cache-control", "no-store"),
            ("x-should-retry", "false"),
            (
                "proxy-status",
                "shekara; error=http_request_denied; details=\"destination-unknown\"",
            ),
        ] {
            assert_eq!(answer.field(name), Some(value), "{name}");
        }
        let problem = answer.json();
        assert_eq!(problem["type"], "urn:shekara:reason:destination-unknown");
        assert_eq!(
            problem["title"],
            format!("{language} destination-unknown at unknown")
        );
        assert_eq!(problem["reasons"][0]["rule"], "R-00");
        assert_eq!(problem["verdict"], "block");
        let id = problem["decision_id"].as_str().unwrap().to_owned();
        assert_eq!(problem["instance"], format!("urn:uuid:{id}"));
        assert_eq!(
            answer.field("shekara-decision"),
            Some(format!("{id}; verdict=block").as_str())
        );
        ids.push(id);
    }
    let decided = gate.stop().await.decided();
    let recorded: Vec<String> = decided.iter().map(|it| it.id.to_string()).collect();
    assert_eq!(recorded, ids);
}

#[tokio::test]
async fn a_method_that_no_route_takes_is_named_as_such() {
    let (gate, upstream) = between_with(Script::ok(), |it| {
        let mut facts = (*it.facts).clone();
        facts.routes = vec![facts::Route {
            id: "contacts".into(),
            methods: ["POST".into(), "PUT".into()].into(),
            path: "/v1".to_owned(),
            purpose: RoutePurpose::Declared("service".parse().unwrap()),
            channel: None,
            actions: Default::default(),
            plan: Default::default(),
        }];
        it.facts = Arc::new(facts);
    })
    .await;
    let answer = Client::connect(gate.address).await.ask(GET).await;
    assert_eq!(
        (answer.status, answer.field("allow")),
        (405, Some("POST, PUT"))
    );
    assert_eq!(upstream.connections(), 0);
    assert_eq!(gate.stop().await.reasons(), ["method-not-allowed"]);
}

/// An SDK must not be led around the gate; a host that is some destination's upstream is declared.
#[tokio::test]
async fn redirects_to_undeclared_hosts_are_stopped() {
    let check = async |status: u16, location: &str, passes: bool, expected: (u16, Option<&str>)| {
        let wire = format!(
            "HTTP/1.1 {status} X\r\nLocation: {location}\r\nAlt-Svc: h3=\":443\"\r\nContent-Length: 0\r\n\r\n"
        );
        let (gate, _upstream) =
            between_with(Script::answer(&wire), |it| it.pass_redirects = passes).await;
        let answer = Client::connect(gate.address).await.ask(GET).await;
        assert_eq!(
            (answer.status, answer.field("location")),
            expected,
            "{status} {location}"
        );
        assert_eq!(answer.field("alt-svc").is_some(), passes);
        let outcome = gate.stop().await.completed()[0].outcome;
        let is_stopped = expected.0 == 502;
        assert_eq!(outcome == Outcome::RedirectStopped, is_stopped);
    };
    let away = "https://us.example/x";
    check(302, away, false, (302, None)).await;
    check(303, "//us.example/x", false, (303, None)).await;
    check(301, "http://127.0.0.1@us.example/", false, (301, None)).await;
    check(307, away, false, (502, None)).await;
    check(308, "\\\\us.example/x", false, (502, None)).await;
    check(307, away, true, (307, Some(away))).await;
    check(307, "/v2", false, (307, Some("/v2"))).await;
    let same = "http://127.0.0.1:1/x";
    check(308, same, false, (308, Some(same))).await;
    check(201, away, false, (201, Some(away))).await;
}

/// A destination at a name, dialled through `resolver`.
fn named(port: u16, controlled_zone: bool) -> Arc<shekara::gatekeeper::destination::Destination> {
    let mut it = destination("crm", &format!("http://crm.example.org:{port}"));
    it.upstream.controlled_zone = controlled_zone;
    Arc::new(it)
}

#[tokio::test]
async fn every_address_of_a_name_is_checked_and_the_checked_one_is_dialled() {
    let order = Order::default();
    let upstream = Upstream::start(Script::ok(), order.clone()).await;
    let metadata = SocketAddr::from(([169, 254, 169, 254], 80));
    let public = SocketAddr::from(([192, 88, 98, 1], 80));
    for (answer, zone, error) in [
        (vec![upstream.address], true, None),
        (
            vec![upstream.address],
            false,
            Some("destination_ip_prohibited"),
        ),
        (
            vec![upstream.address, metadata],
            true,
            Some("destination_ip_prohibited"),
        ),
        (
            vec![public, upstream.address],
            false,
            Some("destination_ip_prohibited"),
        ),
        (Vec::new(), true, Some("dns_error")),
    ] {
        let order = Order::default();
        let resolver = Arc::new(FixedResolver {
            order: order.clone(),
            calls: 0.into(),
            // A second look-up would be led elsewhere.
            answers: vec![answer, vec![metadata]],
        });
        let mut setup = Setup::new(vec![named(80, zone)]);
        setup.resolver = Some(Arc::clone(&resolver));
        let gate = start(setup, order.clone()).await;
        let response = Client::connect(gate.address).await.ask(GET).await;
        let status = response.field("proxy-status").map(str::to_owned);
        assert_eq!(status, error.map(|it| format!("shekara; error={it}")));
        assert_eq!(resolver.calls.load(Ordering::SeqCst), 1);
        assert_eq!(order.all(), ["appended", "resolved"]);
        let completed = gate.stop().await.completed();
        assert_eq!(completed[0].sent, error.is_none());
    }
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn trap_6_an_address_written_as_a_literal_is_checked_too() {
    let upstream = Upstream::start(Script::ok(), Order::default()).await;
    let port = upstream.address.port();
    for host in [
        "127.0.0.1",
        "0x7f.1",
        "2130706433",
        "[::ffff:127.0.0.1]",
        "[::1]",
    ] {
        let mut it = destination("crm", &format!("http://{host}:{port}"));
        it.upstream.controlled_zone = false;
        let gate = start(Setup::new(vec![Arc::new(it)]), Order::default()).await;
        let answer = Client::connect(gate.address).await.ask(GET).await;
        assert_eq!(
            answer.json()["type"],
            "urn:shekara:reason:address-prohibited",
            "{host}"
        );
        drop(gate);
    }
    assert_eq!(upstream.connections(), 0);
}

/// Hosts, paths and methods of strangers do not become labels.
#[tokio::test]
async fn labels_come_from_closed_sets() {
    let (gate, _upstream) = between(Script::ok()).await;
    let ask = async |at: u32| {
        for wire in [
            format!("GET /{at} HTTP/1.1\r\nHost: h{at}.test\r\n\r\n"),
            format!(
                "M{} /{at} HTTP/1.1\r\nHost: crm.test\r\n\r\n",
                "X".repeat(at as usize)
            ),
            format!("GET /{at}?q={at} HTTP/1.1\r\nHost: crm.test\r\nX-{at}: {at}\r\n\r\n"),
            format!("GET /{at}# HTTP/1.1\r\nHost: crm.test\r\n\r\n"),
        ] {
            Client::connect(gate.address).await.ask(&wire).await;
        }
    };
    ask(0).await;
    let before = gate.metrics.series();
    for at in 1..20 {
        ask(at).await;
    }
    assert_eq!(gate.metrics.series(), before);
    let text = String::from_utf8(gate.metrics.render().unwrap()).unwrap();
    let unknown = "shekara_transfers_total{country=\"unknown\",destination=\"unknown\",verdict=\"block\",would_be=\"block\"}";
    for line in [
        &format!("{unknown} 40"),
        "shekara_refusals_total{destination=\"unknown\",reason=\"destination-unknown\"} 20",
        "shekara_upstream_seconds_count{destination=\"crm\",status_class=\"2xx\"} 40",
        "shekara_audit_writable 1",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("h7.test"));
    drop(gate);
}

/// What a request holds reaches neither log, metrics, records nor problem bodies.
#[tokio::test]
async fn nothing_of_a_request_is_repeated() {
    let (gate, _upstream) = between(Script::ok()).await;
    let fields = "Host: crm.test\r\nX-Canary-991231100010: 991231100010\r\n";
    let mut answers = String::new();
    for wire in [
        format!("GET /991231100010?q=991231100010 HTTP/1.1\r\n{fields}\r\n"),
        format!("GET /991231100010# HTTP/1.1\r\n{fields}\r\n"),
        format!("GET /a/../991231100010 HTTP/1.1\r\n{fields}\r\n"),
        format!("GET /991231100010 HTTP/1.1\r\n{fields}Via: 1.1 shekara\r\n\r\n"),
        format!("POST / HTTP/1.1\r\n{fields}Transfer-Encoding: chunked\r\n\r\n991231100010;\r\n"),
        "GET / HTTP/1.1\r\nHost: 991231100010.test\r\n\r\n".to_owned(),
        format!("TESTOVA / HTTP/1.1\r\n{fields}\r\n"),
    ] {
        let answer = Client::connect(gate.address).await.ask(&wire).await;
        answers.push_str(&answer.head);
        answers.push_str(&answer.text());
    }
    let metrics = String::from_utf8(gate.metrics.render().unwrap()).unwrap();
    let log = gate.stop().await;
    let records = serde_json::to_string(&*log.events.lock().unwrap()).unwrap();
    let lines = lines::written();
    assert_eq!(lines.matches("An exchange ended.").count(), 7, "{lines}");
    for text in [&answers, &metrics, &records, &lines] {
        assert!(!text.contains("991231100010"), "{text}");
        assert!(!text.contains("TESTOVA"), "{text}");
    }
}
