//! How much at once, and for how long: memory, disk, places, time limits. What is too much is told to come back, and nothing of it
//! is sent.

use std::{
    collections::BTreeSet,
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use shekara::gatekeeper::{
    destination::{Caller, Limits},
    record::{Outcome, TimeLimit},
};
use tokio::time::sleep;

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
const SHORT: Duration = Duration::from_millis(200);

/// A gate in front of an upstream that follows `script`.
async fn gate(
    script: Script,
    change: impl FnOnce(&mut Setup),
    limits: impl FnOnce(&mut Limits),
) -> (Gate, Upstream) {
    let order = Order::default();
    let upstream = Upstream::start(script, order.clone()).await;
    let mut crm = destination("crm", &format!("http://{}", upstream.address));
    limits(&mut crm.limits);
    let mut setup = Setup::new(vec![Arc::new(crm)]);
    change(&mut setup);
    (start(setup, order).await, upstream)
}

fn unchanged(_: &mut Setup) {}

fn head(length: usize) -> String {
    format!(
        "POST /v1 HTTP/1.1\r\nHost: crm.test\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
    )
}

fn post(length: usize) -> String {
    head(length) + &"x ".repeat(length)[..length]
}

fn metric(gate: &Gate, name: &str) -> u64 {
    let text = String::from_utf8(gate.metrics.render().unwrap()).unwrap();
    let line = text.lines().find(|it| it.starts_with(name));
    // A series that nothing was counted in yet is not there.
    line.map_or(0, |it| it.rsplit(' ').next().unwrap().parse().unwrap())
}

/// Waits until `name` is `value`.
async fn until(gate: &Gate, name: &str, value: u64) {
    let began = Instant::now();
    while metric(gate, name) != value {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{name}: {} instead of {value}",
            metric(gate, name)
        );
        sleep(Duration::from_millis(5)).await;
    }
}

fn check_overload(answer: &Answer, why: &str) {
    assert_eq!(answer.status, 503);
    assert_eq!(answer.field("retry-after"), Some("2"));
    let problem = answer.json();
    assert_eq!(problem["type"], "urn:shekara:reason:overloaded");
    let detail = problem["detail"].as_str().unwrap();
    let recorded = format!("({why})");
    assert!(detail.contains(&recorded) || why.is_empty(), "{detail}");
}

