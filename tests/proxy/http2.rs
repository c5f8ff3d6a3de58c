//! HTTP/2 from clients: how it is recognised, what of it passes, and what a client cannot do to the gate with it.

use std::{
    collections::{BTreeSet, VecDeque},
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Frame;
use shekara::{
    gatekeeper::{
        destination::Caller,
        record::{Outcome, TimeLimit},
    },
    model::{Timestamp, destination::GapPolicy, finding::GapKind},
};
use tokio::{
    io::AsyncWriteExt as _,
    time::{Instant, sleep},
};

use crate::{
    between, between_with, start,
    support::{
        client::{Client, PATIENCE},
        gate::{Gate, Setup, destination},
        http2::{
            Answer, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, RST_STREAM, Raw,
            SETTINGS, Said, ask, block, connect, frame, over, request,
        },
        ports::Order,
        upstream::{Script, Upstream},
    },
    tls::{Authority, handshake},
};

const URI: &str = "http://crm.test/v1/contacts";
/// The pseudo-fields of a plain request.
const POST: &[(&str, &[u8])] = &[
    (":method", b"POST"),
    (":scheme", b"http"),
    (":path", b"/v1/contacts"),
    (":authority", b"crm.test"),
];

fn metrics(gate: &Gate) -> String {
    String::from_utf8(gate.metrics.render().unwrap()).unwrap()
}

#[tokio::test]
async fn streams_are_requests_like_any_other() {
    let (gate, upstream) = between(Script::ok()).await;
    let client = connect::<Full<Bytes>>(gate.address).await;
    let asked = (0..20).map(|it| {
        let mut client = client.clone();
        tokio::spawn(async move {
            let body = format!("body {it}");
            let fields: &[(&str, &[u8])] = &[("x-a", b"1"), ("te", b"trailers")];
            ask(&mut client, request("POST", URI, fields, &body)).await
        })
    });
    for it in asked.collect::<Vec<_>>() {
        let answer = it.await.unwrap();
        assert_eq!((answer.status, &*answer.body), (200, &b"ok"[..]));
        assert!(answer.headers.contains_key("shekara-decision"));
    }
    let requests = upstream.requests();
    for it in 0..20 {
        let of_it = |head: &&String| head.ends_with(&format!("\r\n\r\nbody {it}"));
        assert_eq!(requests.iter().filter(of_it).count(), 1, "{it}");
    }
    assert!(requests[0].starts_with("POST /v1/contacts HTTP/1.1\r\n"));
    assert!(requests[0].contains("\r\nx-a: 1\r\n"), "{}", requests[0]);
    assert!(requests[0].contains("\r\nte: trailers\r\n"));
    let log = gate.stop().await;
    assert_eq!(log.decided().len(), 20);
    let ended = log.completed();
    assert_eq!(ended.len(), 20);
    assert!(ended.iter().all(|it| it.outcome == Outcome::Answered));
}

/// A refusal is an answer on its stream; the connection goes on.
#[tokio::test]
async fn a_refusal_ends_its_stream_only() {
    let (gate, upstream) = between_with(Script::ok(), |it| it.limits.body_bytes = 10).await;
    let mut client = connect(gate.address).await;
    let other = request(
        "GET",
        "http://other.test/",
        &[("accept-language", b"ru")],
        "",
    );
    let answer = ask(&mut client, other).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.headers["content-language"], "ru");
    assert!(!answer.headers.contains_key("connection"));
    assert_eq!(
        answer.json()["type"],
        "urn:shekara:reason:destination-unknown"
    );
    let large = "x".repeat(300_000);
    assert_eq!(
        ask(&mut client, request("POST", URI, &[], &large))
            .await
            .status,
        413
    );
    assert_eq!(
        ask(&mut client, request("POST", URI, &[], "a"))
            .await
            .status,
        200
    );
    assert_eq!(upstream.requests().len(), 1);
    let reasons = gate.stop().await.reasons();
    assert_eq!(
        reasons,
        [
            "destination-unknown",
            "body-too-large",
            "unsupported-media-type"
        ]
    );
}

