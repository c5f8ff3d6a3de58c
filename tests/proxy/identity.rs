//! Who the upstream is and who the gate is: ALPN, client certificates, pins, revocation.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

use shekara::{
    gatekeeper::{
        destination::{Destination, HttpVersions, Identity, Roots},
        record::Completed,
    },
    model::Sensitive,
};

use crate::{
    start,
    support::{
        authority::{Authority, Issued},
        client::{Answer, Client},
        frames::Secured,
        gate::{Gate, Setup, destination},
        ports::{FixedResolver, Order},
        upstream::{Script, Upstream},
    },
};

const POST: &str =
    "POST /v1 HTTP/1.1\r\nHost: crm.test\r\nTE: trailers\r\nContent-Length: 5\r\n\r\nabcde";
const NAME: &str = "crm.example.org";

/// A gate with destination `crm` at `address`, whose certificate must lead to `roots`.
async fn gate_to(
    address: std::net::SocketAddr,
    roots: &Authority,
    change: impl FnOnce(&mut Destination),
) -> Gate {
    let mut crm = destination("crm", &format!("https://{NAME}"));
    crm.upstream.roots = Roots::Pem(roots.pem().into());
    change(&mut crm);
    let mut setup = Setup::new(vec![Arc::new(crm)]);
    setup.resolver = Some(Arc::new(FixedResolver {
        order: Order::default(),
        calls: 0.into(),
        answers: vec![vec![address]],
    }));
    start(setup, Order::default()).await
}

async fn ask(gate: &Gate) -> Answer {
    Client::connect(gate.address).await.ask(POST).await
}

fn error(answer: &Answer) -> Option<&str> {
    answer
        .field("proxy-status")?
        .strip_prefix("shekara; error=")
}

async fn completed(gate: Gate) -> Completed {
    gate.stop().await.completed().remove(0)
}

#[tokio::test]
async fn an_upstream_that_can_speaks_http_2() {
    let authority = Authority::new();
    let issued = authority.issue(NAME);
    let upstream = Secured::start(issued.acceptor(&["h2", "http/1.1"], None)).await;
    let gate = gate_to(upstream.address, &authority, |_| {}).await;
    for _ in 0..3 {
        let answer = ask(&gate).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    }
    let requests = upstream.requests.lock().unwrap().clone();
    let (head, body) = &requests[0];
    assert_eq!(head.uri().to_string(), format!("https://{NAME}/v1"));
    assert_eq!(&body[..], b"abcde");
    assert!(!head.headers().contains_key("host"));
    assert_eq!(head.headers()["content-length"], "5");
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 1);
    assert_eq!(completed(gate).await.tls.as_deref(), Some("TLSv1.3"));
}

#[tokio::test]
async fn versions_of_http_are_agreed_on() {
    let authority = Authority::new();
    let issued = authority.issue(NAME);
    for (protocols, http, wanted) in [
        (&["http/1.1"][..], HttpVersions::Auto, None),
        (&[], HttpVersions::Auto, None),
        (&["h2", "http/1.1"], HttpVersions::Http1, None),
        (
            &["http/1.1"],
            HttpVersions::Http2,
            Some("tls_protocol_error"),
        ),
        (&[], HttpVersions::Http2, Some("tls_protocol_error")),
    ] {
        let tls = issued.acceptor(protocols, None);
        let upstream = Upstream::start_with_tls(Script::ok(), Order::default(), Some(tls)).await;
        let gate = gate_to(upstream.address, &authority, |it| it.upstream.http = http).await;
        let answer = ask(&gate).await;
        assert_eq!(error(&answer), wanted, "{protocols:?} {http:?}");
        assert_eq!(upstream.requests().len(), usize::from(wanted.is_none()));
        assert_eq!(completed(gate).await.sent, wanted.is_none());
    }
}

fn identity(issued: &Issued) -> Option<Identity> {
    Some(Identity {
        certificate: issued.chain.as_str().into(),
        key: Sensitive::new(issued.key.as_str().into()),
    })
}

