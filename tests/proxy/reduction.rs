//! What is reduced arrives whole, valid and framed, without what was taken out, and says so.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use serde_json::{Value, json};
use shekara::{
    gatekeeper::{
        destination::Destination,
        keys::{Keys, SubjectKey},
        memory::MemoryRegisters,
    },
    inspect::Inspector,
    model::{
        Category, CategorySet,
        consent::Consent,
        decision::{Mode, ReasonCode, Verdict},
        destination::{Fallback, Modes, Operator},
        evidence::SubjectRecord,
        finding::Part,
        inspection::{PlanSpec, Selector},
        subject::{Identifier, IdentifierKind, SubjectId},
    },
};

use crate::support::{
    client::{Answer, Client},
    gate::{Gate, Setup, destination},
    ports::MemoryLog,
    upstream::{Script, Upstream},
};

const EMAIL: &str = "aru@example.org";
const IIN: &str = "991231100010";
const PHONE: &str = "+7 701 000 00 01";

/// Registers that know Aru, who consented to her name and e-mail, and Bek, who consented to nothing.
fn registers() -> MemoryRegisters {
    let keys = Keys::new(SubjectKey::new(1, &[1; 32]), Vec::new(), &[2; 32]);
    let refs = |list: &[(IdentifierKind, &str)]| -> Vec<_> {
        let identifiers = list.iter();
        let identifiers = identifiers.map(|it| Identifier::normalise(it.0, it.1).unwrap());
        identifiers.map(|it| keys.references(&it)).collect()
    };
    let mut registers = MemoryRegisters::default();
    let mut aru = SubjectRecord::empty(SubjectId("aru".into()));
    aru.consents.push(consent());
    let kinds = [
        (IdentifierKind::Email, EMAIL),
        (IdentifierKind::NationalId, IIN),
        (IdentifierKind::Phone, PHONE),
    ];
    registers.put(aru, &refs(&kinds));
    let bek = SubjectRecord::empty(SubjectId("bek".into()));
    registers.put(bek, &refs(&[(IdentifierKind::Email, "bek@example.org")]));
    registers
}

fn consent() -> Consent {
    let at = "2026-01-10T10:00:00+05:00";
    serde_json::from_value(json!({
        "id": "c", "subject": "aru", "operator": "990340000000", "given_at": at, "from": "2026-01-10",
        "until": "purpose", "third_party": "any", "cross_border": ["DE"], "public": false,
        "categories": ["name", "email"], "purposes": ["service"],
        "evidence": {"method": "web-checkbox", "ref": "f", "text": "t", "version": "1", "sha256": "00", "locale": "kk",
                     "at": at},
        "recorded": {"at": at, "by": "officer"},
    }))
    .unwrap()
}

/// A gate that enforces, in front of an upstream, with a change to the destination.
async fn between(change: impl FnOnce(&mut Destination)) -> (Gate, Upstream) {
    let log = Arc::new(MemoryLog::default());
    let upstream = Upstream::start(Script::ok(), log.order.clone()).await;
    let mut crm = destination("crm", &format!("http://{}", upstream.address));
    let facts = Arc::get_mut(&mut crm.facts).unwrap();
    facts.modes = Modes {
        global: Mode::Enforce,
        ..Modes::default()
    };
    facts.fallback = Fallback {
        drop_records: true,
        reduce_fields: true,
    };
    change(&mut crm);
    let setup = Setup {
        registers: Some(Arc::new(registers())),
        ..Setup::new(vec![Arc::new(crm)])
    };
    (setup.start(log).await, upstream)
}

fn operators(crm: &mut Destination, list: &[(Category, Operator)]) {
    let facts = Arc::get_mut(&mut crm.facts).unwrap();
    facts.operators = list.iter().copied().collect();
}

fn records(crm: &mut Destination, at: &str) {
    let spec = PlanSpec {
        records: Some(Selector {
            part: Part::Body,
            at: at.to_owned(),
        }),
        ..PlanSpec::default()
    };
    crm.plans = vec![Inspector::default().compile(&spec).unwrap()];
}

async fn send(gate: &Gate, target: &str, fields: &str, body: &[u8]) -> Answer {
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: crm.test\r\n{fields}Content-Length: {}\r\n\r\n",
        body.len()
    );
    let mut client = Client::connect(gate.address).await;
    client.send(&[head.as_bytes(), body].concat()).await;
    client.answer().await.unwrap()
}