/// A head in as many frames as it takes.
fn head(stream: u32, flags: u8, fields: &[(&str, &[u8])]) -> Vec<u8> {
    let block = block(fields);
    let mut pieces = block.chunks(16_000).peekable();
    let mut kind = HEADERS;
    let mut wire = Vec::new();
    while let Some(piece) = pieces.next() {
        let last = if pieces.peek().is_none() {
            END_HEADERS
        } else {
            0
        };
        let flags = if kind == HEADERS { flags | last } else { last };
        wire.extend_from_slice(&frame(kind, flags, stream, piece));
        kind = CONTINUATION;
    }
    wire
}

/// Sends `fields` and `body` as one stream of one connection; what the gate says of it.
async fn said_to(fields: &[(&str, &[u8])], body: &[u8]) -> (Vec<Said>, Vec<&'static str>, String) {
    let (gate, upstream) = between(Script::ok()).await;
    let mut client = Raw::connect(gate.address).await;
    let ends = if body.is_empty() { END_STREAM } else { 0 };
    client.send(&head(1, ends, fields)).await;
    if !body.is_empty() {
        client.send(&frame(DATA, END_STREAM, 1, body)).await;
    }
    let mut said = vec![client.said().await.unwrap()];
    // The record is made when there is nothing more to do on the connection.
    sleep(Duration::from_millis(50)).await;
    client.stream.shutdown().await.unwrap();
    said.extend(client.all_said().await);
    let metrics = metrics(&gate);
    let log = gate.stop().await;
    assert_eq!(upstream.connections(), 0, "{said:?}");
    (said, log.reasons(), metrics)
}

fn with<'a>(more: &[(&'a str, &'a [u8])]) -> Vec<(&'a str, &'a [u8])> {
    POST.iter().chain(more).copied().collect()
}

/// What the library lets through although it has two readings is answered, and on record.
#[tokio::test]
async fn heads_with_two_readings_are_refused_on_their_stream() {
    let replaced = |at: usize, value: &'static [u8]| {
        let mut fields = POST.to_vec();
        fields[at].1 = value;
        fields
    };
    let long = [b'a'; 70_000];
    for (fields, status, reason) in [
        (with(&[("host", b"kz.test")]), 400, "framing"),
        (replaced(3, b"kz.test@crm.test"), 400, "framing"),
        (replaced(3, b"crm..test"), 400, "framing"),
        (replaced(1, b"ftp"), 400, "framing"),
        (replaced(2, b"//evil.example/x"), 400, "framing"),
        (replaced(2, b"/a/../b"), 400, "framing"),
        (replaced(2, b"*"), 405, "method-not-allowed"),
        (replaced(0, b"TRACE"), 405, "method-not-allowed"),
        (replaced(0, b"post"), 405, "method-not-allowed"),
        (with(&[("x-a", b"\ta\t")]), 400, "framing"),
        (with(&[("content_length", b"3")]), 400, "framing"),
        (
            with(&[("content-type", b"a/b"), ("content-type", b"c/d")]),
            400,
            "framing",
        ),
        (with(&[("x-a", &long)]), 431, "framing"),
        (with(&[("via", b"2 shekara")]), 508, "proxy-loop"),
        (with(&[("expect", b"200-ok")]), 417, "framing"),
        (
            vec![
                (":method", b"CONNECT".as_slice()),
                (":authority", b"a.test:443"),
            ],
            405,
            "method-not-allowed",
        ),
    ] {
        let (said, reasons, _) = said_to(&fields, b"").await;
        let name: Vec<_> = fields.iter().map(|(name, _)| name).collect();
        assert_eq!(said[0], Said::Status(1, status), "{name:?}");
        assert_eq!(reasons, [reason], "{name:?}");
    }
}

