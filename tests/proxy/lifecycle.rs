//! Load, reload, drain, breakdown, readiness.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use shekara::{
    admin::{Admin, Check, Condition, Settings, Weight},
    gatekeeper::record::Outcome,
};
use tokio_util::sync::CancellationToken;

use crate::{
    between, start,
    support::{
        client::Client,
        gate::{Setup, destination, snapshot},
        ports::{MemoryLog, Order},
        upstream::{Script, Upstream},
    },
};

const GET: &str = "GET /v1 HTTP/1.1\r\nHost: crm.test\r\n\r\n";

fn slow(delay: u64) -> Script {
    Script {
        delay: Duration::from_millis(delay),
        ..Script::ok()
    }
}

#[tokio::test]
async fn more_exchanges_than_there_is_room_for_are_told_to_come_back() {
    let upstream = Upstream::start(slow(200), Order::default()).await;
    let crm = destination("crm", &format!("http://{}", upstream.address));
    let mut setup = Setup::new(vec![Arc::new(crm)]);
    setup.concurrency = 1;
    let gate = start(setup, Order::default()).await;
    let mut first = Client::connect(gate.address).await;
    first.send(GET.as_bytes()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let answer = Client::connect(gate.address).await.ask(GET).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.field("retry-after"), Some("2"));
    assert_eq!(first.answer().await.unwrap().status, 200);
    assert_eq!(first.ask(GET).await.status, 200, "the place is free again");
    assert_eq!(gate.stop().await.reasons(), ["-", "overloaded", "-"]);
}

/// The places of an exchange are held until its last byte, not until its head: a limit around the service alone would let go of
/// them with the head.
#[tokio::test]
async fn trap_8_places_are_held_until_the_last_byte_of_the_answer() {
    let script = Script {
        pause: Duration::from_millis(200),
        ..Script::answer(&format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
            "x".repeat(100)
        ))
    };
    let upstream = Upstream::start(script, Order::default()).await;
    let crm = destination("crm", &format!("http://{}", upstream.address));
    let mut setup = Setup::new(vec![Arc::new(crm)]);
    setup.concurrency = 1;
    let gate = start(setup, Order::default()).await;
    let mut first = Client::connect(gate.address).await;
    first.send(GET.as_bytes()).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(
        Client::connect(gate.address).await.ask(GET).await.status,
        503
    );
    assert_eq!(first.answer().await.unwrap().body.len(), 100);
    drop(gate);
}

