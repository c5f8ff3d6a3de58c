//! Credentials that the gate holds: set in the place of the client's, and seen nowhere else.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, header};
use shekara::{
    gatekeeper::destination::{Credential, Destination, HttpVersions},
    model::Sensitive,
};

use crate::{
    between_with, start,
    support::{
        client::Client,
        frames::{Act, Character, Frames},
        gate::{Setup, destination},
        lines,
        ports::Order,
        upstream::Script,
    },
};

/// What the client sends holds an IIN, so that it would be found if it were judged.
const POST: &str = "POST /v1 HTTP/1.1\r\nHost: crm.test\r\nAuthorization: Basic OTkxMjMxMTAwMDEwOng=\r\n\
                    X-Api-Key: 991231100010\r\nContent-Length: 5\r\n\r\nabcde";
const CANARY: &str = "canary-of-the-upstream";

fn credential(field: HeaderName, value: &'static str) -> Credential {
    Credential {
        field,
        value: Sensitive::new(HeaderValue::from_static(value)),
    }
}

fn hold(destination: &mut Destination) {
    destination.upstream.credentials = vec![
        credential(header::AUTHORIZATION, "Bearer canary-of-the-upstream"),
        credential(
            HeaderName::from_static("x-api-key"),
            "canary-of-the-upstream-2",
        ),
    ];
}

#[tokio::test]
async fn the_upstream_sees_the_gates_credentials_and_nobody_else_does() {
    let (gate, upstream) = between_with(Script::ok(), |it| {
        hold(it);
        assert!(!format!("{it:?}").contains(CANARY));
    })
    .await;
    let mut client = Client::connect(gate.address).await;
    let answer = client.ask(POST).await;
    assert_eq!(answer.status, 200);
    let request = upstream.requests().remove(0);
    assert!(request.contains("authorization: Bearer canary-of-the-upstream\r\n"));
    assert!(request.contains("x-api-key: canary-of-the-upstream-2\r\n"));
    assert!(!request.contains("OTkxMjMx") && !request.contains("991231100010"));
    let metrics = String::from_utf8(gate.metrics.render().unwrap()).unwrap();
    let log = gate.stop().await;
    let decided = log.decided().remove(0);
    assert!(decided.findings.is_empty(), "{:?}", decided.findings);
    let records = serde_json::to_string(&(log.decided(), log.completed())).unwrap();
    for text in [&metrics, &records, &lines::written(), &answer.head] {
        assert!(!text.contains(CANARY), "{text}");
    }
}

/// The client's own credentials, where the gate holds none, are judged like everything else that leaves.
#[tokio::test]
async fn what_the_gate_does_not_replace_is_judged() {
    let (gate, _upstream) = between_with(Script::ok(), |_| {}).await;
    assert_eq!(
        Client::connect(gate.address).await.ask(POST).await.status,
        200
    );
    let decided = gate.stop().await.decided().remove(0);
    assert!(!decided.findings.is_empty());
}

/// A failure must not bring the secret to light either, whichever HTTP is spoken.
#[tokio::test]
async fn a_failure_shows_nothing() {
    let upstream = Frames::start(Character::that(&[Act::Reset(2)])).await;
    let mut crm = destination("crm", &format!("http://{}", upstream.address));
    crm.upstream.http = HttpVersions::Http2;
    hold(&mut crm);
    let gate = start(Setup::new(vec![Arc::new(crm)]), Order::default()).await;
    let answer = Client::connect(gate.address).await.ask(POST).await;
    assert_eq!(answer.status, 502);
    let log = gate.stop().await;
    let records = serde_json::to_string(&(log.decided(), log.completed())).unwrap();
    for text in [&records, &lines::written(), &answer.head, &answer.text()] {
        assert!(!text.contains(CANARY), "{text}");
    }
}
