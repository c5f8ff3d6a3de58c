//! Vectors that others wrote, for charsets and for texts of every kind. Those of one reader stand in its tests.

use std::{collections::BTreeSet, fs};

use encoding_rs::Encoding;
use serde_json::{Value, json};

use super::{super::Inspector, *};
use crate::model::finding::GapKind;

/// Encodings that are a gap whatever the bytes are, each with the reason.
const UNREAD: &[(&str, &str)] = &[
    (
        "ISO-2022-JP",
        "its bytes are read as ASCII by whoever ignores the label",
    ),
    (
        "replacement",
        "the Encoding Standard itself reads nothing in them",
    ),
    ("x-user-defined", "its characters are of no letter"),
];

/// Labels by which the Encoding Standard means windows-1252 and whoever wrote them ASCII: other bytes are ambiguous.
const ASCII: &[&str] = &["ansi_x3.4-1968", "ascii", "us-ascii"];

/// Texts of which each encoding can write one.
const WORDS: &[&str] = &[
    "Айгерим",
    "Ελένη",
    "אסתר",
    "مريم",
    "สมชาย",
    "ひろし",
    "小明",
    "민준",
    "Žižka",
    "Zoë",
    "Göksu",
];

/// `text` in `encoding`, with a byte order mark where the label alone does not tell the order.
fn written(text: &str, encoding: &'static Encoding) -> Option<Vec<u8>> {
    let units = |unit: fn(u16) -> [u8; 2]| {
        let marked = format!("\u{feff}{text}");
        Some(marked.encode_utf16().flat_map(unit).collect())
    };
    match encoding.name() {
        "UTF-16LE" => units(u16::to_le_bytes),
        "UTF-16BE" => units(u16::to_be_bytes),
        _ => {
            let (bytes, _, has_losses) = encoding.encode(text);
            (!has_losses).then(|| bytes.into_owned())
        }
    }
}

#[test]
fn every_label_of_the_encoding_standard_is_read_as_it_says() {
    let Some(folder) = corpora("whatwg-encoding-labels") else {
        return;
    };
    let text = fs::read_to_string(folder.join("encodings.json")).unwrap();
    let groups: Value = serde_json::from_str(&text).unwrap();
    let groups = groups.as_array().unwrap();
    let encodings = groups
        .iter()
        .flat_map(|it| it["encodings"].as_array().unwrap());
    let inspector = Inspector::default();
    let plan = Plan::default();
    let (mut as_said, mut ascii, mut unread, mut met) = (0, 0, 0, BTreeSet::new());
    for it in encodings {
        let name = it["name"].as_str().unwrap();
        for label in it["labels"].as_array().unwrap() {
            let label = label.as_str().unwrap();
            let content_type = format!("application/json; charset=\"{label}\"");
            if let Some((listed, _)) = UNREAD.iter().find(|it| it.0 == name) {
                let gaps = inspector
                    .inspect(&message(&content_type, "{\"a\":1}"), &plan)
                    .gaps;
                let kinds: Vec<_> = gaps.iter().map(|it| it.kind).collect();
                assert_eq!(kinds, [GapKind::UnsupportedCharset], "{label}");
                met.insert(*listed);
                unread += 1;
                continue;
            }
            let encoding = Encoding::for_label(name.as_bytes()).unwrap();
            let document =
                |word| format!("{{\"note\":\"{word}\",\"email\":\"aigul@example.com\"}}");
            if ASCII.contains(&label) {
                let body = written(&document(&"Zoë"), encoding).unwrap();
                let gaps = inspector.inspect(&message(&content_type, body), &plan).gaps;
                let kinds: Vec<_> = gaps.iter().map(|it| it.kind).collect();
                assert_eq!(kinds, [GapKind::Ambiguous], "{label}");
                ascii += 1;
            }
            let plain = ["Zoe"].iter().filter(|_| ASCII.contains(&label));
            let mut texts = plain.chain(WORDS).map(document);
            let (text, body) = texts
                .find_map(|text| Some((text.clone(), written(&text, encoding)?)))
                .unwrap();
            let it = message(&content_type, body);
            let read = inspector.decoded_body(&it, &plan);
            let read = read.as_deref().map(|it| it.trim_start_matches('\u{feff}'));
            assert_eq!(read, Some(&*text), "{label}");
            let inspection = inspector.inspect(&it, &plan);
            assert!(inspection.gaps.is_empty(), "{label}: {:?}", inspection.gaps);
            let categories: Vec<_> = inspection.findings.iter().map(|it| it.category).collect();
            assert!(categories.contains(&Category::Email), "{label}");
            as_said += 1;
        }
    }
    println!("{as_said} labels read as they say, {unread} a gap with a reason, {ascii} stricter");
    assert_eq!(met.len(), UNREAD.len());
    assert_eq!(ascii, ASCII.len());
    assert!(as_said > 200, "{as_said} labels");
}