/// What the library refuses by itself is on record and counted too.
#[tokio::test]
async fn streams_that_break_the_protocol_are_reset_and_on_record() {
    let replaced = |at: usize, value: &'static [u8]| {
        let mut fields = POST.to_vec();
        fields[at].1 = value;
        fields
    };
    let json = br#"{"note":"ok"}"#.as_slice();
    for (fields, body) in [
        (with(&[("X-A", b"1")]), json),
        (with(&[("x: a", b"1")]), json),
        (with(&[("connection", b"keep-alive")]), json),
        (with(&[("transfer-encoding", b"chunked")]), json),
        (with(&[("te", b"gzip")]), json),
        (with(&[("content-length", b"5, 5")]), json),
        (replaced(0, b"POST /evil HTTP/1.1"), b"".as_slice()),
        (replaced(2, b"/ HTTP/1.1\r\nHost: evil.example"), b""),
        (replaced(2, b"http://evil.example/"), b""),
        (replaced(2, b""), b""),
        (
            vec![
                (":method", b"CONNECT".as_slice()),
                (":protocol", b"websocket"),
                (":scheme", b"http"),
                (":path", b"/"),
                (":authority", b"crm.test"),
            ],
            b"",
        ),
        (POST[1..].to_vec(), b""),
        ([POST, &[(":path", b"/b")]].concat(), b""),
    ] {
        let (said, reasons, metrics) = said_to(&fields, body).await;
        let is_ended = matches!(said[0], Said::Reset(1, 1) | Said::GoAway(1 | 9))
            || said[0] == Said::Status(1, 400);
        assert!(is_ended, "{fields:?}: {said:?}");
        assert_eq!(reasons, ["framing"], "{fields:?}: {said:?}");
        let is_counted = metrics.contains("shekara_connection_faults_total{fault=\"h2-");
        assert!(is_counted || said[0] == Said::Status(1, 400), "{fields:?}");
    }
}

/// An announced length that is not kept breaks the body, which is a refusal.
#[tokio::test]
async fn a_length_that_is_not_kept_is_refused() {
    for (length, body) in [(&b"100"[..], &b"abc"[..]), (b"2", b"abc")] {
        let (said, reasons, _) = said_to(&with(&[("content-length", length)]), body).await;
        let is_ended = matches!(said[0], Said::Reset(1, 1) | Said::Status(1, 400));
        assert!(is_ended, "{said:?}");
        assert_eq!(reasons, ["framing"], "{said:?}");
    }
}

/// The recipient and the inspection see one cookie field, however a client cut it.
#[tokio::test]
async fn cookies_cut_over_fields_are_one() {
    let (gate, upstream) = between(Script::ok()).await;
    let mut client = connect(gate.address).await;
    let crumbs: &[(&str, &[u8])] = &[("cookie", b"a=1"), ("cookie", b"b=2")];
    let answer = ask(&mut client, request("GET", URI, crumbs, "")).await;
    assert_eq!(answer.status, 200);
    let head = &upstream.requests()[0];
    assert!(head.contains("\r\ncookie: a=1; b=2\r\n"), "{head}");
    drop(gate);
}

/// The seventh trap of the HTTP libraries: one that tells the versions apart by itself waits for ever for a client that sends
/// 23 of the 24 bytes. With TLS the version is the handshake's, in the clear the wait is a head's.
#[tokio::test]
async fn trap_7_a_preface_that_does_not_come_is_not_waited_for() {
    let mut setup = Setup::new(vec![Arc::new(destination("crm", "http://127.0.0.1:1"))]);
    setup.head_time = Duration::from_millis(200);
    let gate = start(setup, Order::default()).await;
    for length in [1, 3, 23] {
        let began = Instant::now();
        let mut client = Client::connect(gate.address).await;
        client.send(&PREFACE[..length]).await;
        let answer = client.answer().await.unwrap();
        assert_eq!(answer.status, 408, "{length}");
        assert!(client.is_closed().await);
        assert!(began.elapsed() < Duration::from_secs(2), "{length}");
    }
    assert_eq!(gate.stop().await.reasons(), ["framing"; 3]);
}

/// A client that says nothing at all is closed when the time of idle connections is over.
#[tokio::test]
async fn trap_7_a_client_that_says_nothing_is_not_waited_for() {
    let mut setup = Setup::new(vec![Arc::new(destination("crm", "http://127.0.0.1:1"))]);
    setup.idle_time = Duration::from_millis(300);
    let gate = start(setup, Order::default()).await;
    let began = Instant::now();
    let mut client = tokio::net::TcpStream::connect(gate.address).await.unwrap();
    let mut byte = [0];
    let read = tokio::io::AsyncReadExt::read(&mut client, &mut byte).await;
    assert_eq!(read.unwrap(), 0);
    assert!(began.elapsed() < Duration::from_secs(2));
    let mut silent = Raw::connect(gate.address).await;
    assert_eq!(silent.said().await, Some(Said::GoAway(0)));
    drop(gate);
}

