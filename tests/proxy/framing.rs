//! Bytes with more than one reading never pass: raw wires in, status out, upstream untouched, one record each.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

use crate::{
    between, between_with,
    support::{client::Client, upstream::Script},
};

/// `wire` is refused with `status`; nothing reaches the upstream; there is one record, and the connection ends.
async fn check(wire: &str, status: u16) {
    check_bytes(wire.as_bytes(), status).await;
}

async fn check_bytes(wire: &[u8], status: u16) {
    let (gate, upstream) = between(Script::ok()).await;
    let mut client = Client::connect(gate.address).await;
    let name = String::from_utf8_lossy(&wire[..wire.len().min(200)]).into_owned();
    client.send(wire).await;
    let answer = client.answer().await;
    let answer = answer.unwrap_or_else(|| panic_with(&name));
    assert_eq!(answer.status, status, "{name:?}: {}", answer.text());
    assert_eq!(
        answer.field("content-type"),
        Some("application/problem+json")
    );
    assert!(client.is_closed().await, "{name:?}");
    let log = gate.stop().await;
    assert_eq!(log.decided().len(), 1, "{name:?}: {:?}", log.reasons());
    assert_eq!(upstream.connections(), 0, "{name:?}");
}

#[expect(clippy::panic, reason = "a test may panic")]
fn panic_with(name: &str) -> ! {
    panic!("no answer to {name:?}")
}

/// A POST to `crm` with these further fields and this body.
fn post(fields: &str, body: &str) -> String {
    format!("POST /v1/contacts HTTP/1.1\r\nHost: crm.test\r\n{fields}\r\n{body}")
}

#[tokio::test]
async fn two_framings_or_a_doubtful_one() {
    let chunks = "d\r\n{\"note\":\"ok\"}\r\n0\r\n\r\n";
    for (fields, body) in [
        (
            "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
            "0\r\n\r\nG",
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
            "0\r\n\r\nG",
        ),
        ("Content-Length: 0\r\nContent-Length: 3\r\n", "abc"),
        ("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"),
        ("Content-Length: 3, 3\r\n", "abc"),
        ("Content-Length: 0x3\r\n", "abc"),
        ("Content-Length: 03\r\n", "abc"),
        ("Content-Length: +3\r\n", "abc"),
        ("Content-Length: -1\r\n", "abc"),
        ("Content-Length: \r\n", "abc"),
        ("Content-Length: 1_3\r\n", "abc"),
        ("Content-Length: 18446744073709551629\r\n", "abc"),
        ("Transfer-Encoding: chunked, chunked\r\n", chunks),
        ("Transfer-Encoding: gzip, chunked\r\n", chunks),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            chunks,
        ),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            chunks,
        ),
        (
            "Transfer-Encoding: identity\r\nContent-Length: 3\r\n",
            "abc",
        ),
        ("Transfer-Encoding: ,chunked\r\n", chunks),
        ("Transfer-Encoding: \"chunked\"\r\n", chunks),
        (
            "Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n",
            "abc",
        ),
        ("Transfer-Encoding: chunked;q=1\r\n", chunks),
        ("Transfer-Encoding:\u{b}chunked\r\n", chunks),
        ("Transfer-Encoding : chunked\r\n", chunks),
        ("Transfer_Encoding: chunked\r\nContent-Length: 3\r\n", "abc"),
    ] {
        check(&post(fields, body), 400).await;
    }
}

#[tokio::test]
async fn fields_with_two_readings() {
    for (fields, body) in [
        ("Connection: Content-Length\r\nContent-Length: 3\r\n", "abc"),
        (
            "Connection: close, Authorization\r\nContent-Length: 3\r\n",
            "abc",
        ),
        (
            "X-A: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            "abc",
        ),
        (
            "Content-Type: a/b;\r\n\tcharset=utf-16\r\nContent-Length: 3\r\n",
            "abc",
        ),
        (
            "Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 3\r\n",
            "abc",
        ),
        ("Transfer-Encoding chunked\r\nContent-Length: 3\r\n", "abc"),
        (
            "Transfer-\r\nEncoding: chunked\r\nContent-Length: 3\r\n",
            "abc",
        ),
        ("X-A: a\rb\r\nContent-Length: 3\r\n", "abc"),
        ("X-A: a\nContent-Length: 3\r\n", "abc"),
        ("X-A: a\u{0}b\r\nContent-Length: 3\r\n", "abc"),
        (": a\r\nContent-Length: 3\r\n", "abc"),
    ] {
        check(&post(fields, body), 400).await;
    }
}

