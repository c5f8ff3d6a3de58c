//! HTTP/2 to upstreams: what is shared, what is sent again, what is not, and how connections end.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use shekara::gatekeeper::{
    destination::{Destination, HttpVersions},
    record::{Completed, Outcome},
};

use crate::{
    start,
    support::{
        client::{Answer, Client},
        frames::{Act, Character, Frames},
        gate::{Gate, Setup, destination},
        ports::Order,
    },
};

const GET: &str = "GET /v1 HTTP/1.1\r\nHost: crm.test\r\n\r\n";
const POST: &str = "POST /v1 HTTP/1.1\r\nHost: crm.test\r\nContent-Length: 5\r\n\r\nabcde";

/// A gate with destination `crm` in front of `character`, by prior knowledge.
async fn between(character: Character, change: impl FnOnce(&mut Destination)) -> (Gate, Frames) {
    let upstream = Frames::start(character).await;
    let mut crm = destination("crm", &format!("http://{}", upstream.address));
    crm.upstream.http = HttpVersions::Http2;
    crm.upstream.breaker.failures = 0;
    change(&mut crm);
    let gate = start(Setup::new(vec![Arc::new(crm)]), Order::default()).await;
    (gate, upstream)
}

async fn ask(gate: &Gate, wire: &str) -> Answer {
    Client::connect(gate.address).await.ask(wire).await
}

/// Answers to `wire` sent `count` times at once.
async fn ask_at_once(gate: &Gate, wire: &'static str, count: usize) -> Vec<Answer> {
    let mut clients = Vec::new();
    for _ in 0..count {
        let mut client = Client::connect(gate.address).await;
        clients.push(tokio::spawn(async move { client.ask(wire).await }));
    }
    let mut answers = Vec::new();
    for it in clients {
        answers.push(it.await.unwrap());
    }
    answers
}

async fn completed(gate: Gate) -> Vec<Completed> {
    gate.stop().await.completed()
}