/// The preface may come in any portions; what only begins like it is HTTP/1.
#[tokio::test]
async fn the_versions_are_told_apart_byte_by_byte() {
    let (gate, upstream) = between(Script::ok()).await;
    let mut client = Raw::silent(gate.address).await;
    client.stream.set_nodelay(true).unwrap();
    for byte in PREFACE {
        client.send(&[*byte]).await;
        tokio::task::yield_now().await;
    }
    client.send(&frame(SETTINGS, 0, 0, b"")).await;
    client
        .send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(POST)))
        .await;
    assert_eq!(client.said().await, Some(Said::Status(1, 200)));
    let mut plain = Client::connect(gate.address).await;
    plain.send(b"PR").await;
    sleep(Duration::from_millis(50)).await;
    let rest = "OPFIND / HTTP/1.1\r\nHost: crm.test\r\n\r\n";
    plain.send(rest.as_bytes()).await;
    assert_eq!(plain.answer().await.unwrap().status, 200);
    let broken = "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n";
    let mut none = Client::connect(gate.address).await;
    assert_eq!(none.ask(broken).await.status, 505);
    assert_eq!(upstream.requests().len(), 2);
    drop(gate);
}

/// RFC 9113 §3.1 has withdrawn it: the request is one of HTTP/1.1, and nothing is switched.
#[tokio::test]
async fn an_upgrade_to_h2c_is_ignored() {
    let (gate, upstream) = between(Script::ok()).await;
    let wire = "GET / HTTP/1.1\r\nHost: crm.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
                HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n";
    let answer = Client::connect(gate.address).await.ask(wire).await;
    assert_eq!(answer.status, 200);
    let head = upstream.requests()[0].to_ascii_lowercase();
    assert!(
        !head.contains("upgrade") && !head.contains("http2-settings"),
        "{head}"
    );
    drop(gate);
}

#[tokio::test]
async fn over_tls_the_handshake_says_which_version() {
    let authority = Authority::new();
    let upstream = Upstream::start(Script::ok(), Order::default()).await;
    let crm = destination("crm", &format!("http://{}", upstream.address));
    let mut setup = Setup::new(vec![Arc::new(crm)]);
    setup.callers = vec![Caller {
        id: "erp".into(),
        sans: BTreeSet::from(["erp.example.org".into()]),
        tokens: Vec::new(),
        cidrs: Vec::new(),
        concurrency: None,
    }];
    let (certificate, key) = authority.issue("crm.test");
    setup.tls = Some((certificate, key, Some(authority.pem()), false));
    let gate = start(setup, Order::default()).await;
    let erp = Some(authority.issue("erp.example.org"));
    let both: &[&[u8]] = &[b"h2", b"http/1.1"];
    let stream = handshake(&gate, &authority, erp, both).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let mut client = over(stream).await;
    let uri = "https://crm.test/v1";
    assert_eq!(
        ask(&mut client, request("GET", uri, &[], "")).await.status,
        200
    );
    let other = request("GET", "https://mail.test/", &[], "");
    assert_eq!(
        ask(&mut client, other).await.status,
        421,
        "the name asked for in TLS is another"
    );
    for offered in [&[b"http/1.1".as_slice()][..], &[]] {
        let stream = handshake(&gate, &authority, None, offered).await.unwrap();
        let mut client = Client::over(stream);
        let answer = client
            .ask("GET /v1 HTTP/1.1\r\nHost: crm.test\r\n\r\n")
            .await;
        assert_eq!(answer.status, 200, "{offered:?}");
    }
    let log = gate.stop().await;
    let callers: Vec<String> = log
        .decided()
        .iter()
        .map(|it| it.caller.to_string())
        .collect();
    assert_eq!(callers, ["erp", "erp", "anonymous", "anonymous"]);
}

/// A script whose answer has trailer fields, announced in its head.
fn with_trailers() -> Script {
    Script::answer(
        "HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nTrailer: grpc-status\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nabc\r\n0\r\ngrpc-status: 0\r\nShekara-Decision: forged\r\nContent-Type: text/html\r\n\r\n",
    )
}