#[tokio::test]
async fn a_large_body_goes_over_the_disk_and_comes_out_as_it_came() {
    let script = Script {
        delay: SHORT,
        ..Script::ok()
    };
    let dir = tempfile::tempdir().unwrap();
    let (gate, upstream) = gate(
        script,
        |it| {
            it.spool_above = 64 << 10;
            it.spool_dir = Some(dir.path().join("spool"));
        },
        |it| it.body_bytes = 16 << 20,
    )
    .await;
    let body: String = (0..300_000).map(|it| format!("{it} ")).collect();
    let chunked = body
        .as_bytes()
        .chunks(100_000)
        .map(|it| format!("{:x}\r\n{}\r\n", it.len(), String::from_utf8_lossy(it)))
        .collect::<String>();
    let fields = "POST /v1 HTTP/1.1\r\nHost: crm.test\r\nContent-Type: text/plain\r\n";
    let wires = [
        format!("{fields}Content-Length: {}\r\n\r\n{body}", body.len()),
        format!("{fields}Transfer-Encoding: chunked\r\n\r\n{chunked}0\r\n\r\n"),
    ];
    for (at, wire) in wires.iter().enumerate() {
        let mut client = Client::connect(gate.address).await;
        client.send(wire.as_bytes()).await;
        let began = Instant::now();
        while upstream.requests().len() <= at {
            assert!(began.elapsed() < Duration::from_secs(10));
            sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(client.answer().await.unwrap().status, 200);
        let sent = upstream.requests()[at].clone();
        assert!(sent.ends_with(&format!("\r\n\r\n{body}")));
        assert_eq!(fs::read_dir(dir.path().join("spool")).unwrap().count(), 0);
        until(&gate, "shekara_spool_bytes", 0).await;
    }
    assert_eq!(metric(&gate, "shekara_memory_reserved_bytes"), 0);
    let decided = gate.stop().await.decided();
    assert_eq!(decided[0].bytes_in, body.len() as u64);
    assert_eq!(
        decided[0].leaves.as_ref().unwrap().digest,
        decided[1].leaves.as_ref().unwrap().digest
    );
}

/// What is reserved is what the head announces, before a byte of it is there; who comes when it is spent waits a second.
#[tokio::test]
async fn bodies_have_the_memory_that_there_is_and_no_more() {
    let (gate, upstream) = gate(Script::ok(), |it| it.memory = 1 << 20, |_| {}).await;
    let mut first = Client::connect(gate.address).await;
    first.send(head(700 << 10).as_bytes()).await;
    until(&gate, "shekara_memory_reserved_bytes", 700 << 10).await;
    let mut second = Client::connect(gate.address).await;
    let began = Instant::now();
    let wire = head(700 << 10).replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    let answer = second.ask(&wire).await;
    check_overload(&answer, "the gate has no memory free for the body");
    assert!(began.elapsed() >= Duration::from_millis(900), "it waits");
    assert_eq!(metric(&gate, "shekara_memory_reserved_bytes"), 700 << 10);
    // There is room for a small one all the time.
    assert_eq!(
        Client::connect(gate.address)
            .await
            .ask(&post(100 << 10))
            .await
            .status,
        200
    );
    // One that waits gets its turn.
    let address = gate.address;
    let third =
        tokio::spawn(async move { Client::connect(address).await.ask(&post(700 << 10)).await });
    sleep(SHORT).await;
    first.send(&vec![b'x'; 700 << 10]).await;
    assert_eq!(first.answer().await.unwrap().status, 200);
    assert_eq!(third.await.unwrap().status, 200);
    until(&gate, "shekara_memory_reserved_bytes", 0).await;
    assert_eq!(upstream.requests().len(), 3);
    assert_eq!(gate.stop().await.reasons(), ["overloaded", "-", "-", "-"]);
}

/// A body that does not say how long it is reserves as it grows.
#[tokio::test]
async fn a_body_of_unknown_length_reserves_as_it_grows() {
    let (gate, _upstream) = gate(Script::ok(), |it| it.memory = 256 << 10, |_| {}).await;
    let mut client = Client::connect(gate.address).await;
    let fields = "POST /v1 HTTP/1.1\r\nHost: crm.test\r\nTransfer-Encoding: chunked\r\n\r\n";
    client.send(fields.as_bytes()).await;
    let piece = format!("{:x}\r\n{}\r\n", 100 << 10, "x".repeat(100 << 10));
    client.send(piece.as_bytes()).await;
    let began = Instant::now();
    let reserved = loop {
        let reserved = metric(&gate, "shekara_memory_reserved_bytes");
        if reserved >= 100 << 10 {
            break reserved;
        }
        assert!(began.elapsed() < Duration::from_secs(1), "{reserved}");
        sleep(Duration::from_millis(5)).await;
    };
    assert!(reserved <= 200 << 10, "{reserved}");
    let answer = client.ask(&piece.repeat(3)).await;
    check_overload(&answer, "the gate has no memory free for the body");
    until(&gate, "shekara_memory_reserved_bytes", 0).await;
    drop(gate);
}

#[tokio::test]
async fn a_spool_that_fails_sends_nothing_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let spool = dir.path().join("spool");
    let (gate, upstream) = gate(
        Script::ok(),
        |it| {
            it.spool_dir = Some(spool.clone());
            it.spool_size = 2 << 20;
        },
        |_| {},
    )
    .await;
    let held = Client::connect(gate.address).await;
    let mut held = held;
    held.send(head(1536 << 10).as_bytes()).await;
    until(&gate, "shekara_spool_bytes", 1536 << 10).await;
    let answer = Client::connect(gate.address)
        .await
        .ask(&post(1536 << 10))
        .await;
    check_overload(&answer, "the gate has no room on the disk for the body");
    drop(held);
    until(&gate, "shekara_spool_bytes", 0).await;
    fs::remove_dir(&spool).unwrap();
    let answer = Client::connect(gate.address)
        .await
        .ask(&post(1536 << 10))
        .await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.field("retry-after"), Some("2"));
    assert_eq!(
        answer.json()["type"],
        "urn:shekara:reason:spool-unavailable"
    );
    // What needs no disk goes on.
    let small = Client::connect(gate.address).await.ask(&post(1000)).await;
    assert_eq!(small.status, 200);
    assert_eq!(upstream.requests().len(), 1);
    let log = gate.stop().await;
    let decided = log.decided();
    let fault = |at: usize| decided[at].fault.as_deref();
    assert_eq!(
        log.reasons(),
        ["overloaded", "framing", "spool-unavailable", "-"]
    );
    assert_eq!(
        fault(2),
        Some("the body could not be kept on the disk"),
        "the record says what stood in the way"
    );
}