#[tokio::test]
async fn heads_that_are_none() {
    let host = "Host: crm.test\r\n\r\n";
    for wire in [
        "POST /x HTTP/1.1\nHost: crm.test\nContent-Length: 2\n\n{}".to_owned(),
        "POST / HTTP/1.1\r\n\nContent-Length: 2\r\n\r\n{}".to_owned(),
        "GET / HTTP/1.1\r\n\rZGET /e: HTTP/1.1\r\n\r\n".to_owned(),
        "POST / HTTP/1.1\r\n Host: crm.test\r\n\r\n".to_owned(),
        format!("POST  /v1\tHTTP/1.1\r\n{host}"),
        format!("GET /v1?iin=991231100010\r\n{host}"),
        "\u{16}\u{3}\u{1}\u{0}\u{5}".to_owned(),
        format!("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1\r\n{host}"),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: crm.test\r\nHost: crm.test\r\n\r\n".to_owned(),
        format!("GET /a#b HTTP/1.1\r\n{host}"),
        format!("GET http://evil.example/x HTTP/1.1\r\n{host}"),
        format!("GET http://u@crm.test/x HTTP/1.1\r\n{host}"),
        format!("GET https://crm.test/x HTTP/1.1\r\n{host}"),
        format!("GET ftp://crm.test/x HTTP/1.1\r\n{host}"),
        format!("GET evil.example:443 HTTP/1.1\r\n{host}"),
        format!("GET /\u{436} HTTP/1.1\r\n{host}"),
        format!("GET /a/../b HTTP/1.1\r\n{host}"),
        format!("GET /a/..%2fb HTTP/1.1\r\n{host}"),
        format!("GET //evil.example/x HTTP/1.1\r\n{host}"),
        format!("GET /a;x/b HTTP/1.1\r\n{host}"),
    ] {
        check(&wire, 400).await;
    }
    for name in [
        "",
        "kz.example@evil.example",
        "a, b",
        "a b",
        "a/b",
        "a:99999",
        "a:",
        "a:b",
        "crm..test",
        "[::1",
        "[x]",
        "%63rm.test",
    ] {
        check(&format!("GET / HTTP/1.1\r\nHost: {name}\r\n\r\n"), 400).await;
    }
    check_bytes(b"GET /\xd0\xb6 HTTP/1.1\r\nHost: crm.test\r\n\r\n", 400).await;
}