#[tokio::test]
async fn the_gate_proves_itself_where_the_upstream_asks() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let issued = authority.issue(NAME);
    let own = clients.issue("gate.example.org");
    let stranger = Authority::new().issue("gate.example.org");
    for (identity, is_known) in [
        (identity(&own), true),
        (None, false),
        (identity(&stranger), false),
    ] {
        let tls = issued.acceptor(&["h2", "http/1.1"], Some(&clients));
        let upstream = Secured::start(tls).await;
        let gate = gate_to(upstream.address, &authority, |it| {
            it.upstream.identity = identity;
            assert!(!format!("{it:?}").contains("PRIVATE KEY"));
        })
        .await;
        let answer = ask(&gate).await;
        // Under TLS 1.3 the upstream breaks off after the handshake, and may be gone before its reason is read.
        assert!(
            match error(&answer) {
                None => is_known && answer.status == 200,
                Some("tls_alert_received" | "connection_terminated") => !is_known,
                Some(_) => false,
            },
            "{}",
            answer.head
        );
        let delivered = upstream.requests.lock().unwrap().len();
        assert_eq!(delivered, usize::from(is_known));
        drop(gate);
    }
}

/// A certificate that is good in every other way is not enough.
#[tokio::test]
async fn a_pinned_key_must_stand_in_the_verified_chain() {
    let root = Authority::new();
    let between = root.below("between");
    let aside = root.below("aside");
    let issued = between.issue(NAME).with(&[&between, &aside]);
    let check = async |pins: &[[u8; 32]], wanted: Option<&str>| {
        let tls = issued.acceptor(&[], None);
        let upstream = Upstream::start_with_tls(Script::ok(), Order::default(), Some(tls)).await;
        let gate = gate_to(upstream.address, &root, |it| {
            it.upstream.pins = BTreeSet::from_iter(pins.iter().copied());
        })
        .await;
        assert_eq!(error(&ask(&gate).await), wanted);
        assert_eq!(upstream.requests().len(), usize::from(wanted.is_none()));
        drop(gate);
    };
    check(&[issued.pin], None).await;
    check(&[[7; 32], between.pin()], None).await;
    check(&[root.pin()], None).await;
    let wrong = Some("tls_certificate_error");
    check(&[[7; 32]], wrong).await;
    // It is sent along, but the certificate does not lead to it.
    check(&[aside.pin()], wrong).await;
}

/// A pin narrows trust; it does not replace the roots, the name or the time.
#[tokio::test]
async fn a_pinned_key_proves_nothing_alone() {
    let stranger = Authority::new();
    for (roots, name) in [
        (Authority::new(), NAME),
        (stranger.below("x"), "other.test"),
    ] {
        let issued = stranger.issue(name);
        let tls = issued.acceptor(&[], None);
        let upstream = Upstream::start_with_tls(Script::ok(), Order::default(), Some(tls)).await;
        let gate = gate_to(upstream.address, &roots, |it| {
            it.upstream.pins = BTreeSet::from([issued.pin]);
        })
        .await;
        assert_eq!(error(&ask(&gate).await), Some("tls_certificate_error"));
        drop(gate);
    }
}

#[tokio::test]
async fn a_revoked_certificate_is_not_trusted() {
    let authority = Authority::new();
    let wrong = Some("tls_certificate_error");
    for (list, wanted) in [
        (authority.revoke(&[8]), None),
        (authority.revoke(&[7]), wrong),
        // Nobody says whether it is revoked.
        (authority.below("other").revoke(&[8]), wrong),
    ] {
        let tls = authority.issue_numbered(NAME, 7).acceptor(&[], None);
        let upstream = Upstream::start_with_tls(Script::ok(), Order::default(), Some(tls)).await;
        let gate = gate_to(upstream.address, &authority, |it| {
            it.upstream.revocations = Some(list.into());
        })
        .await;
        assert_eq!(error(&ask(&gate).await), wanted);
        drop(gate);
    }
}