/// Each limit of a request body ends it with 408, and record and metric say which one it was.
#[tokio::test]
async fn a_body_that_is_too_slow_is_not_waited_for() {
    let check = async |limits: fn(&mut Limits), pieces: usize, limit: &str| {
        let (gate, upstream) = gate(Script::ok(), unchanged, limits).await;
        let mut client = Client::connect(gate.address).await;
        client.send(head(1000).as_bytes()).await;
        let began = Instant::now();
        for _ in 0..pieces {
            client.send(b"x").await;
            sleep(Duration::from_millis(60)).await;
        }
        let answer = client.answer().await.unwrap();
        assert_eq!(answer.status, 408, "{limit}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(limit));
        assert!(began.elapsed() < Duration::from_secs(2), "{limit}");
        assert!(client.is_closed().await);
        let series = format!("shekara_timeouts_total{{destination=\"crm\",limit=\"{limit}\"}}");
        assert_eq!(metric(&gate, &series), 1);
        assert_eq!(upstream.connections(), 0);
        let decided = gate.stop().await.decided();
        assert!(decided[0].fault.as_deref().unwrap().contains(limit));
    };
    check(|it| it.body_idle_time = SHORT, 1, "body_idle_time").await;
    check(|it| it.body_time = SHORT, 3, "body_time").await;
    check(|it| it.total_time = SHORT, 3, "total_time").await;
}

/// Each limit of an answer ends it, and record and metric say which one it was.
#[tokio::test]
async fn an_answer_that_is_too_slow_is_not_waited_for() {
    let long = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}",
        "x".repeat(1000)
    );
    let check = async |script: Script,
                       limits: fn(&mut Limits),
                       status: u16,
                       wanted: (TimeLimit, Outcome)| {
        let (gate, _upstream) = gate(script, unchanged, limits).await;
        let mut client = Client::connect(gate.address).await;
        client.send(GET.as_bytes()).await;
        // An answer that has begun can only be broken off.
        let answer = client.answer().await;
        assert_eq!(
            answer.map(|it| it.status),
            (status != 200).then_some(status)
        );
        let name = wanted.0.as_str();
        let series = format!("shekara_timeouts_total{{destination=\"crm\",limit=\"{name}\"}}");
        until(&gate, &series, 1).await;
        let completed = gate.stop().await.completed();
        assert_eq!(completed[0].time_limit, Some(wanted.0));
        assert_eq!(completed[0].outcome, wanted.1, "{name}");
        assert!(completed[0].sent);
    };
    let late = Script {
        delay: Duration::from_secs(1),
        ..Script::ok()
    };
    let pausing = Script {
        pause: Duration::from_secs(1),
        ..Script::answer(&long)
    };
    let failed = Outcome::UpstreamFailed;
    let limit = |it: &mut Limits| it.response_time = SHORT;
    check(late.clone(), limit, 504, (TimeLimit::ResponseTime, failed)).await;
    let limit = |it: &mut Limits| it.total_time = SHORT;
    check(late, limit, 504, (TimeLimit::TotalTime, failed)).await;
    let limit = |it: &mut Limits| it.response_idle_time = SHORT;
    check(
        pausing.clone(),
        limit,
        200,
        (TimeLimit::ResponseIdleTime, failed),
    )
    .await;
    let limit = |it: &mut Limits| it.total_time = SHORT;
    check(
        pausing,
        limit,
        200,
        (TimeLimit::TotalTime, Outcome::Aborted),
    )
    .await;
}

/// A caller and an address have places of their own; others are not kept waiting by them.
#[tokio::test]
async fn one_client_cannot_take_every_place() {
    let slow = Script {
        delay: Duration::from_millis(500),
        ..Script::ok()
    };
    let (gate, _upstream) = gate(
        slow,
        |it| {
            it.per_client = Some(1);
            let token = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
            let bytes: Vec<u8> = (0..32)
                .map(|at| u8::from_str_radix(&token[2 * at..2 * at + 2], 16).unwrap())
                .collect();
            it.callers = vec![Caller {
                id: "shop".into(),
                sans: BTreeSet::new(),
                tokens: vec![bytes.try_into().unwrap()],
                cidrs: Vec::new(),
                concurrency: Some(2),
            }];
        },
        |_| {},
    )
    .await;
    let shop = GET.replace("\r\n\r\n", "\r\nShekara-Token: foo\r\n\r\n");
    let mut busy = Vec::new();
    for wire in [GET, &shop, &shop] {
        let mut client = Client::connect(gate.address).await;
        client.send(wire.as_bytes()).await;
        busy.push(client);
    }
    until(&gate, "shekara_requests_in_flight", 3).await;
    for wire in [GET, &shop] {
        let answer = Client::connect(gate.address).await.ask(wire).await;
        check_overload(&answer, "the client has no exchange free");
    }
    for mut client in busy {
        assert_eq!(client.answer().await.unwrap().status, 200);
    }
    let log = gate.stop().await;
    let callers: Vec<String> = log
        .decided()
        .iter()
        .map(|it| it.caller.to_string())
        .collect();
    assert_eq!(callers.iter().filter(|it| *it == "shop").count(), 3);
    assert_eq!(log.completed().len(), 3);
}

