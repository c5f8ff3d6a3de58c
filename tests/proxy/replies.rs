//! The framing of answers, as bytes and as frames: interim answers, answers without a body, old clients, clients that leave.

use std::time::Duration;

use http_body_util::BodyExt as _;
use shekara::gatekeeper::record::Outcome;
use tokio::{
    io::AsyncReadExt as _,
    time::{sleep, timeout},
};

use crate::{
    between,
    support::{
        client::{Client, PATIENCE},
        gate::Gate,
        http2::{ask, connect, request},
        upstream::Script,
    },
};

/// All that comes back for `wire` until the gate closes.
async fn bytes(gate: &Gate, wire: &str) -> String {
    let mut client = Client::connect(gate.address).await;
    client.send(wire.as_bytes()).await;
    let mut bytes = Vec::new();
    timeout(PATIENCE, client.stream.read_to_end(&mut bytes))
        .await
        .unwrap()
        .unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Head and body of an answer.
fn split(answer: &str) -> (String, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (format!("{}\r\n", head.to_ascii_lowercase()), body)
}

const CLOSING: &str = "GET / HTTP/1.1\r\nHost: crm.test\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn interim_answers_end_at_the_gate() {
    let (gate, _upstream) = between(Script::answer(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ))
    .await;
    let answer = bytes(&gate, CLOSING).await;
    let (head, body) = split(&answer);
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{answer}");
    assert!(!head.contains("link"), "{answer}");
    assert_eq!(body, "ok");
    let mut client = connect(gate.address).await;
    let answer = ask(&mut client, request("GET", "http://crm.test/", &[], "")).await;
    assert_eq!((answer.status, &*answer.body), (200, &b"ok"[..]));
    drop(gate);
}

/// More interim answers than anybody needs are none, also where the answer comes with them or never.
#[tokio::test]
async fn interim_answers_have_an_end() {
    let hints = |count: usize| "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(count);
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    for (wire, status) in [
        (hints(16) + ok, 200),
        (hints(17) + ok, 502),
        (hints(400) + ok, 502),
        (hints(17), 502),
    ] {
        let (gate, _upstream) = between(Script::answer(&wire)).await;
        let answer = bytes(&gate, CLOSING).await;
        let (head, _) = split(&answer);
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{answer}");
        let is_told = head.contains("error=http_protocol_error");
        assert_eq!(is_told, status == 502, "{answer}");
        drop(gate);
    }
}

/// What an upstream sends behind an answer without a body reaches nobody, and its connection is not used again.
#[tokio::test]
async fn bytes_behind_an_answer_without_a_body_reach_nobody() {
    for status in ["204 No Content", "304 Not Modified"] {
        let wire =
            format!("HTTP/1.1 {status}\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
        let (gate, upstream) = between(Script::answer(&wire)).await;
        for asked in 1..=2 {
            let answer = bytes(&gate, CLOSING).await;
            let (head, body) = split(&answer);
            assert!(head.contains(&status[..3]), "{answer}");
            assert!(!head.contains("content-length: 4"), "{answer}");
            assert_eq!(body, "");
            assert_eq!(upstream.connections(), asked);
        }
        drop(gate);
    }
}

#[tokio::test]
async fn answers_without_a_body_end_their_stream() {
    for (method, wire, status, length) in [
        (
            "HEAD",
            "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n",
            200,
            Some("12"),
        ),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, None),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\n\r\n",
            304,
            Some("12"),
        ),
    ] {
        let (gate, _upstream) = between(Script::answer(wire)).await;
        let mut client = connect(gate.address).await;
        for _ in 0..2 {
            let answer = ask(&mut client, request(method, "http://crm.test/", &[], "")).await;
            assert_eq!(answer.status, status, "{method}");
            let stated = answer.headers.get("content-length");
            assert_eq!(stated.map(|it| it.to_str().unwrap()), length, "{method}");
            assert!(answer.body.is_empty() && answer.trailers.is_none());
        }
        let completed = gate.stop().await.completed();
        assert!(completed.iter().all(|it| it.outcome == Outcome::Answered));
    }
}