#[tokio::test]
async fn trailers_of_answers_reach_who_takes_them() {
    let (gate, _upstream) = between(with_trailers()).await;
    let mut client = connect(gate.address).await;
    let answer = ask(&mut client, request("POST", URI, &[], "a")).await;
    let trailers = answer.trailers.unwrap();
    assert_eq!(trailers["grpc-status"], "0");
    assert_eq!(trailers.len(), 1, "{trailers:?}");
    assert_eq!(answer.body, b"abc");
    let raw = async |fields: &str| {
        let wire = format!("GET / HTTP/1.1\r\nHost: crm.test\r\nConnection: close\r\n{fields}\r\n");
        let mut client = Client::connect(gate.address).await;
        client.send(wire.as_bytes()).await;
        let mut bytes = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut client.stream, &mut bytes)
            .await
            .unwrap();
        String::from_utf8(bytes).unwrap().to_ascii_lowercase()
    };
    let taken = raw("TE: trailers\r\n").await;
    assert!(
        taken.ends_with("\r\n0\r\ngrpc-status: 0\r\n\r\n"),
        "{taken}"
    );
    let plain = raw("").await;
    assert!(plain.ends_with("abc\r\n0\r\n\r\n"), "{plain}");
}

/// A call of gRPC: its message is opaque, and refused until that is opened; its status comes back in the trailers.
#[tokio::test]
async fn a_grpc_call_passes_once_its_messages_are_opened() {
    // A compressed message of which nothing says how.
    let call = || {
        let fields: &[(&str, &[u8])] =
            &[("content-type", b"application/grpc"), ("te", b"trailers")];
        request("POST", URI, fields, "\u{1}\0\0\0\u{2}\u{8}\u{1}")
    };
    let (gate, upstream) = between_with(with_trailers(), |it| {
        Arc::make_mut(&mut it.facts).modes.global = shekara::model::decision::Mode::Enforce;
    })
    .await;
    let mut client = connect(gate.address).await;
    let refused = ask(&mut client, call()).await;
    assert_eq!(refused.status, 200, "{refused:?}");
    assert_eq!(refused.headers["content-type"], "application/grpc");
    assert_eq!(refused.headers["grpc-status"], "7");
    let message = refused.headers["grpc-message"].to_str().unwrap();
    assert!(message.contains("unsupported-coding"), "{message}");
    assert!(refused.headers.contains_key("shekara-decision"));
    assert!(refused.body.is_empty());
    assert_eq!(upstream.connections(), 0);
    assert!(metrics(&gate).contains("shekara_gaps_total{destination=\"crm\",kind="));
    drop(gate);

    let (gate, _upstream) = between_with(with_trailers(), |it| {
        let facts = Arc::make_mut(&mut it.facts);
        facts.modes.global = shekara::model::decision::Mode::Enforce;
        for kind in [GapKind::Opaque, GapKind::UnsupportedCoding] {
            facts
                .gaps
                .insert(kind, GapPolicy::AllowLoggedUntil(Timestamp::MAX));
        }
    })
    .await;
    let mut client = connect(gate.address).await;
    let passed = ask(&mut client, call()).await;
    assert_eq!(
        passed.status,
        200,
        "{:?}",
        String::from_utf8_lossy(&passed.body)
    );
    assert_eq!(passed.trailers.unwrap()["grpc-status"], "0");
    drop(gate);
}

/// Request trailers are part of the message, and must not say what belongs to the head.
#[tokio::test]
async fn request_trailers_are_held_to_what_may_come_late() {
    let (gate, _upstream) = between(Script::ok()).await;
    let mut client = connect(gate.address).await;
    for (name, status) in [("x-sum", 200), ("content-type", 400), ("host", 400)] {
        let mut fields = http::HeaderMap::new();
        fields.insert(http::HeaderName::from_static(name), "a".parse().unwrap());
        let body = Frames(VecDeque::from([
            Frame::data(Bytes::from("abc")),
            Frame::trailers(fields),
        ]));
        let request = http::Request::post(URI).body(body).unwrap();
        let response = client.send_request(request).await.unwrap();
        assert_eq!(Answer::read(response).await.status, status, "{name}");
    }
    let reasons = gate.stop().await.reasons();
    assert_eq!(reasons, ["unsupported-media-type", "framing", "framing"]);
}

/// A body of given frames.
struct Frames(VecDeque<Frame<Bytes>>);

