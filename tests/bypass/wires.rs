//! The cases: exact bytes on the wire, each of one class.

use std::{collections::BTreeMap, fs, path::PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;

use super::{
    OK,
    gate::{Answer, Gate, Recipient},
    gate_before,
};

/// What must become of a case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Class {
    /// It arrives, its body as it was sent.
    Forward,
    /// Nothing of it arrives.
    Refuse,
    /// The first request on the connection arrives, nothing of the second.
    FirstOnly,
    /// It arrives although it should not: a limit that the documentation names. When it is refused one day, the case moves.
    KnownGap,
}

#[derive(Debug, Deserialize)]
struct Case {
    id: String,
    what: String,
    class: Class,
    wire_b64: String,
}

/// A case of the corpus, whose expectations are in words.
#[derive(Debug, Deserialize)]
struct Further {
    id: String,
    expect: String,
    wire_b64: Option<String>,
}

/// Bytes that name the persons of the cases, in the forms in which a recipient may read them.
const MARKERS: &[&str] = &[
    "991231100010",
    "050314100013",
    "50314100013",
    "4111111111111111",
    "a.ivanova",
    "Айгерим",
];

fn cases() -> Vec<Case> {
    include_str!("cases.jsonl")
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect()
}

/// Ids of all cases.
pub(crate) fn ids() -> Vec<String> {
    cases().into_iter().map(|it| it.id).collect()
}

/// Ids of the cases that pass although they should not.
pub(crate) fn gaps() -> Vec<String> {
    let gaps = cases().into_iter().filter(|it| it.class == Class::KnownGap);
    gaps.map(|it| it.id).collect()
}

/// How many records the audit log of `gate` holds.
pub(crate) fn records(gate: &Gate) -> usize {
    gate.count_in_audit(b"\"salt\":\"")
}

/// Families whose cases are one message each: a refusal is one record.
const OF_ONE_MESSAGE: &str = "CDEFGHIJKNX";

/// Cases whose bytes hold a marker by right: what it is part of is no identifier.
const MARKED: &[&str] = &["E13", "X01", "X02"];

/// Whether a marker stands in `bytes` as they are, in compatible forms, with ASCII digits, or without separators.
fn has_marker(bytes: &[u8]) -> bool {
    let raw = String::from_utf8_lossy(bytes);
    let compatible: String = raw.nfkc().collect();
    let digits: String = compatible
        .chars()
        .map(|it| match (it as u32).checked_sub(0x660) {
            Some(digit @ 0..=9) => char::from_digit(digit, 10).unwrap(),
            _ => it,
        })
        .collect();
    let joined: String = digits.chars().filter(|it| it.is_alphanumeric()).collect();
    let forms = [raw.as_ref(), &compatible, &digits, &joined];
    MARKERS
        .iter()
        .any(|marker| forms.iter().any(|it| it.contains(marker)))
}

/// The body of the message in `wire`, as a length frames it.
fn body(wire: &[u8]) -> &[u8] {
    let end = wire.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
    &wire[end + 4..]
}

/// What is wrong with how `case` went, if anything.
fn judge(case: &Case, wire: &[u8], answer: &Answer, received: &[Vec<u8>]) -> Option<String> {
    let is_refused = answer.statuses.iter().all(|it| *it == 100 || *it >= 400);
    let has_marker = received.iter().any(|it| has_marker(it));
    let is_marked = MARKED.contains(&case.id.as_str());
    let is_right = match case.class {
        Class::Forward => {
            answer.statuses.contains(&200)
                && matches!(received, [it] if body(it) == body(wire))
                && (!has_marker || is_marked)
        }
        Class::Refuse => is_refused && received.is_empty(),
        Class::FirstOnly => {
            matches!(answer.statuses[..], [200, second] if second >= 400)
                && received.len() == 1
                && !has_marker
        }
        Class::KnownGap => answer.statuses == [200] && received.len() == 1,
    };
    (!is_right).then(|| {
        format!(
            "{} ({}) must be {:?}: answered {:?}, {} received",
            case.id,
            case.what,
            case.class,
            answer.statuses,
            received.len()
        )
    })
}

fn start() -> (Recipient, Gate) {
    let recipient = Recipient::start(OK);
    let gate = gate_before(&recipient, "enforce");
    (recipient, gate)
}

#[test]
fn every_case_goes_as_its_class_says() {
    let (recipient, gate) = start();
    let mut counts: BTreeMap<(char, Class), u32> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in cases() {
        let wire = BASE64_STANDARD.decode(&case.wire_b64).unwrap();
        let answer = gate.send(&wire);
        wrong.extend(judge(&case, &wire, &answer, &recipient.take()));
        let family = case.id.chars().next().unwrap();
        *counts.entry((family, case.class)).or_default() += 1;
    }
    println!("{counts:#?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let kept = gate.log() + &gate.audit();
    for marker in MARKERS {
        assert!(
            !kept.contains(marker),
            "{marker} is in the log or the audit log"
        );
    }
}

#[test]
fn each_refusal_leaves_one_record() {
    let (recipient, gate) = start();
    let before = records(&gate);
    let mut sent = 0;
    for case in cases() {
        let family = case.id.chars().next().unwrap();
        if case.class == Class::Refuse && OF_ONE_MESSAGE.contains(family) {
            gate.send(&BASE64_STANDARD.decode(&case.wire_b64).unwrap());
            sent += 1;
        }
    }
    assert!(sent > 200, "{sent}");
    assert_eq!(records(&gate) - before, sent);
    assert!(recipient.take().is_empty());
}

/// What the corpus expects to be refused in every reading of its words, and is not pinned in `cases.jsonl`, must be refused.
#[test]
fn the_corpus_holds_no_case_that_passes_unseen() {
    let root = std::env::var_os("SHEKARA_CORPORA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora"),
        PathBuf::from,
    );
    let path = root.join("bypass-cases/dev.jsonl");
    let Ok(text) = fs::read_to_string(&path) else {
        println!(
            "SKIPPED: no bypass-cases corpus; set SHEKARA_CORPORA to the folder that holds it"
        );
        return;
    };
    let (recipient, gate) = start();
    let pinned: BTreeMap<String, String> =
        cases().into_iter().map(|it| (it.id, it.wire_b64)).collect();
    let mut wrong = Vec::new();
    for line in text.lines() {
        let case: Further = serde_json::from_str(line).unwrap();
        let Some(wire) = case.wire_b64.filter(|it| pinned.get(&case.id) != Some(it)) else {
            continue;
        };
        let is_refusal = case.expect.starts_with('B') || case.expect.starts_with("R ");
        if !is_refusal || case.expect.contains("gap") || case.expect.contains(" F") {
            continue;
        }
        let answer = gate.send(&BASE64_STANDARD.decode(&wire).unwrap());
        if !recipient.take().is_empty() {
            wrong.push(format!("{}: {:?}", case.id, answer.statuses));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