#[tokio::test]
async fn an_address_has_so_many_connections() {
    let (gate, _upstream) = gate(Script::ok(), |it| it.connections_per_client = 2, |_| {}).await;
    let mut first = Client::connect(gate.address).await;
    let mut second = Client::connect(gate.address).await;
    assert_eq!(first.ask(GET).await.status, 200);
    assert_eq!(second.ask(GET).await.status, 200);
    let mut third = Client::connect(gate.address).await;
    assert!(third.is_closed().await);
    assert_eq!(metric(&gate, "shekara_connections_refused_total"), 1);
    drop(first);
    let began = Instant::now();
    loop {
        let mut fourth = Client::connect(gate.address).await;
        fourth.send(GET.as_bytes()).await;
        if fourth.answer().await.is_some_and(|it| it.status == 200) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "never free again");
    }
    drop(gate);
}

/// Many that begin and do not go on: heads and bodies. Another client is served meanwhile, and each of them ends in time.
#[tokio::test]
async fn slow_clients_do_not_keep_others_waiting() {
    let (gate, _upstream) = gate(
        Script::ok(),
        |it| {
            it.concurrency = 300;
            it.head_time = Duration::from_secs(1);
        },
        |it| it.body_idle_time = Duration::from_secs(1),
    )
    .await;
    let mut slow = Vec::new();
    for at in 0..400 {
        let mut client = Client::connect(gate.address).await;
        let wire = if at % 2 == 0 {
            "POST /v1 HTTP/1.1\r\nHost: cr".to_owned()
        } else {
            head(1000) + "x"
        };
        client.send(wire.as_bytes()).await;
        slow.push(client);
    }
    let began = Instant::now();
    for _ in 0..20 {
        let answer = Client::connect(gate.address).await.ask(GET).await;
        assert_eq!(answer.status, 200);
    }
    assert!(
        began.elapsed() < Duration::from_millis(900),
        "{:?}",
        began.elapsed()
    );
    for mut client in slow {
        assert_eq!(client.answer().await.unwrap().status, 408);
        assert!(client.is_closed().await);
    }
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    until(&gate, "shekara_requests_in_flight", 0).await;
    assert_eq!(metric(&gate, "shekara_memory_reserved_bytes"), 0);
    drop(gate);
}

/// Large bodies are read by as many threads as there are cores; a small one does not stand behind them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_do_not_keep_small_ones_waiting() {
    let (gate, _upstream) = gate(Script::ok(), unchanged, |it| {
        it.inspection_time = Duration::from_secs(60)
    })
    .await;
    let record = r#"{"iin":"991231100010","email":"person@example.org","note":"text"},"#;
    let body = format!("[{}null]", record.repeat((3 << 20) / record.len()));
    let wire = format!(
        "POST /v1 HTTP/1.1\r\nHost: crm.test\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let wire = Arc::new(wire);
    let address = gate.address;
    let large: Vec<_> = (0..12)
        .map(|_| {
            let wire = Arc::clone(&wire);
            tokio::spawn(async move { Client::connect(address).await.ask(&wire).await.status })
        })
        .collect();
    let began = Instant::now();
    while metric(&gate, "shekara_inspections_waiting") < 6 {
        assert!(began.elapsed() < Duration::from_secs(20));
        sleep(Duration::from_millis(5)).await;
    }
    let cores = std::thread::available_parallelism().unwrap().get() as u64;
    assert!(metric(&gate, "shekara_inspections_in_flight") <= cores);
    let began = Instant::now();
    assert_eq!(Client::connect(address).await.ask(GET).await.status, 200);
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert!(large.iter().any(|it| !it.is_finished()), "no load at all");
    for it in large {
        it.abort();
    }
    drop(gate);
}

/// A disk that takes records and never answers: the request is refused, nothing is sent, and should the record of the decision
/// become durable all the same, its end follows.
#[tokio::test]
async fn a_log_that_hangs_holds_no_request() {
    let (gate, upstream) = gate(Script::ok(), unchanged, |_| {}).await;
    *gate.log.delay.lock().unwrap() = Duration::from_millis(5_500);
    let began = Instant::now();
    let answer = Client::connect(gate.address).await.ask(GET).await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.json()["type"],
        "urn:shekara:reason:audit-unavailable"
    );
    assert!(
        began.elapsed() < Duration::from_millis(5_400),
        "{:?}",
        began.elapsed()
    );
    sleep(Duration::from_secs(1)).await;
    assert_eq!(upstream.connections(), 0);
    let log = gate.stop().await;
    assert_eq!(log.decided().len(), 1);
    let completed = log.completed();
    assert_eq!((completed.len(), completed[0].sent), (1, false));
}