/// Waits until `count` connections are open.
async fn until_open(upstream: &Frames, count: usize) {
    let began = Instant::now();
    while upstream.open.load(Ordering::SeqCst) != count {
        assert!(began.elapsed() < Duration::from_secs(5), "{upstream:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn exchanges_that_come_at_once_share_a_connection() {
    let slow = Act::Answer(Duration::from_millis(100));
    let (gate, upstream) = between(Character::that(&[slow]), |_| {}).await;
    let answers = ask_at_once(&gate, POST, 20).await;
    assert!(answers.iter().all(|it| it.status == 200));
    assert_eq!(upstream.connections(), 1);
    assert!(upstream.streams_peak.load(Ordering::SeqCst) > 10);
    assert_eq!(upstream.bytes.load(Ordering::SeqCst), 100);
    assert!(completed(gate).await.iter().all(|it| it.sent));
}

/// The peer says how many streams it takes; no request is sent to be refused, and there is an end to connections too.
#[tokio::test]
async fn a_full_connection_is_joined_by_another_up_to_the_limit() {
    let character = Character {
        streams_max: 2,
        ..Character::that(&[Act::OK, Act::Answer(Duration::from_millis(150))])
    };
    let (gate, upstream) = between(character, |it| {
        it.upstream.connections.max = Some(2);
    })
    .await;
    assert_eq!(ask(&gate, GET).await.status, 200, "the settings are known");
    let answers = ask_at_once(&gate, GET, 6).await;
    assert!(answers.iter().all(|it| it.status == 200));
    assert_eq!(upstream.connections(), 2);
    assert_eq!(upstream.streams_peak.load(Ordering::SeqCst), 2);
    assert_eq!(upstream.requests().len(), 7);
    drop(gate);
}

#[tokio::test]
async fn too_many_exchanges_for_the_connections_are_told_to_come_back() {
    let character = Character {
        streams_max: 1,
        ..Character::that(&[Act::OK, Act::Answer(Duration::from_millis(1600))])
    };
    let (gate, upstream) = between(character, |it| {
        it.upstream.connections.max = Some(1);
    })
    .await;
    assert_eq!(ask(&gate, GET).await.status, 200);
    let mut answers = ask_at_once(&gate, GET, 2).await;
    answers.sort_by_key(|it| it.status);
    assert_eq!(answers[0].status, 200);
    assert_eq!(answers[1].status, 503);
    assert!(answers[1].field("retry-after").is_some());
    let status = answers[1].field("proxy-status").unwrap();
    assert!(status.starts_with("shekara; error=connection_limit_reached"));
    assert_eq!(upstream.requests().len(), 2);
    assert_eq!(completed(gate).await.iter().filter(|it| it.sent).count(), 2);
}

#[tokio::test]
async fn a_refused_request_is_sent_once_more_and_not_again() {
    let (gate, upstream) = between(Character::that(&[Act::REFUSE, Act::OK]), |_| {}).await;
    assert_eq!(ask(&gate, POST).await.status, 200);
    assert_eq!(upstream.requests(), [(0, 1), (0, 3)]);
    assert!(completed(gate).await[0].sent);

    let (gate, upstream) = between(Character::that(&[Act::REFUSE]), |_| {}).await;
    let answer = ask(&gate, POST).await;
    assert_eq!(answer.status, 503);
    assert!(answer.field("retry-after").is_some());
    assert_eq!(
        answer.field("proxy-status"),
        Some("shekara; error=destination_unavailable; details=\"not processed\"")
    );
    assert_eq!(upstream.requests().len(), 2);
    let completed = completed(gate).await;
    assert_eq!(completed[0].outcome, Outcome::UpstreamFailed);
    assert!(!completed[0].sent, "the upstream looked at nothing");
}

#[tokio::test]
async fn a_request_newer_than_the_last_one_goes_to_another_connection() {
    let away = Act::GoAway { is_last: false };
    let (gate, upstream) = between(Character::that(&[Act::OK, away, Act::OK]), |_| {}).await;
    assert_eq!(ask(&gate, POST).await.status, 200);
    assert_eq!(ask(&gate, POST).await.status, 200);
    assert_eq!(upstream.requests(), [(0, 1), (0, 3), (1, 1)]);
    drop(gate);
}

/// Those that the upstream still processes get their answers; only what is new takes another connection.
#[tokio::test]
async fn an_upstream_may_leave_while_it_answers() {
    let acts = [
        Act::Answer(Duration::from_millis(300)),
        Act::GoAway { is_last: true },
        Act::OK,
    ];
    let (gate, upstream) = between(Character::that(&acts), |it| {
        it.limits.response_time = Duration::from_millis(600);
    })
    .await;
    let mut first = Client::connect(gate.address).await;
    first.send(POST.as_bytes()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut second = Client::connect(gate.address).await;
    second.send(POST.as_bytes()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(ask(&gate, POST).await.status, 200);
    assert_eq!(first.answer().await.unwrap().status, 200);
    assert_eq!(
        second.answer().await.unwrap().status,
        504,
        "it was promised an answer and got none: it may have been processed"
    );
    assert_eq!(upstream.requests(), [(0, 1), (0, 3), (1, 1)]);
    drop(gate);
}

/// A request that may have been processed is never sent again.
#[tokio::test]
async fn a_message_is_delivered_at_most_once() {
    // INTERNAL_ERROR, CANCEL, ENHANCE_YOUR_CALM.
    for act in [
        Act::Reset(2),
        Act::Reset(8),
        Act::Reset(11),
        Act::Close,
        Act::Silence,
    ] {
        let (gate, upstream) = between(Character::that(&[act, Act::OK]), |it| {
            it.limits.response_time = Duration::from_millis(200);
        })
        .await;
        let answer = ask(&gate, POST).await;
        let is_late = matches!(act, Act::Silence);
        assert_eq!(answer.status, if is_late { 504 } else { 502 }, "{act:?}");
        assert_eq!(upstream.requests(), [(0, 1)], "{act:?}");
        let completed = completed(gate).await;
        assert_eq!(completed[0].outcome, Outcome::UpstreamFailed);
        assert!(completed[0].sent);
    }
}

/// One slow answer proves nothing; a connection that answers no ping takes no more requests.
#[tokio::test]
async fn a_connection_in_doubt_must_show_that_it_lives() {
    for is_deaf in [false, true] {
        let character = Character {
            is_deaf,
            ..Character::that(&[Act::Silence, Act::OK])
        };
        let (gate, upstream) = between(character, |it| {
            it.limits.response_time = Duration::from_millis(100);
        })
        .await;
        assert_eq!(ask(&gate, GET).await.status, 504);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(ask(&gate, GET).await.status, 200);
        assert_eq!(upstream.connections(), if is_deaf { 2 } else { 1 });
        drop(gate);
    }
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_is_passed_on() {
    let (gate, upstream) = between(Character::that(&[Act::AnswerEarly, Act::OK]), |_| {}).await;
    let body = "x".repeat(3_000_000);
    let wire = format!(
        "POST / HTTP/1.1\r\nHost: crm.test\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(ask(&gate, &wire).await.status, 413);
    assert_eq!(ask(&gate, GET).await.status, 200);
    assert_eq!(upstream.connections(), 1);
    assert_eq!(completed(gate).await[0].outcome, Outcome::Answered);
}

#[tokio::test]
async fn a_large_body_keeps_to_the_windows() {
    let (gate, upstream) = between(Character::that(&[Act::OK]), |_| {}).await;
    let body = "x".repeat(3_000_000);
    let wire = format!(
        "POST / HTTP/1.1\r\nHost: crm.test\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(ask(&gate, &wire).await.status, 200);
    assert_eq!(upstream.bytes.load(Ordering::SeqCst), body.len());
    drop(gate);
}

#[tokio::test]
async fn interim_answers_have_an_end() {
    let acts = [Act::Interim(3), Act::Interim(200)];
    let (gate, _upstream) = between(Character::that(&acts), |_| {}).await;
    assert_eq!(ask(&gate, GET).await.status, 200);
    let answer = ask(&gate, GET).await;
    assert_eq!(answer.status, 502);
    assert_eq!(
        answer.field("proxy-status"),
        Some("shekara; error=http_protocol_error")
    );
    drop(gate);
}

#[tokio::test]
async fn connections_end_when_nobody_uses_them_and_when_they_are_old() {
    let (gate, upstream) = between(Character::that(&[Act::OK]), |it| {
        it.upstream.connections.idle_time = Duration::from_millis(150);
    })
    .await;
    assert_eq!(ask(&gate, GET).await.status, 200);
    assert_eq!(upstream.open.load(Ordering::SeqCst), 1);
    until_open(&upstream, 0).await;
    assert_eq!(ask(&gate, GET).await.status, 200);
    assert_eq!(upstream.connections(), 2);
    drop(gate);

    let (gate, upstream) = between(Character::that(&[Act::OK]), |it| {
        it.upstream.connections.life_time = Duration::from_millis(150);
    })
    .await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(350) {
        assert_eq!(ask(&gate, GET).await.status, 200);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!((2..=4).contains(&upstream.connections()), "{upstream:?}");
    until_open(&upstream, 1).await;
    drop(gate);
}

/// What nobody else may use: a destination's connections are its own, even at the same address.
#[tokio::test]
async fn destinations_share_nothing() {
    let upstream = Frames::start(Character::that(&[Act::OK])).await;
    let destinations = ["crm", "mail"].map(|id| {
        let mut it = destination(id, &format!("http://{}", upstream.address));
        it.upstream.http = HttpVersions::Http2;
        Arc::new(it)
    });
    let gate = start(Setup::new(destinations.to_vec()), Order::default()).await;
    for _ in 0..3 {
        for host in ["crm.test", "mail.test"] {
            let wire = GET.replace("crm.test", host);
            assert_eq!(ask(&gate, &wire).await.status, 200);
        }
    }
    let of = |wanted: usize| {
        let requests = upstream.requests();
        requests.iter().filter(|(it, _)| *it == wanted).count()
    };
    assert_eq!((upstream.connections(), of(0), of(1)), (2, 3, 3));
    let metrics = String::from_utf8(gate.metrics.render().unwrap()).unwrap();
    for line in [
        "shekara_upstream_connections{destination=\"crm\"} 1",
        "shekara_upstream_connections_total{destination=\"mail\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}");
    }
    drop(gate);
}

#[tokio::test]
async fn an_upstream_of_another_protocol_is_not_guessed_at() {
    use crate::support::upstream::{Script, Upstream};
    let upstream = Upstream::start(Script::ok(), Order::default()).await;
    let mut crm = destination("crm", &format!("http://{}", upstream.address));
    crm.upstream.http = HttpVersions::Http2;
    let gate = start(Setup::new(vec![Arc::new(crm)]), Order::default()).await;
    assert_eq!(ask(&gate, GET).await.status, 502);
    drop(gate);
}