/// The last request that the upstream received: head, and body by its declared length.
fn received(upstream: &Upstream) -> (String, String) {
    let request = upstream.requests().pop().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let length = format!("content-length: {}", body.len());
    assert!(head.contains(&length), "{head}");
    (head.to_owned(), body.to_owned())
}

/// No form of the value is left.
#[track_caller]
fn holds_none(text: &str, values: &[&str]) {
    use base64::Engine as _;
    for value in values {
        let percent: String = value.bytes().map(|it| format!("%{it:02X}")).collect();
        let unicode: String = value
            .chars()
            .map(|it| format!("\\u{:04x}", it as u32))
            .collect();
        let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(value);
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        for form in [*value, &percent, &unicode, &base64, &digits] {
            assert!(form.is_empty() || !text.contains(form), "{form}: {text}");
        }
    }
}

#[tokio::test]
async fn fields_are_taken_out_of_body_query_and_head() {
    let (gate, upstream) = between(|_| {}).await;
    let body = format!(
        "{{ \"email\" : \"{EMAIL}\",\n  \"iin\":\"9912\\u0033110001\\u0030\", \"n\": 1.50, \"inner\": \"{{\\\"phone\\\":\\\"{PHONE}\\\",\
         \\\"k\\\":[]}}\" }}"
    );
    let answer = send(
        &gate,
        &format!("/v1?iin={IIN}&lang=kk"),
        &format!(
            "Content-Type: application/json\r\nX-Phone: {PHONE}\r\nCookie: a=1; phone=%2B77010000001; b=2\r\n\
             Digest: sha-256=AA==\r\nETag: \"1\"\r\n"
        ),
        body.as_bytes(),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (head, left) = received(&upstream);
    let expected =
        format!("{{ \"email\" : \"{EMAIL}\", \"n\": 1.50, \"inner\": \"{{\\\"k\\\":[]}}\" }}");
    assert_eq!(left, expected);
    serde_json::from_str::<Value>(&left).unwrap();
    holds_none(&format!("{head}{left}"), &[IIN, PHONE]);
    assert!(head.starts_with("POST /v1?lang=kk HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("\r\ncookie: a=1; b=2\r\n"), "{head}");
    for gone in ["x-phone", "digest", "etag"] {
        assert!(!head.contains(gone), "{head}");
    }
    let metrics = String::from_utf8(gate.metrics.render().unwrap()).unwrap();
    let log = gate.stop().await;
    let decided = log.decided();
    let leaves = decided[0].leaves.as_ref().unwrap();
    assert_eq!((leaves.removed, leaves.dropped), (5, 0));
    assert_eq!(leaves.bytes, left.len() as u64);
    assert_eq!(
        answer.field("shekara-decision").unwrap(),
        format!("{}; verdict=reduce; removed=5; dropped=0", decided[0].id)
    );
    assert!(metrics.contains("shekara_reduced_total{destination=\"crm\",what=\"values\"} 5"));
}

#[tokio::test]
async fn values_are_masked_and_pseudonymised() {
    let (gate, upstream) = between(|crm| {
        let list = [
            (Category::Phone, Operator::Mask),
            (Category::NationalId, Operator::Pseudonymise),
        ];
        operators(crm, &list);
    })
    .await;
    let body = format!("email={EMAIL}&phone=%2B7+701+000+00+01&iin={IIN}&x=%41");
    let field = "Content-Type: application/x-www-form-urlencoded\r\n";
    let mut seen = BTreeSet::new();
    for _ in 0..2 {
        let answer = send(&gate, "/v1", field, body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let (_, left) = received(&upstream);
        holds_none(&left, &[IIN, "77010000001"]);
        let pairs: Vec<(&str, &str)> = left
            .split('&')
            .map(|it| it.split_once('=').unwrap())
            .collect();
        let [email, phone, iin, x] = pairs.as_slice() else {
            panic!("{left}")
        };
        assert_eq!((*email, *x), (("email", EMAIL), ("x", "%41")));
        assert_eq!(*phone, ("phone", "***01"));
        let token = iin.1.strip_prefix("psn_").unwrap();
        assert!(
            token.len() == 24 && token.bytes().all(|it| it.is_ascii_hexdigit()),
            "{token}"
        );
        seen.insert(left.clone());
    }
    assert_eq!(seen.len(), 1, "the same value has the same pseudonym");
    let log = gate.stop().await;
    let leaves = log.decided()[0].leaves.clone().unwrap();
    assert_eq!(leaves.masked, CategorySet::named("phone").unwrap());
    assert_eq!(
        leaves.pseudonymised,
        CategorySet::named("national_id").unwrap()
    );
}

#[tokio::test]
async fn a_batch_loses_persons_and_fields() {
    let (gate, upstream) = between(|crm| records(crm, "$.to[*]")).await;
    let body = format!(
        r#"{{"to": [ {{"email":"{EMAIL}","phone":"{PHONE}"}} , {{"email":"bek@example.org"}}, {{"email":"{EMAIL}"}} ], "t":"Hi"}}"#
    );
    let answer = send(
        &gate,
        "/v1",
        "Content-Type: application/json\r\n",
        body.as_bytes(),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (_, left) = received(&upstream);
    assert_eq!(
        left,
        format!(r#"{{"to": [ {{"email":"{EMAIL}"}}, {{"email":"{EMAIL}"}} ], "t":"Hi"}}"#)
    );
    let field = answer.field("shekara-decision").unwrap();
    assert!(
        field.ends_with("; verdict=reduce; removed=1; dropped=1"),
        "{field}"
    );
    gate.stop().await;
}

#[tokio::test]
async fn a_coded_body_leaves_plain() {
    use std::io::Write as _;
    let (gate, upstream) = between(|_| {}).await;
    let body = format!(r#"{{"email":"{EMAIL}","iin":"{IIN}"}}"#);
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    coder.write_all(body.as_bytes()).unwrap();
    let fields = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
    let answer = send(&gate, "/v1", fields, &coder.finish().unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (head, left) = received(&upstream);
    assert_eq!(left, format!(r#"{{"email":"{EMAIL}"}}"#));
    assert!(!head.contains("content-encoding"), "{head}");
    gate.stop().await;
}

#[tokio::test]
async fn what_cannot_be_reduced_is_refused() {
    let (gate, upstream) = between(|_| {}).await;
    let json = "Content-Type: application/json\r\n";
    let signed = format!("{json}X-Hub-Signature-256: sha256=00\r\n");
    let body = format!(r#"{{"email":"{EMAIL}","iin":"{IIN}"}}"#);
    let only_phone = format!(r#"{{"full_name":"Aru Serikova","phone":"{PHONE}"}}"#);
    let in_text = format!(
        r#"{{"email":"{EMAIL}","birth_place":"Almaty","iin":"{IIN}","note":"x991231100010x"}}"#
    );
    for (target, fields, body, reason) in [
        (
            format!("/v1/{IIN}"),
            json,
            body.as_str(),
            ReasonCode::ReductionFailed,
        ),
        (
            "/v1".to_owned(),
            &signed,
            &body,
            ReasonCode::CategoryNotCovered,
        ),
        (
            "/v1".to_owned(),
            json,
            &only_phone,
            ReasonCode::CategoryNotCovered,
        ),
        (
            "/v1".to_owned(),
            json,
            &in_text,
            ReasonCode::ReductionFailed,
        ),
    ] {
        let answer = send(&gate, &target, fields, body.as_bytes()).await;
        let text = answer.text();
        assert_eq!(answer.status, 451, "{text}");
        let kind = format!("urn:shekara:reason:{reason}");
        assert_eq!(answer.json()["type"], kind.as_str(), "{text}");
        holds_none(&text, &[IIN, PHONE]);
    }
    assert_eq!(upstream.connections(), 0);
    let log = gate.stop().await;
    assert!(
        log.decided()
            .iter()
            .all(|it| it.decision.verdict == Verdict::Block && it.leaves.is_none())
    );
}

/// A body above the bound for reading inline is reduced on another thread, to the same effect.
#[tokio::test]
async fn large_bodies_are_reduced_too() {
    let (gate, upstream) = between(|crm| records(crm, "$.to[*]")).await;
    let one = |person: usize| match person % 10 {
        0 => format!(r#"{{"n":{person},"email":"bek@example.org"}}"#),
        _ => format!(r#"{{"n":{person},"email":"{EMAIL}","iin":"{IIN}"}}"#),
    };
    let list: Vec<String> = (0..5_000).map(one).collect();
    let body = Bytes::from(format!(r#"{{"to":[{}]}}"#, list.join(",")));
    let answer = send(&gate, "/v1", "Content-Type: application/json\r\n", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (_, left) = received(&upstream);
    let kept: Vec<String> = (0..5_000)
        .filter(|it| it % 10 != 0)
        .map(|it| format!(r#"{{"n":{it},"email":"{EMAIL}"}}"#))
        .collect();
    assert_eq!(left, format!(r#"{{"to":[{}]}}"#, kept.join(",")));
    gate.stop().await;
}
