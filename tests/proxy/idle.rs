//! Connections on which nothing happens: they keep no buffer, and a client does not notice.

use std::{sync::Arc, time::Duration};

use shekara::gatekeeper::record::{Outcome, TimeLimit};
use tokio::time::{Instant, sleep};

use crate::{
    between, start,
    support::{
        client::Client,
        gate::{Setup, destination},
        ports::Order,
        upstream::{Script, Upstream},
    },
    tls::{Authority, handshake},
};

const POST: &str = "POST /v1 HTTP/1.1\r\nHost: crm.test\r\nContent-Length: 5\r\n\r\nabcde";
/// Longer than a connection keeps its buffers.
const REST: Duration = Duration::from_millis(400);

#[tokio::test]
async fn a_connection_goes_on_after_a_rest() {
    let (gate, upstream) = between(Script::ok()).await;
    let mut client = Client::connect(gate.address).await;
    for _ in 0..3 {
        assert_eq!(client.ask(POST).await.status, 200);
        sleep(REST).await;
    }
    // A head that comes in two pieces with a rest between them is one.
    let (first, second) = POST.split_at(20);
    client.send(first.as_bytes()).await;
    sleep(REST).await;
    client.send(second.as_bytes()).await;
    assert_eq!(client.answer().await.unwrap().status, 200);
    // So is a body.
    let (head, body) = POST.split_at(POST.len() - 3);
    client.send(head.as_bytes()).await;
    sleep(REST).await;
    client.send(body.as_bytes()).await;
    assert_eq!(client.answer().await.unwrap().status, 200);
    // Requests behind each other are all answered, rest or no rest.
    client.send(POST.repeat(3).as_bytes()).await;
    for _ in 0..3 {
        assert_eq!(client.answer().await.unwrap().status, 200);
    }
    sleep(REST).await;
    assert_eq!(client.ask(POST).await.status, 200);
    let bodies = upstream.requests();
    assert!(bodies.iter().all(|it| it.ends_with("\r\n\r\nabcde")));
    assert_eq!(gate.stop().await.decided().len(), 9);
}

/// An exchange that takes longer than a rest is no rest.
#[tokio::test]
async fn a_slow_exchange_is_not_taken_for_a_rest() {
    let script = Script {
        delay: REST * 2,
        pause: REST * 2,
        ..Script::ok()
    };
    let (gate, _upstream) = between(script).await;
    let mut client = Client::connect(gate.address).await;
    for _ in 0..2 {
        let answer = client.ask(POST).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
        assert_eq!(answer.field("connection"), None);
    }
    drop(gate);
}

#[tokio::test]
async fn a_connection_over_tls_rests_too() {
    let authority = Authority::new();
    let upstream = Upstream::start(Script::ok(), Order::default()).await;
    let crm = destination("crm", &format!("http://{}", upstream.address));
    let mut setup = Setup::new(vec![Arc::new(crm)]);
    let (certificate, key) = authority.issue("crm.test");
    setup.tls = Some((certificate, key, None, false));
    let gate = start(setup, Order::default()).await;
    let stream = handshake(&gate, &authority, None, &[b"http/1.1"]).await;
    let mut client = Client::over(stream.unwrap());
    for _ in 0..3 {
        assert_eq!(client.ask(POST).await.status, 200);
        sleep(REST).await;
    }
    let (first, second) = POST.split_at(20);
    client.send(first.as_bytes()).await;
    sleep(REST).await;
    client.send(second.as_bytes()).await;
    assert_eq!(client.answer().await.unwrap().status, 200);
    sleep(REST).await;
    gate.shutdown.cancel();
    assert!(client.is_closed().await);
    assert_eq!(gate.stop().await.decided().len(), 4);
}