#[tokio::test]
async fn exchanges_under_way_finish_while_draining() {
    let (gate, _upstream) = between(slow(200)).await;
    let mut idle = Client::connect(gate.address).await;
    assert_eq!(idle.ask(GET).await.status, 200);
    let mut busy = Client::connect(gate.address).await;
    busy.send(GET.as_bytes()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.shutdown.cancel();
    assert!(idle.is_closed().await);
    assert!(gate.handle.is_draining());
    assert_eq!(busy.answer().await.unwrap().status, 200);
    let log = gate.stop().await;
    assert!(
        log.completed()
            .iter()
            .all(|it| it.outcome == Outcome::Answered)
    );
}

#[tokio::test]
async fn what_outlasts_the_drain_time_is_ended_and_recorded() {
    let upstream = Upstream::start(slow(5_000), Order::default()).await;
    let mut crm = destination("crm", &format!("http://{}", upstream.address));
    crm.limits.response_time = Duration::from_secs(60);
    let mut setup = Setup::new(vec![Arc::new(crm)]);
    setup.drain_time = Duration::from_millis(100);
    let gate = start(setup, Order::default()).await;
    let mut client = Client::connect(gate.address).await;
    client.send(GET.as_bytes()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let began = Instant::now();
    let log = gate.stop().await;
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!(log.completed()[0].outcome, Outcome::Aborted);
    assert!(log.completed()[0].sent);
}

/// Requests see one configuration or the other, never a mixture, and none is lost.
#[tokio::test]
async fn a_reload_under_load_loses_nothing() {
    let (gate, old) = between(slow(2)).await;
    let new = Upstream::start(slow(2), Order::default()).await;
    let address = gate.address;
    let load = tokio::spawn(async move {
        let mut client = Client::connect(address).await;
        for _ in 0..200 {
            assert_eq!(client.ask(GET).await.status, 200);
        }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let crm = destination("crm", &format!("http://{}", new.address));
    let next = snapshot(vec![Arc::new(crm)], Vec::new(), 2);
    gate.handle.swap(next).unwrap();
    assert_eq!(gate.handle.snapshot().versions.generation, 2);
    load.await.unwrap();
    let (before, after) = (old.requests().len(), new.requests().len());
    assert!(before > 0 && after > 0, "{before} {after}");
    assert_eq!(before + after, 200);
    for it in gate.stop().await.decided().iter().skip(before) {
        assert_eq!(it.versions.generation, 2);
    }
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_changes_nothing() {
    let (gate, _upstream) = between(Script::ok()).await;
    let mut crm = destination("crm", "https://crm.example.org");
    crm.upstream.roots = shekara::gatekeeper::destination::Roots::Pem("no certificate".into());
    let error = gate
        .handle
        .swap(snapshot(vec![Arc::new(crm)], Vec::new(), 2))
        .unwrap_err();
    assert!(error.contains("destination `crm`"), "{error}");
    assert_eq!(gate.handle.snapshot().versions.generation, 1);
    assert_eq!(
        Client::connect(gate.address).await.ask(GET).await.status,
        200
    );
    drop(gate);
}

#[tokio::test]
async fn a_breakdown_of_one_request_is_answered_and_is_the_only_one() {
    let (gate, upstream) = between(Script::ok()).await;
    gate.log.panics.store(true, Ordering::SeqCst);
    let answer = Client::connect(gate.address).await.ask(GET).await;
    assert_eq!(answer.status, 503);
    assert_eq!(upstream.connections(), 0);
    gate.log.panics.store(false, Ordering::SeqCst);
    assert_eq!(
        Client::connect(gate.address).await.ask(GET).await.status,
        200
    );
    drop(gate);
}

#[tokio::test]
async fn a_head_that_does_not_arrive_is_not_waited_for() {
    let mut setup = Setup::new(vec![Arc::new(destination("crm", "http://127.0.0.1:1"))]);
    setup.head_time = Duration::from_millis(100);
    let gate = start(setup, Order::default()).await;
    let mut client = Client::connect(gate.address).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    client.send(b"GET / HTTP/1.1\r\nHo").await;
    assert_eq!(client.answer().await.unwrap().status, 408);
    assert!(client.is_closed().await);
    assert_eq!(gate.stop().await.reasons(), ["framing"]);
}

#[tokio::test]
async fn readiness_follows_the_log_and_the_drain() {
    let (gate, _upstream) = between(Script::ok()).await;
    let (log, handle): (Arc<MemoryLog>, _) = (Arc::clone(&gate.log), gate.handle.clone());
    let probe = Arc::new(move || {
        use shekara::gatekeeper::ports::AuditLog as _;
        let check = |name, is_ok, weight| Check {
            name,
            is_ok,
            weight,
        };
        Condition {
            checks: vec![
                check("audit", log.is_writable(), Weight::Vital),
                check("serving", !handle.is_draining(), Weight::Vital),
                check("spool", false, Weight::Partial),
            ],
            notes: vec!["waiver no-agreement at crm until 2026-12-31".to_owned()],
        }
    });
    let settings = Settings {
        bind: ([127, 0, 0, 1], 0).into(),
    };
    let admin = Admin::bind(&settings, Arc::clone(&gate.metrics), probe)
        .await
        .unwrap();
    let address = admin.address().unwrap();
    let shutdown = CancellationToken::new();
    let served = tokio::spawn(admin.serve(shutdown.clone()));
    let get = async |path: &str| {
        let wire = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = Client::connect(address).await.ask(&wire).await;
        (answer.status, answer.text())
    };
    assert_eq!(get("/livez").await.0, 200);
    assert_eq!(get("/v1/contacts").await.0, 404);
    assert!(get("/metrics").await.1.contains("shekara_build_info"));
    assert_eq!(get("/readyz").await, (200, "ready\n".to_owned()));
    gate.log.is_broken.store(true, Ordering::SeqCst);
    assert_eq!(
        get("/readyz?verbose").await,
        (
            503,
            "[-] audit\n[+] serving\n[!] cannot be used: spool\n\
             [!] opened: waiver no-agreement at crm until 2026-12-31\nnot ready\n"
                .to_owned()
        )
    );
    gate.log.is_broken.store(false, Ordering::SeqCst);
    gate.shutdown.cancel();
    assert_eq!(get("/healthz").await.0, 503);
    gate.stop().await;
    shutdown.cancel();
    served.await.unwrap();
}

/// A destination that leads back to the gate is noticed on the second pass.
#[tokio::test]
async fn a_gate_in_front_of_itself_stops_the_storm() {
    let (gate, _upstream) = between(Script::ok()).await;
    let mut own = destination("own", &format!("http://{}", gate.address));
    own.matcher.host = None;
    let next = snapshot(vec![Arc::new(own)], Vec::new(), 2);
    gate.handle.swap(next).unwrap();
    let answer = Client::connect(gate.address).await.ask(GET).await;
    assert_eq!(answer.status, 508);
    assert_eq!(gate.stop().await.reasons(), ["-", "proxy-loop"]);
}

/// If this fails, a reload drops connections to recipients that it does not touch, or keeps one to an upstream that has changed.
#[tokio::test]
async fn connections_outlive_a_reload_that_does_not_touch_their_destination() {
    let (gate, upstream) = between(Script::ok()).await;
    let ask = async || Client::connect(gate.address).await.ask(GET).await.status;
    assert_eq!(ask().await, 200);
    let url = format!("http://{}", upstream.address);
    let mut renamed = destination("crm", &url);
    renamed.legal_status = 403;
    gate.handle
        .swap(snapshot(vec![Arc::new(renamed)], Vec::new(), 2))
        .unwrap();
    assert_eq!(ask().await, 200);
    assert_eq!(upstream.connections(), 1, "it is reached as before");
    let mut changed = destination("crm", &url);
    changed.upstream.controlled_zone = false;
    gate.handle
        .swap(snapshot(vec![Arc::new(changed)], Vec::new(), 3))
        .unwrap();
    assert_eq!(ask().await, 502, "loopback is not allowed any more");
    assert_eq!(upstream.connections(), 1);
    drop(gate);
}

/// If this fails, a client that connects while the gate drains waits for nothing, or one that is busy sends into a closing connection.
#[tokio::test]
async fn draining_refuses_new_connections_and_says_so_on_old_ones() {
    let (gate, _upstream) = between(slow(300)).await;
    let mut busy = Client::connect(gate.address).await;
    busy.send(GET.as_bytes()).await;
    let mut idle = Client::connect(gate.address).await;
    assert_eq!(idle.ask(GET).await.field("connection"), None);
    busy.answer().await.unwrap();
    busy.send(GET.as_bytes()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.shutdown.cancel();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let refused = tokio::net::TcpStream::connect(gate.address).await;
    assert!(refused.is_err(), "the listener is still open");
    let last = idle.ask(GET).await;
    assert_eq!(
        (last.status, last.field("connection")),
        (200, Some("close"))
    );
    assert_eq!(
        busy.answer().await.unwrap().field("connection"),
        Some("close")
    );
    assert_eq!(gate.stop().await.decided().len(), 4);
}