impl hyper::body::Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.get_mut().0.pop_front().map(Ok))
    }
}

/// A message of a body, cut short by its client, is one record and goes nowhere.
#[tokio::test]
async fn a_client_that_resets_its_stream_leaves_one_record() {
    let (gate, upstream) = between(Script::ok()).await;
    let mut client = Raw::connect(gate.address).await;
    client
        .send(&frame(HEADERS, END_HEADERS, 1, &block(POST)))
        .await;
    client.send(&frame(DATA, 0, 1, b"half")).await;
    sleep(Duration::from_millis(100)).await;
    client
        .send(&frame(RST_STREAM, 0, 1, &8u32.to_be_bytes()))
        .await;
    client
        .send(&frame(HEADERS, END_HEADERS | END_STREAM, 3, &block(POST)))
        .await;
    assert_eq!(client.said().await, Some(Said::Status(3, 200)));
    assert_eq!(upstream.requests().len(), 1);
    let mut reasons = gate.stop().await.reasons();
    reasons.sort_unstable();
    assert_eq!(reasons, ["-", "framing"]);
}

/// A head that is begun and not ended, in whatever frames, is waited for as long as any head.
#[tokio::test]
async fn a_head_in_pieces_is_not_waited_for() {
    let mut setup = Setup::new(vec![Arc::new(destination("crm", "http://127.0.0.1:1"))]);
    setup.head_time = Duration::from_millis(200);
    let gate = start(setup, Order::default()).await;
    let mut client = Raw::connect(gate.address).await;
    client
        .send(&frame(HEADERS, END_STREAM, 1, &block(POST)))
        .await;
    let began = Instant::now();
    client.all_said().await;
    assert!(began.elapsed() < Duration::from_secs(2));
    assert!(metrics(&gate).contains("shekara_connection_faults_total{fault=\"late-head\"} 1"));
    assert_eq!(gate.stop().await.reasons(), ["framing"]);
}

/// CVE-2024-27316: a head that never ends fills no memory.
#[tokio::test]
async fn a_flood_of_continuations_ends_the_connection() {
    let (gate, upstream) = between(Script::ok()).await;
    let client = Raw::connect(gate.address).await;
    let (read, mut write) = client.stream.into_split();
    let flood = tokio::spawn(async move {
        let head = frame(HEADERS, END_STREAM, 1, &block(POST));
        let mut sent = write.write_all(&head).await;
        let more = frame(CONTINUATION, 0, 1, &block(&[("x-a", &[b'a'; 1_000])]));
        for _ in 0..10_000 {
            if sent.is_err() {
                return true;
            }
            sent = write.write_all(&more).await;
        }
        false
    });
    let ended = tokio::time::timeout(PATIENCE, flood)
        .await
        .unwrap()
        .unwrap();
    assert!(ended, "the flood was taken");
    drop(read);
    assert!(
        metrics(&gate).contains("fault=\"h2-connection-enhance-your-calm\"} 1"),
        "{}",
        metrics(&gate)
    );
    assert_eq!(upstream.connections(), 0);
    assert_eq!(gate.stop().await.reasons(), ["framing"]);
}

/// CVE-2023-44487: streams that are opened and reset at once end the connection; others go on being served.
#[tokio::test]
async fn a_flood_of_resets_ends_the_connection() {
    let (gate, _upstream) = between(Script::ok()).await;
    let mut client = Raw::connect(gate.address).await;
    let head = block(POST);
    let mut wire = Vec::new();
    for stream in (1..20_000).step_by(2) {
        wire.extend_from_slice(&frame(HEADERS, END_HEADERS | END_STREAM, stream, &head));
        wire.extend_from_slice(&frame(RST_STREAM, 0, stream, &8u32.to_be_bytes()));
    }
    let other = async {
        let mut other = connect(gate.address).await;
        for _ in 0..20 {
            let answer = ask(&mut other, request("POST", URI, &[], "a")).await;
            assert_eq!(answer.status, 200);
        }
    };
    let flood = async {
        client.send(&wire).await;
        client.all_said().await
    };
    let (said, ()) = tokio::join!(flood, other);
    let is_calmed = metrics(&gate).contains("fault=\"h2-connection-enhance-your-calm\"} 1");
    assert!(is_calmed, "{said:?}");
    let records = gate.stop().await.decided().len();
    assert!(records < 500, "{records} records of one flood");
}

