//! The rows of the catalogue of evasions, families C to K and N: each is a case in `cases.jsonl`, or is generated here because its
//! bytes are many. `rows.txt` lists them all, so that none is left out in silence.

use std::{
    collections::BTreeSet,
    io::Write as _,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};

use super::{
    OK,
    gate::Recipient,
    gate_before, request,
    wires::{self, records},
};

const IIN: &str = "991231100010";
const JSON: &str = "application/json";

/// Rows that other tests hold, since they need more than one message.
const ELSEWHERE: &[(&str, &str)] = &[
    ("D24", "codings::no_label_of_a_charset_hides_a_number"),
    // The gate makes its own connection with a name and certificate of its own; a client's are not copied.
    ("K20", "proxy::upstream, tests of names and certificates"),
];

/// Rows that are generated.
const GENERATED: &[&str] = &[
    "C24", "C25", "C26", "C32", "D21", "D22", "E18", "E19", "E44", "E45", "H19", "I17", "J06",
    "J17", "N10",
];

/// Takes longer than any of these in a debug build.
const PATIENCE: Duration = Duration::from_secs(60);

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut it = GzEncoder::new(Vec::new(), Compression::default());
    it.write_all(bytes).unwrap();
    it.finish().unwrap()
}

fn post(content_type: &str, body: &[u8]) -> Vec<u8> {
    request("/v1/contacts", b"", content_type, body)
}

fn coded(coding: &str, body: &[u8]) -> Vec<u8> {
    let field = format!("Content-Encoding: {coding}\r\n");
    request("/v1/contacts", field.as_bytes(), JSON, body)
}

fn nested(levels: usize) -> Vec<u8> {
    let (open, close) = ("[".repeat(levels), "]".repeat(levels));
    post(JSON, format!("{open}\"{IIN}\"{close}").as_bytes())
}

fn parts(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut body = String::new();
    for (head, content) in parts {
        body += &format!("--B\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n");
    }
    body += "--B--\r\n";
    post("multipart/form-data; boundary=B", body.as_bytes())
}

/// What must be refused; a row may have several.
fn refused() -> Vec<(&'static str, Vec<u8>)> {
    [codings_and_labels(), large_documents()].concat()
}

fn large_documents() -> Vec<(&'static str, Vec<u8>)> {
    let members: String = (0..100_000).map(|it| format!("\"k{it}\":0,")).collect();
    let attributes: String = (0..80_000).map(|it| format!(" a{it}=''")).collect();
    let rows: String = (0..200_000).map(|it| format!("{it},x\n")).collect();
    vec![
        ("E18", nested(200)),
        ("E18", nested(100_000)),
        ("E19", nested(64)),
        ("E19", nested(65)),
        (
            "E44",
            post(
                JSON,
                format!("{{\"x\":\"{} {IIN}\"}}", "a".repeat(1 << 20)).as_bytes(),
            ),
        ),
        (
            "E45",
            post(JSON, format!("{{{members}\"last\":{IIN}}}").as_bytes()),
        ),
        (
            "H19",
            post(
                "application/x-www-form-urlencoded",
                "a&".repeat(1_000_000).as_bytes(),
            ),
        ),
        (
            "I17",
            post("application/xml", format!("<c{attributes}/>").as_bytes()),
        ),
        (
            "I17",
            post("application/xml", "<c>".repeat(100_000).as_bytes()),
        ),
        (
            "J06",
            post("text/csv", format!("a,b\n{rows}1,{IIN}\n").as_bytes()),
        ),
        (
            "J17",
            request(
                "/v1",
                b"grpc-x-bin: OTkxMjMxMTAwMDEw\r\n",
                JSON,
                b"{\"note\":\"ok\"}",
            ),
        ),
    ]
}

fn codings_and_labels() -> Vec<(&'static str, Vec<u8>)> {
    let zeros = vec![0; 32 << 20];
    let bomb = gzip(&zeros);
    let zip = [
        b"PK\x03\x04\x14\x00\x00\x00\x08\x00".as_slice(),
        &bomb,
        b"PK\x01\x02",
    ]
    .concat();
    vec![
        ("C24", coded("gzip", &bomb)),
        ("C25", coded("gzip, gzip", &gzip(&bomb))),
        (
            "C26",
            coded("zstd", &zstd::encode_all(zeros.as_slice(), 1).unwrap()),
        ),
        (
            "C32",
            parts(&[(
                "name=x\r\nContent-Transfer-Encoding: base64",
                "OTkxMjMxMTAwMDEw",
            )]),
        ),
        (
            "D21",
            parts(&[
                ("name=_charset_", "utf-7"),
                ("name=x", "+ADkAOQAxADIAMwAxADEAMAAwADAAMQAw-"),
            ]),
        ),
        (
            "D22",
            post(
                "application/xml; charset=utf-8",
                b"<?xml version=\"1.0\" encoding=\"windows-1251\"?><c>\xc8\xe2\xe0\xed</c>",
            ),
        ),
        ("N10", post("application/zip", &zip)),
    ]
}

#[test]
fn every_generated_row_is_refused_within_its_cost() {
    let recipient = Recipient::start(OK);
    let gate = gate_before(&recipient, "enforce");
    let mut wrong = Vec::new();
    let cases = refused();
    let ids: BTreeSet<&str> = cases.iter().map(|it| it.0).collect();
    assert_eq!(ids, GENERATED.iter().copied().collect());
    for (id, wire) in cases {
        let before = records(&gate);
        let started = Instant::now();
        let answer = gate.send(&wire);
        let is_refused = answer.statuses.iter().all(|it| *it >= 400);
        let is_sent = !recipient.take().is_empty();
        let written = records(&gate) - before;
        if !is_refused || is_sent || written != 1 || started.elapsed() > PATIENCE {
            wrong.push(format!(
                "{id}: {:?}, sent {is_sent}, {written} records, {:?}",
                answer.statuses,
                started.elapsed()
            ));
        }
    }
    // F44: digits that are nearly a number cost no more than others; what they are is free.
    let near = format!("{{\"x\":\"{}\"}}", "9912311000 ".repeat(100_000));
    let started = Instant::now();
    let answer = gate.send(&post(JSON, near.as_bytes()));
    if started.elapsed() > PATIENCE || answer.statuses.len() != 1 {
        wrong.push(format!("F44: {:?}", started.elapsed()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_row_of_the_catalogue_is_left_out() {
    let mut held: BTreeSet<String> = wires::ids().into_iter().collect();
    held.extend(GENERATED.iter().map(|it| (*it).to_owned()));
    held.insert("F44".to_owned());
    held.extend(ELSEWHERE.iter().map(|it| it.0.to_owned()));
    let rows: BTreeSet<&str> = include_str!("rows.txt").lines().collect();
    assert_eq!(rows.len(), 251);
    let missing: Vec<_> = rows.iter().filter(|it| !held.contains(**it)).collect();
    assert!(missing.is_empty(), "rows without a test: {missing:?}");
}

/// The published table of gaps says exactly what is pinned.
#[test]
fn the_published_gaps_are_the_pinned_ones() {
    let page = include_str!("../../docs/gaps.md");
    let published: BTreeSet<String> = page
        .lines()
        .filter_map(|it| it.strip_prefix("| "))
        .filter_map(|it| it.split(" |").next())
        .filter(|it| it.bytes().any(|it| it.is_ascii_digit()))
        .map(str::to_owned)
        .collect();
    let pinned: BTreeSet<String> = wires::gaps().into_iter().collect();
    assert_eq!(published, pinned);
    assert!(pinned.len() <= 12, "{} gaps", pinned.len());
}