#[tokio::test]
async fn refusals_with_a_status_of_their_own() {
    let host = "Host: crm.test\r\n";
    let long = "a".repeat(70_000);
    let many: String = (0..120).map(|it| format!("X-{it}: a\r\n")).collect();
    for (wire, status) in [
        (format!("TRACE / HTTP/1.1\r\n{host}\r\n"), 405),
        (format!("CONNECT crm.test:443 HTTP/1.1\r\n{host}\r\n"), 405),
        (format!("OPTIONS * HTTP/1.1\r\n{host}\r\n"), 405),
        (format!("post / HTTP/1.1\r\n{host}\r\n"), 405),
        (format!("P!ST / HTTP/1.1\r\n{host}\r\n"), 405),
        (
            format!("GET / HTTP/1.1\r\n{host}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
            405,
        ),
        (format!("GET / HTTP/2.0\r\n{host}\r\n"), 505),
        (format!("POST / HTTP/1.0\r\n{host}\r\nabc"), 411),
        (
            format!("POST / HTTP/1.0\r\n{host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            400,
        ),
        (format!("GET /{long} HTTP/1.1\r\n{host}\r\n"), 414),
        (format!("GET / HTTP/1.1\r\n{host}X-A: {long}\r\n\r\n"), 431),
        (format!("GET / HTTP/1.1\r\n{host}{many}\r\n"), 431),
        (
            format!("GET / HTTP/1.1\r\n{host}Via: 1.1 a, 1.1 shekara\r\n\r\n"),
            508,
        ),
        ("GET / HTTP/1.1\r\nHost: other.test\r\n\r\n".to_owned(), 403),
    ] {
        check(&wire, status).await;
    }
}

#[tokio::test]
async fn chunked_bodies_that_do_not_hold_together() {
    for body in [
        "0x3\r\nabc\r\n0\r\n\r\n",
        "+3\r\nabc\r\n0\r\n\r\n",
        " 3 \r\nabc\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n",
        "\r\n\r\n",
        "3\nabc\n0\n\n",
        "3\r\nabcXX\r\n0\r\n\r\n",
        "3;iin=991231100010\r\nabc\r\n0\r\n\r\n",
        "3\r\nabc\r\n0\r\nContent-Length: 99\r\n\r\n",
        "3\r\nabc\r\n0\r\nX:POST / HTTP/1.1\n\r\n",
    ] {
        check(&post("Transfer-Encoding: chunked\r\n", body), 400).await;
    }
}

#[tokio::test]
async fn a_body_that_ends_early_or_late() {
    let (gate, upstream) = between_with(Script::ok(), |it| {
        it.limits.body_time = Duration::from_millis(100);
    })
    .await;
    let mut late = Client::connect(gate.address).await;
    assert_eq!(
        late.ask(&post("Content-Length: 9\r\n", "abc")).await.status,
        408
    );
    for wire in [
        post("Content-Length: 9\r\n", "abc"),
        post("Transfer-Encoding: chunked\r\n", "b\r\n{\"iin\":\"991\r\n"),
    ] {
        let mut client = Client::connect(gate.address).await;
        client.send(wire.as_bytes()).await;
        client.stream.shutdown().await.unwrap();
        assert_eq!(client.answer().await.unwrap().status, 400);
    }
    let log = gate.stop().await;
    assert_eq!(log.reasons(), ["framing"; 3]);
    assert_eq!(log.decided()[0].bytes_in, 3);
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_the_rest_is_no_request() {
    let (gate, upstream) = between_with(Script::ok(), |it| it.limits.body_bytes = 10).await;
    let smuggled = "GET /e HTTP/1.1\r\nHost: crm.test\r\n\r\n";
    for wire in [
        post("Content-Length: 46\r\n", &format!("0123456789ab{smuggled}")),
        post(
            "Transfer-Encoding: chunked\r\n",
            &format!("6\r\n012345\r\n6\r\n678901\r\n0\r\n\r\n{smuggled}"),
        ),
    ] {
        let mut client = Client::connect(gate.address).await;
        let answer = client.ask(&wire).await;
        assert_eq!(answer.status, 413);
        assert_eq!(answer.field("connection"), Some("close"));
        assert!(client.is_closed().await);
    }
    let log = gate.stop().await;
    assert_eq!(log.reasons(), ["body-too-large"; 2]);
    assert_eq!(upstream.connections(), 0);
}

/// Requests on one connection stay apart: what follows a body is the next head, wherever the segments end.
#[tokio::test]
async fn pipelined_and_split_requests_are_told_apart() {
    let (gate, upstream) = between(Script::ok()).await;
    let mut client = Client::connect(gate.address).await;
    let one = post("Content-Length: 3\r\n", "abc");
    let two = post("Transfer-Encoding: chunked\r\n", "3\r\ndef\r\n0\r\n\r\n");
    let bad = "XXXX\r\n\r\n";
    client
        .send(format!("{one}{two}\r\n{one}{bad}").as_bytes())
        .await;
    for status in [200, 200, 200, 400] {
        assert_eq!(client.answer().await.unwrap().status, status);
    }
    assert!(client.is_closed().await);
    let mut slow = Client::connect(gate.address).await;
    for byte in two.as_bytes() {
        slow.send(&[*byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(slow.answer().await.unwrap().status, 200);
    let bodies: Vec<String> = upstream
        .requests()
        .iter()
        .map(|it| it.rsplit("\r\n\r\n").next().unwrap().to_owned())
        .collect();
    assert_eq!(bodies, ["abc", "def", "abc", "def"]);
    assert_eq!(gate.stop().await.decided().len(), 5);
}

/// RFC 9112 §3.2.2: a target in absolute form that agrees with the Host field is the same request.
#[tokio::test]
async fn equal_forms_of_a_target_are_one() {
    let (gate, upstream) = between(Script::ok()).await;
    let mut client = Client::connect(gate.address).await;
    for (target, host) in [
        ("/a?b", "crm.test"),
        ("http://crm.test/a?b", "CRM.test"),
        ("/a?b", "crm.test.:8080"),
    ] {
        let wire = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(client.ask(&wire).await.status, 200, "{target}");
    }
    for it in upstream.requests() {
        assert!(it.starts_with("GET /a?b HTTP/1.1\r\n"), "{it}");
    }
    drop(gate);
}