/// A head that is small on the wire and large in memory (RFC 7541 §7.3) is refused, and the gate keeps its size.
#[tokio::test]
async fn a_head_that_unfolds_is_refused() {
    let (gate, upstream) = between(Script::ok()).await;
    let mut client = Raw::connect(gate.address).await;
    // One large field put into the table, then named ten thousand times by one byte.
    let mut head = block(POST);
    head.push(0x40);
    head.extend_from_slice(&block(&[("x-a", &[b'a'; 3_900])])[1..]);
    head.extend_from_slice(&[0xbe; 10_000]);
    client
        .send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &head))
        .await;
    let said = client.said().await.unwrap();
    let is_refused = matches!(
        said,
        Said::Status(1, 431) | Said::Reset(1, _) | Said::GoAway(_)
    );
    assert!(is_refused, "{said:?}");
    client.stream.shutdown().await.unwrap();
    client.all_said().await;
    assert_eq!(upstream.connections(), 0);
    assert_eq!(gate.stop().await.reasons(), ["framing"]);
}

#[tokio::test]
async fn streams_under_way_finish_while_draining() {
    let script = Script {
        delay: Duration::from_millis(200),
        ..Script::ok()
    };
    let (gate, _upstream) = between(script).await;
    let mut idle = Raw::connect(gate.address).await;
    let mut client = connect(gate.address).await;
    let asked = tokio::spawn(async move {
        let answer = ask(&mut client, request("GET", URI, &[], "")).await;
        answer.status
    });
    sleep(Duration::from_millis(50)).await;
    gate.shutdown.cancel();
    assert_eq!(idle.said().await, Some(Said::GoAway(0)));
    assert_eq!(asked.await.unwrap(), 200);
    drop(idle);
    let log = gate.stop().await;
    assert_eq!(log.completed()[0].outcome, Outcome::Answered);
}

/// A large answer, to a client that grants little of its window at a time.
#[tokio::test]
async fn large_answers_pass_as_the_client_takes_them() {
    let body = "x".repeat(4 << 20);
    let wire = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (gate, _upstream) = between(Script::answer(&wire)).await;
    let mut client = connect(gate.address).await;
    let response = client
        .send_request(request("GET", URI, &[], ""))
        .await
        .unwrap();
    let mut incoming = response.into_body();
    let mut length = 0;
    while let Some(frame) = incoming.frame().await {
        length += frame.unwrap().data_ref().map_or(0, Bytes::len);
        tokio::task::yield_now().await;
    }
    assert_eq!(length, body.len());
    let log = gate.stop().await;
    assert_eq!(log.completed()[0].outcome, Outcome::Answered);
}

/// A client that opens no window holds its exchange only so long.
#[tokio::test]
async fn a_stream_that_is_not_taken_is_reset() {
    let wire = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n{}",
        "x".repeat(4_000_000)
    );
    let upstream = Upstream::start(Script::answer(&wire), Order::default()).await;
    let crm = destination("crm", &format!("http://{}", upstream.address));
    let mut setup = Setup::new(vec![Arc::new(crm)]);
    setup.write_time = Duration::from_millis(300);
    let gate = start(setup, Order::default()).await;
    let mut client = Raw::connect(gate.address).await;
    client
        .send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(POST)))
        .await;
    let mut last = client.said().await.unwrap();
    let began = Instant::now();
    while !matches!(last, Said::Reset(..) | Said::GoAway(_)) {
        last = client.said().await.unwrap();
    }
    assert_eq!(last, Said::Reset(1, 8));
    assert!(began.elapsed() < Duration::from_secs(3));
    client
        .send(&frame(
            HEADERS,
            END_HEADERS | END_STREAM,
            3,
            &block(&POST[..2]),
        ))
        .await;
    assert!(metrics(&gate).contains("fault=\"slow-reader\"} 1"));
    assert!(metrics(&gate).contains("limit=\"write_time\"} 1"));
    let completed = gate.stop().await.completed();
    assert_eq!(completed[0].outcome, Outcome::Aborted);
    assert_eq!(completed[0].time_limit, Some(TimeLimit::WriteTime));
}
