//! An upstream that keeps failing is left alone, and comes back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use shekara::gatekeeper::record::Outcome;
use tokio::net::TcpListener;

use crate::{
    start,
    support::{
        client::{Answer, Client},
        gate::{Gate, Setup, destination},
        ports::Order,
        upstream::{Script, Upstream},
    },
};

const GET: &str = "GET /v1 HTTP/1.1\r\nHost: crm.test\r\n\r\n";

async fn ask(gate: &Gate) -> Answer {
    Client::connect(gate.address).await.ask(GET).await
}

fn state(gate: &Gate) -> char {
    let metrics = String::from_utf8(gate.metrics.render().unwrap()).unwrap();
    let name = "shekara_upstream_breaker{destination=\"crm\"} ";
    let at = metrics.find(name).unwrap();
    metrics[at + name.len()..].chars().next().unwrap()
}

async fn gate_to(address: std::net::SocketAddr, open_for: Duration) -> Gate {
    let mut crm = destination("crm", &format!("http://{address}"));
    crm.upstream.breaker.failures = 3;
    crm.upstream.breaker.open_for = open_for;
    crm.limits.response_time = Duration::from_millis(200);
    start(Setup::new(vec![Arc::new(crm)]), Order::default()).await
}

#[tokio::test]
async fn it_opens_tries_once_and_closes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let gate = gate_to(address, Duration::from_millis(300)).await;
    for _ in 0..3 {
        assert_eq!(state(&gate), '0');
        assert_eq!(ask(&gate).await.status, 502);
    }
    let opened = Instant::now();
    assert_eq!(state(&gate), '2');
    let answer = ask(&gate).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.field("retry-after"), Some("1"));
    assert_eq!(
        answer.field("proxy-status"),
        Some("shekara; error=destination_unavailable; details=\"circuit breaker open\"")
    );
    assert_eq!(
        answer.json()["type"],
        "urn:shekara:upstream:destination-unavailable"
    );
    tokio::time::sleep(Duration::from_millis(350).saturating_sub(opened.elapsed())).await;
    assert_eq!(ask(&gate).await.status, 502, "one request tries");
    assert_eq!(ask(&gate).await.status, 503, "and did not get through");

    let listener = TcpListener::bind(address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(350)).await;
    let mut client = Client::connect(gate.address).await;
    client.send(GET.as_bytes()).await;
    let (stream, _) = listener.accept().await.unwrap();
    assert_eq!(state(&gate), '1');
    assert_eq!(ask(&gate).await.status, 503, "one at a time");
    stream.writable().await.unwrap();
    stream
        .try_write(b"HTTP/1.1 500 Still ill\r\nContent-Length: 0\r\n\r\n")
        .unwrap();
    assert_eq!(client.answer_to("GET").await.unwrap().status, 500);
    assert_eq!(state(&gate), '0', "an answer is an answer");
    let completed = gate.stop().await.completed();
    let cut_off: Vec<_> = completed
        .iter()
        .filter(|it| it.status == Some(503))
        .collect();
    assert_eq!(cut_off.len(), 3);
    for it in cut_off {
        assert_eq!(it.outcome, Outcome::UpstreamFailed);
        assert!(!it.sent && it.peer.is_none());
    }
}

/// What the upstream itself answers, however bad, and what the gate refuses to pass on do not count.
#[tokio::test]
async fn answers_do_not_count() {
    let busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n".to_vec();
    let away =
        b"HTTP/1.1 307 There\r\nLocation: https://other.example.org/\r\nContent-Length: 0\r\n\r\n";
    let nonsense = b"nonsense\r\n\r\n".to_vec();
    let script = Script {
        answers: vec![
            busy.clone(),
            away.to_vec(),
            nonsense.clone(),
            nonsense.clone(),
            nonsense,
            busy,
        ],
        ..Script::ok()
    };
    let upstream = Upstream::start(script, Order::default()).await;
    let gate = gate_to(upstream.address, Duration::from_secs(10)).await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(ask(&gate).await.status);
    }
    assert_eq!(statuses, [503, 502, 502, 502, 502, 503]);
    assert_eq!(upstream.requests().len(), 6);
    assert_eq!(state(&gate), '0');
    drop(gate);
}

#[tokio::test]
async fn silence_counts() {
    let script = Script {
        delay: Duration::from_secs(5),
        ..Script::ok()
    };
    let upstream = Upstream::start(script, Order::default()).await;
    let gate = gate_to(upstream.address, Duration::from_secs(10)).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(ask(&gate).await.status);
    }
    assert_eq!(statuses, [504, 504, 504, 503]);
    assert_eq!(upstream.requests().len(), 3);
    drop(gate);
}
