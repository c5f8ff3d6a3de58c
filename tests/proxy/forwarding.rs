//! What reaches the upstream, what comes back, and in which order.

use std::{sync::atomic::Ordering, time::Duration};

use shekara::{gatekeeper::record::Outcome, model::destination::FailurePolicy};

use crate::{
    between, between_with,
    support::{client::Client, upstream::Script},
};

const POST: &str = "POST /v1/contacts HTTP/1.1\r\nHost: crm.test\r\nContent-Length: 5\r\n\r\nabcde";
const GET: &str = "GET /v1/contacts HTTP/1.1\r\nHost: crm.test\r\n\r\n";

#[tokio::test]
async fn a_cleared_message_goes_out_as_it_came_with_head_and_framing_of_our_own() {
    let (gate, upstream) = between(Script::ok()).await;
    let mut client = Client::connect(gate.address).await;
    let answer = client
        .ask(
            "POST /v1/contacts?x=1 HTTP/1.1\r\nHost: CRM.test:80\r\nX-A: 1\r\nConnection: x-hop\r\nX-Hop: 1\r\n\
             Keep-Alive: 5\r\nTE: trailers\r\nShekara-Purpose: marketing\r\nProxy-Authorization: Basic eA==\r\n\
             Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n",
        )
        .await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    assert_eq!(answer.field("via"), Some("1.1 shekara"));
    let log = gate.stop().await;
    let decided = log.decided();
    assert_eq!(
        answer.field("shekara-decision"),
        Some(format!("{}; verdict=allow", decided[0].id).as_str())
    );
    assert_eq!(
        upstream.requests(),
        [format!(
            "POST /v1/contacts?x=1 HTTP/1.1\r\nhost: {}\r\nte: trailers\r\nx-a: 1\r\ncontent-length: 5\r\nvia: 1.1 shekara\r\nconnection: te\r\n\r\nabcde",
            upstream.address
        )]
    );
    let completed = log.completed();
    assert_eq!(completed.len(), 1);
    assert_eq!(completed[0].status, Some(200));
    assert!(completed[0].sent);
    assert_eq!(completed[0].peer, Some(upstream.address.to_string()));
    assert_eq!(completed[0].outcome, Outcome::Answered);
}

/// The decision is on stable storage before the first packet to the upstream, a connection's included.
#[tokio::test]
async fn nothing_is_opened_before_the_decision_is_durable() {
    let (gate, upstream) = between(Script::ok()).await;
    *gate.log.delay.lock().unwrap() = Duration::from_millis(150);
    let mut client = Client::connect(gate.address).await;
    client.send(POST.as_bytes()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(upstream.connections(), 0);
    assert_eq!(client.answer().await.unwrap().status, 200);
    assert_eq!(gate.stop().await.order.all(), ["appended", "connected"]);
}

#[tokio::test]
async fn a_log_that_cannot_be_written_stops_everything() {
    let (gate, upstream) = between(Script::ok()).await;
    gate.log.is_broken.store(true, Ordering::SeqCst);
    let answer = Client::connect(gate.address).await.ask(POST).await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.json()["type"],
        "urn:shekara:reason:audit-unavailable"
    );
    assert!(answer.field("retry-after").is_some());
    assert_eq!(upstream.connections(), 0);
    assert!(gate.stop().await.completed().is_empty());
}

#[tokio::test]
async fn answers_without_a_body_keep_their_framing() {
    let check = async |request: &str, wire: &str, status: u16, length: Option<&str>| {
        let (gate, upstream) = between(Script::answer(wire)).await;
        let mut client = Client::connect(gate.address).await;
        for _ in 0..2 {
            let answer = client.ask(request).await;
            assert_eq!(answer.status, status);
            assert_eq!(answer.field("content-length"), length, "{}", answer.head);
            assert!(answer.body.is_empty());
        }
        assert_eq!(upstream.connections(), 1, "{wire:?}");
        let log = gate.stop().await;
        assert!(
            log.completed()
                .iter()
                .all(|it| it.outcome == Outcome::Answered)
        );
    };
    let head = GET.replace("GET", "HEAD");
    let full = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n";
    check(&head, full, 200, Some("12")).await;
    check(GET, "HTTP/1.1 204 No Content\r\n\r\n", 204, None).await;
    check(
        GET,
        "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n",
        304,
        None,
    )
    .await;
    check(
        GET,
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        200,
        Some("0"),
    )
    .await;
    let hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    check(GET, hint, 204, None).await;
}

#[tokio::test]
async fn large_bodies_pass_both_ways() {
    let body = "x".repeat(3_000_000);
    let wire = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    let (gate, upstream) = between(Script::answer(&wire)).await;
    let mut client = Client::connect(gate.address).await;
    let request = format!(
        "POST / HTTP/1.1\r\nHost: crm.test\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for _ in 0..2 {
        let answer = client.ask(&request).await;
        assert_eq!(answer.body.len(), body.len());
    }
    assert!(upstream.requests()[1].ends_with(&body));
    assert_eq!(upstream.connections(), 1);
    assert_eq!(gate.stop().await.completed().len(), 2);
}