/// A naughty string is nobody's data, makes no reader stumble, and hides nothing that stands beside it.
#[test]
fn naughty_strings_are_read_and_hide_nothing() {
    let Some(folder) = corpora("big-list-of-naughty-strings") else {
        return;
    };
    let text = fs::read_to_string(folder.join("blns.json")).unwrap();
    let strings: Vec<String> = serde_json::from_str(&text).unwrap();
    let inspector = Inspector::default();
    let plan = Plan::default();
    let read = |it: &Message| inspector.inspect(it, &plan);
    for text in &strings {
        let alone = read(&message(
            "application/json",
            json!({ "note": text }).to_string(),
        ));
        assert!(alone.gaps.is_empty(), "{text:?}: {:?}", alone.gaps);
        let sure = alone
            .findings
            .iter()
            .find(|it| it.confidence >= Confidence::High);
        assert!(sure.is_none(), "{text:?}: {sure:?}");
        for (format, it) in beside(text) {
            let inspection = read(&it);
            let mail = inspection
                .findings
                .iter()
                .find(|it| it.category == Category::Email);
            assert!(mail.is_some(), "{format}: {text:?}: {:?}", inspection.gaps);
            assert!(
                inspection.gaps.is_empty(),
                "{format}: {text:?}: {:?}",
                inspection.gaps
            );
        }
    }
    println!(
        "{} strings, each in up to {} formats",
        strings.len(),
        beside("").len()
    );
    assert!(strings.len() > 400, "{}", strings.len());
}

/// `text` and an address beside it, in each format that can hold it, as a correct client writes it.
fn beside(text: &str) -> Vec<(&'static str, Message)> {
    const MAIL: &str = "aigul@example.com";
    let encoded = |it: &str| -> String { it.bytes().map(|it| format!("%{it:02X}")).collect() };
    let entities = |it: &str| -> String {
        let it = it
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        it.replace('\r', "&#13;")
    };
    let form = format!("note={}&email={}", encoded(text), encoded(MAIL));
    let mut parameters = message("", "");
    parameters.query = Some(form.clone());
    let part = |name: &str, it: &str| {
        format!("--b7MA4\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{it}\r\n")
    };
    let table = format!("note,email\r\n\"{}\",{MAIL}\r\n", text.replace('"', "\"\""));
    let parts = part("note", text) + &part("email", MAIL) + "--b7MA4--\r\n";
    let mut all = vec![
        (
            "json",
            message(
                "application/json",
                json!({ "note": text, "email": MAIL }).to_string(),
            ),
        ),
        (
            "json key",
            message(
                "application/json",
                json!({ text: 1, "email": MAIL }).to_string(),
            ),
        ),
        ("form", message("application/x-www-form-urlencoded", form)),
        ("query", parameters),
        (
            "multipart",
            message("multipart/form-data; boundary=b7MA4", parts),
        ),
        ("csv", message("text/csv", table)),
    ];
    // XML has no way to write most control characters and non-characters.
    let is_writable = |it: char| {
        !it.is_control() && !matches!(it, '\u{fffe}' | '\u{ffff}')
            || matches!(it, '\t' | '\n' | '\r')
    };
    if text.chars().all(is_writable) {
        let document = format!(
            "<o><note>{}</note><email>{MAIL}</email></o>",
            entities(text)
        );
        all.push(("xml", message("application/xml", document)));
    }
    all
}