/// A resting connection is closed when its time is over, by the drain at once, and by its client without a trace.
#[tokio::test]
async fn a_resting_connection_ends_quietly() {
    let (gate, _upstream) = between(Script::ok()).await;
    let mut gone = Client::connect(gate.address).await;
    assert_eq!(gone.ask(POST).await.status, 200);
    let mut kept = Client::connect(gate.address).await;
    assert_eq!(kept.ask(POST).await.status, 200);
    sleep(REST).await;
    drop(gone);
    let began = Instant::now();
    gate.shutdown.cancel();
    assert!(kept.is_closed().await);
    let log = gate.stop().await;
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(log.decided().len(), 2);
}

#[tokio::test]
async fn a_resting_connection_is_closed_when_its_time_is_over() {
    let upstream = Upstream::start(Script::ok(), Order::default()).await;
    let crm = destination("crm", &format!("http://{}", upstream.address));
    let mut setup = Setup::new(vec![Arc::new(crm)]);
    setup.idle_time = Duration::from_millis(300);
    let gate = start(setup, Order::default()).await;
    let mut client = Client::connect(gate.address).await;
    assert_eq!(client.ask(POST).await.status, 200);
    let began = Instant::now();
    let read = tokio::io::AsyncReadExt::read(&mut client.stream, &mut [0]).await;
    assert_eq!(read.unwrap(), 0);
    assert!(began.elapsed() > REST, "rest and idle time");
    assert!(began.elapsed() < Duration::from_secs(2));
    drop(gate);
}

/// More clients than there may be wait at the door and are let in as others leave.
#[tokio::test]
async fn connections_are_bounded() {
    let upstream = Upstream::start(Script::ok(), Order::default()).await;
    let crm = destination("crm", &format!("http://{}", upstream.address));
    let mut setup = Setup::new(vec![Arc::new(crm)]);
    setup.connections = 2;
    let gate = start(setup, Order::default()).await;
    let mut first = Client::connect(gate.address).await;
    let mut second = Client::connect(gate.address).await;
    assert_eq!(first.ask(POST).await.status, 200);
    assert_eq!(second.ask(POST).await.status, 200);
    let mut third = Client::connect(gate.address).await;
    third.send(POST.as_bytes()).await;
    let waited = tokio::time::timeout(REST, third.answer()).await;
    assert!(waited.is_err(), "there is no room for a third");
    drop(first);
    assert_eq!(third.answer().await.unwrap().status, 200);
    drop(gate);
}

/// A client that takes nothing of its answer holds its exchange only so long.
#[tokio::test]
async fn a_client_that_does_not_read_is_given_up() {
    let length = 32 << 20;
    let wire = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{}",
        "x".repeat(length)
    );
    let upstream = Upstream::start(Script::answer(&wire), Order::default()).await;
    let crm = destination("crm", &format!("http://{}", upstream.address));
    let mut setup = Setup::new(vec![Arc::new(crm)]);
    setup.write_time = Duration::from_millis(300);
    setup.concurrency = 1;
    let gate = start(setup, Order::default()).await;
    let mut slow = Client::connect(gate.address).await;
    slow.send(POST.as_bytes()).await;
    sleep(Duration::from_millis(150)).await;
    let mut other = Client::connect(gate.address).await;
    assert_eq!(other.ask(POST).await.status, 503, "the one place is taken");
    sleep(Duration::from_millis(800)).await;
    let metrics = String::from_utf8(gate.metrics.render().unwrap()).unwrap();
    assert!(
        metrics.contains("shekara_connection_faults_total{fault=\"slow-reader\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("shekara_timeouts_total{destination=\"crm\",limit=\"write_time\"} 1"),
        "{metrics}"
    );
    let mut next = Client::connect(gate.address).await;
    next.send(POST.as_bytes()).await;
    assert_eq!(next.answer().await.unwrap().body.len(), length);
    drop(slow);
    let completed = gate.stop().await.completed();
    let ends: Vec<_> = completed
        .iter()
        .map(|it| (it.outcome, it.time_limit))
        .collect();
    assert_eq!(
        ends,
        [
            (Outcome::Aborted, Some(TimeLimit::WriteTime)),
            (Outcome::Answered, None)
        ]
    );
}