#[tokio::test]
async fn a_client_that_waits_for_100_gets_it_and_no_other_expectation_is_met() {
    let (gate, upstream) = between(Script::ok()).await;
    let mut client = Client::connect(gate.address).await;
    let head =
        "POST / HTTP/1.1\r\nHost: crm.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    assert_eq!(client.ask(head).await.status, 100);
    client.send(b"abc").await;
    assert_eq!(client.answer().await.unwrap().status, 200);
    assert!(!upstream.requests()[0].contains("expect"));
    let odd = head.replace("100-continue", "y 100-continue");
    assert_eq!(client.ask(&odd).await.status, 417);
    assert!(client.is_closed().await);
    assert_eq!(upstream.requests().len(), 1);
    drop(gate);
}

#[tokio::test]
async fn connections_are_kept_for_one_destination_and_a_dead_one_is_replaced_unsent() {
    let script = Script {
        closes: true,
        ..Script::ok()
    };
    let (gate, upstream) = between(script).await;
    let mut client = Client::connect(gate.address).await;
    for _ in 0..3 {
        assert_eq!(client.ask(POST).await.status, 200);
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert_eq!(upstream.requests().len(), 3, "each was delivered once");
    assert_eq!(upstream.connections(), 3);
    drop(gate);
}

/// A POST that was written is never written again, whatever becomes of its connection.
#[tokio::test]
async fn a_message_is_delivered_at_most_once() {
    let script = Script {
        answers: vec![Script::ok().answers.remove(0), Vec::new()],
        ..Script::ok()
    };
    let (gate, upstream) = between(script).await;
    let mut client = Client::connect(gate.address).await;
    assert_eq!(client.ask(POST).await.status, 200);
    let answer = client.ask(POST).await;
    assert_eq!(answer.status, 502);
    assert_eq!(
        answer.field("proxy-status"),
        Some("shekara; error=connection_terminated")
    );
    assert_eq!(upstream.requests().len(), 2);
    let completed = gate.stop().await.completed();
    assert_eq!(completed[1].outcome, Outcome::UpstreamFailed);
    assert!(completed[1].sent);
}

#[tokio::test]
async fn an_upstream_that_says_two_things_is_not_passed_on() {
    let check = async |wire: &str, status: u16| {
        let (gate, _upstream) = between(Script::answer(wire)).await;
        let answer = Client::connect(gate.address).await.ask(GET).await;
        assert_eq!(answer.status, status, "{wire:?}");
        let completed = gate.stop().await.completed();
        assert_eq!(completed[0].outcome, Outcome::UpstreamFailed, "{wire:?}");
        assert_eq!(completed[0].status, Some(status));
    };
    check(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        502,
    )
    .await;
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        502,
    )
    .await;
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        502,
    )
    .await;
    check("nonsense\r\n\r\n", 502).await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_made_whole() {
    let wire = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
    let script = Script {
        closes: true,
        ..Script::answer(wire)
    };
    let (gate, _upstream) = between(script).await;
    let mut client = Client::connect(gate.address).await;
    client.send(GET.as_bytes()).await;
    assert_eq!(client.answer_to("GET").await, None);
    assert_eq!(
        gate.stop().await.completed()[0].outcome,
        Outcome::UpstreamFailed
    );
}

#[tokio::test]
async fn a_silent_upstream_is_waited_for_so_long() {
    let script = Script {
        delay: Duration::from_secs(5),
        ..Script::ok()
    };
    let (gate, _upstream) = between_with(script, |it| {
        it.limits.response_time = Duration::from_millis(100);
    })
    .await;
    let answer = Client::connect(gate.address).await.ask(GET).await;
    assert_eq!(answer.status, 504);
    assert_eq!(
        answer.field("proxy-status"),
        Some("shekara; error=http_response_timeout")
    );
    drop(gate);
}

/// A half-closed client still gets its answer; one that is gone still gets its record.
#[tokio::test]
async fn a_client_may_close_its_side_or_go_away() {
    use tokio::io::AsyncWriteExt as _;
    let script = Script {
        delay: Duration::from_millis(100),
        ..Script::ok()
    };
    let (gate, _upstream) = between(script).await;
    let mut client = Client::connect(gate.address).await;
    client.send(POST.as_bytes()).await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(client.answer().await.unwrap().status, 200);
    let mut gone = Client::connect(gate.address).await;
    gone.send(POST.as_bytes()).await;
    gone.stream.set_zero_linger().unwrap();
    drop(gone);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let log = gate.stop().await;
    assert_eq!(log.decided().len(), 2);
    assert_eq!(log.completed().len(), 2);
}

/// The exception is the operator's, and it is counted.
#[tokio::test]
async fn a_destination_may_be_opened_for_a_failing_log() {
    let (gate, upstream) = between_with(Script::ok(), |it| {
        it.audit_failure = FailurePolicy::Open;
    })
    .await;
    gate.log.is_broken.store(true, Ordering::SeqCst);
    assert_eq!(
        Client::connect(gate.address).await.ask(POST).await.status,
        200
    );
    assert_eq!(upstream.requests().len(), 1);
    let metrics = String::from_utf8(gate.metrics.render().unwrap()).unwrap();
    for line in [
        "shekara_opened_total{destination=\"crm\",what=\"failure:audit\"} 1",
        "shekara_audit_writable 0",
    ] {
        assert!(metrics.contains(line), "{line}");
    }
    drop(gate);
}