/// A client of HTTP/1.0 knows no chunks: what has no length ends with the connection.
#[tokio::test]
async fn an_old_client_is_answered_as_it_understands() {
    let (gate, _upstream) = between(Script::answer(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    ))
    .await;
    let old = CLOSING
        .replace("HTTP/1.1", "HTTP/1.0")
        .replace("Connection: close\r\n", "");
    let answer = bytes(&gate, &old).await;
    let (head, body) = split(&answer);
    assert!(!head.contains("transfer-encoding"), "{answer}");
    assert_eq!(body, "abcde");
    let new = bytes(&gate, CLOSING).await;
    let (head, body) = split(&new);
    assert!(head.contains("\r\ntransfer-encoding: chunked\r\n"), "{new}");
    assert!(head.contains("\r\nconnection: close\r\n"), "{new}");
    assert!(body.ends_with("0\r\n\r\n"), "{new}");
    drop(gate);

    let (gate, _upstream) = between(Script::ok()).await;
    let kept = old.replace("\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n");
    let mut client = Client::connect(gate.address).await;
    for _ in 0..2 {
        let answer = client.ask(&kept).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
        assert_eq!(answer.field("connection"), Some("keep-alive"));
    }
    drop(gate);
}

/// `100 Continue` comes after what the head alone settles, and only to a client that waits for it.
#[tokio::test]
async fn a_body_is_asked_for_only_when_it_will_be_read() {
    let (gate, upstream) = between(Script::ok()).await;
    let head = |host: &str| {
        format!(
            "POST / HTTP/1.1\r\nHost: {host}\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 3\r\n\r\n"
        )
    };
    let refused = bytes(&gate, &head("other.test")).await;
    assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
    assert!(!refused.contains("100 Continue"), "{refused}");
    let hasty = bytes(&gate, &(head("crm.test") + "abc")).await;
    let last = hasty.trim_start_matches("HTTP/1.1 100 Continue\r\n\r\n");
    assert!(last.starts_with("HTTP/1.1 200 OK\r\n"), "{hasty}");
    assert_eq!(last.matches("HTTP/1.1 ").count(), 1, "{hasty}");
    let old = head("crm.test").replace("HTTP/1.1", "HTTP/1.0");
    let answer = bytes(&gate, &(old + "abc")).await;
    assert!(!answer.contains("100 Continue"), "{answer}");
    assert_eq!(upstream.requests().len(), 2);
    drop(gate);
}

/// A client that goes away in the middle of an answer ends the exchange, which says so.
#[tokio::test]
async fn a_client_that_leaves_an_answer_is_on_record() {
    let body = "x".repeat(16 << 20);
    let wire = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (gate, _upstream) = between(Script::answer(&wire)).await;
    let mut client = Client::connect(gate.address).await;
    let get = CLOSING.replace("Connection: close\r\n", "");
    client.send(get.as_bytes()).await;
    let mut space = vec![0; 1024];
    client.stream.read_exact(&mut space).await.unwrap();
    client.stream.set_zero_linger().unwrap();
    drop(client);

    let mut client = connect(gate.address).await;
    let response = client
        .send_request(request("GET", "http://crm.test/", &[], ""))
        .await
        .unwrap();
    let mut incoming = response.into_body();
    incoming.frame().await.unwrap().unwrap();
    drop(incoming);
    sleep(Duration::from_millis(200)).await;
    let completed = gate.stop().await.completed();
    assert_eq!(completed.len(), 2);
    assert!(completed.iter().all(|it| it.outcome == Outcome::Aborted));
}

/// An answer faster than its client waits at the upstream, not in the gate's memory, and comes whole.
#[tokio::test]
async fn a_slow_reader_gets_all_of_it() {
    let body = "x".repeat(8 << 20);
    let wire = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (gate, _upstream) = between(Script::answer(&wire)).await;
    let mut client = Client::connect(gate.address).await;
    client.send(CLOSING.as_bytes()).await;
    let mut space = vec![0; 512 << 10];
    let mut length = 0;
    loop {
        let read = client.stream.read(&mut space).await.unwrap();
        if read == 0 {
            break;
        }
        length += read;
        sleep(Duration::from_millis(5)).await;
    }
    assert!(length > body.len(), "{length}");
    let log = gate.stop().await;
    assert_eq!(log.completed()[0].outcome, Outcome::Answered);
}
