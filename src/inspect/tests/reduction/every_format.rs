//! Every format and every disguise: what is found is taken out and not found again, or the message is refused.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use proptest::prelude::*;

use super::*;
use crate::{inspect::Inspector, model::finding::GapKind};

/// What came of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    /// Nothing in it is acted on.
    Nothing,
    Reduced,
    Refused(&'static str),
}
use Outcome::{Nothing, Reduced, Refused};

const NO_PART: Outcome = Refused("a value to take out is in no part that can go");
const NO_FORMAT: Outcome = Refused("its body is of a format that is not reduced");
const NO_PARTS_LEFT: Outcome = Refused("none of its parts would be left");
const IN_PATH: Outcome = Refused("what stands in its path cannot go");

/// Values that are acted on wherever they stand.
const SECRETS: [&str; 5] = [
    "991231100010",
    "4111111111111111",
    "a.serikova@example.org",
    "+77010000001",
    "KZ86125KZT5004100100",
];

type Write = fn(&str) -> String;

/// Ways to write a text into another.
const DISGUISES: [(&str, Write); 17] = [
    ("plain", str::to_owned),
    ("sentence", |it| format!("Write to {it}, please")),
    ("document", |it| {
        format!(r#"{{"a":1,"iin":{}}}"#, quoted(it))
    }),
    ("object in a text", |it| {
        format!(r#"INFO sent {{"iin":{}}} in 3 ms"#, quoted(it))
    }),
    ("labelled line", |it| {
        format!("Order A-17\nclient_iin: {it}\nend")
    }),
    ("base64", |it| BASE64_STANDARD.encode(it)),
    ("base64 in a text", |it| {
        format!("see {} now", BASE64_STANDARD.encode(it))
    }),
    ("compressed", |it| BASE64_STANDARD.encode(deflated(it))),
    ("compressed in a text", |it| {
        format!("see /v1/{} now", BASE64_STANDARD.encode(deflated(it)))
    }),
    ("token", |it| {
        let claims = format!(r#"{{"sub":{}}}"#, quoted(it));
        let parts = [r#"{"alg":"none"}"#, &claims];
        format!(
            "{}.c2ln",
            parts.map(|it| BASE64_URL_SAFE_NO_PAD.encode(it)).join(".")
        )
    }),
    ("hexadecimal", |it| {
        it.bytes().map(|it| format!("{it:02x}")).collect()
    }),
    ("percent", percent),
    ("references", |it| {
        let codes = it.chars().map(u32::from);
        codes.map(|it| format!("&#{it};")).collect()
    }),
    ("element", |it| {
        format!("<c><b>1</b><iin>{}</iin></c>", escaped(it))
    }),
    ("card", |it| {
        let it = it.replace('\n', "\\n");
        format!("BEGIN:VCARD\r\nVERSION:3.0\r\nNOTE:{it}\r\nEND:VCARD\r\n")
    }),
    ("operation", |it| {
        format!("mutation {{ c(iin: {}) {{ id }} }}", quoted(it))
    }),
    ("pairs", |it| format!("a=1&iin={}&z=2", percent(it))),
];

type Carry = fn(&str) -> Message;

/// Messages around a text.
const CARRIERS: [(&str, Carry); 23] = [
    ("member", |it| {
        json(&format!(r#"{{"a":1,"note":{},"z":[true]}}"#, quoted(it)))
    }),
    ("element of a list", |it| {
        json(&format!(r#"["x",{}]"#, quoted(it)))
    }),
    ("document", |it| json(&quoted(it))),
    ("member in escapes", |it| {
        let units = it.encode_utf16().map(|it| format!("\\u{it:04x}"));
        json(&format!(r#"{{"note":"{}"}}"#, units.collect::<String>()))
    }),
    ("line", |it| {
        let body = format!("{{\"a\":1}}\n{{\"note\":{}}}\n", quoted(it));
        message("application/x-ndjson", body)
    }),
    ("document of a sequence", |it| {
        let body = format!("\u{1e}{{\"note\":{}}}\n\u{1e}[]\n", quoted(it));
        message("application/json-seq", body)
    }),
    ("pair", |it| {
        let body = format!("a=1&note={}&z=2", percent(it));
        message("application/x-www-form-urlencoded", body)
    }),
    ("part", |it| parts(&format!("\r\n{it}"))),
    ("part of JSON", |it| {
        let head = "Content-Type: application/json\r\n\r\n";
        parts(&format!("{head}{{\"note\":{}}}", quoted(it)))
    }),
    ("part in base64", |it| {
        let head = "Content-Transfer-Encoding: base64\r\n\r\n";
        parts(&format!("{head}{}", BASE64_STANDARD.encode(it)))
    }),
    ("cell", |it| {
        let body = format!("a,note\n1,\"{}\"\n2,x\n", it.replace('"', "\"\""));
        message("text/csv", body)
    }),
    ("element", |it| {
        let body = format!("<r><a>1</a><note>{}</note></r>", escaped(it));
        message("application/xml", body)
    }),
    ("section", |it| {
        let body = format!("<r><a>1</a><note><![CDATA[{it}]]></note></r>");
        message("application/xml", body)
    }),
    ("attribute", |it| {
        let body = format!("<r><a note=\"{}\">1</a></r>", escaped(it));
        message("application/xml", body)
    }),
    ("text", |it| message("text/plain", it)),
    ("wide text", |it| {
        let units = it.encode_utf16().flat_map(u16::to_le_bytes);
        message("text/plain; charset=utf-16le", units.collect::<Vec<u8>>())
    }),
    ("property of a card", |it| {
        let it = it.replace('\\', "\\\\").replace('\n', "\\n");
        let it = it.replace(';', "\\;").replace(',', "\\,");
        let body = format!("BEGIN:VCARD\r\nFN:Shop\r\nNOTE:{it}\r\nEND:VCARD\r\n");
        message("text/vcard", body)
    }),
    ("argument", |it| {
        let body = format!("mutation {{ send(note: {}, n: 1) {{ id }} }}", quoted(it));
        message("application/graphql", body)
    }),
    ("compressed body", |it| {
        let body = gzipped(&format!(r#"{{"note":{}}}"#, quoted(it)));
        with_field(
            message("application/json", body),
            "content-encoding",
            b"gzip",
        )
    }),
    ("parameter", |it| Message {
        query: Some(format!("a=1&note={}&z", percent(it))),
        ..message("", "")
    }),
    ("parameter escaped twice", |it| Message {
        query: Some(format!("a=1&note={}&z", percent(&percent(it)))),
        ..message("", "")
    }),
    ("field of the head", |it| {
        let it = it.replace(['\r', '\n'], " ");
        with_field(message("", ""), "x-note", it.as_bytes())
    }),
    ("cookie", |it| {
        let it = format!("a=1; note={}; z=2", percent(it));
        with_field(message("", ""), "cookie", it.as_bytes())
    }),
];

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn percent(text: &str) -> String {
    text.bytes().map(|it| format!("%{it:02X}")).collect()
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('"', "&quot;")
}

fn deflated(text: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn gzipped(text: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A form of two parts; `part` is what follows the disposition of the second.
fn parts(part: &str) -> Message {
    let named = "--B\r\nContent-Disposition: form-data; name=";
    message(
        "multipart/form-data; boundary=B",
        format!("{named}k\r\n\r\n1\r\n{named}note\r\n{part}\r\n--B--\r\n"),
    )
}

/// Takes all that is acted on out of `message` and reads it again, as the gate does. An error is something that was left.
fn outcome(inspector: &Inspector, it: &Message, operator: Operator) -> Result<Outcome, String> {
    let plan = Plan::default();
    let before = inspector.inspect(it, &plan);
    if acting(&before).is_empty() {
        return Ok(Nothing);
    }
    let persons = 0..before.persons.len();
    let fields: Vec<_> = persons.map(|it| (it, CategorySet::all())).collect();
    let operator_of = |_, _| operator;
    let order = order(&[], &fields, &operator_of);
    let reduced = match inspector.reduce(it, &before, &plan, &order) {
        Ok(reduced) => reduced,
        Err(error) => return Ok(Refused(error.0)),
    };
    let after = inspector.inspect_reduced(&reduced, &plan);
    if has_more_gaps(&after, &before) {
        return Ok(Refused("what is left has gaps that were not there"));
    }
    if let Err(error) = reduced.check(&before, &after) {
        return Ok(Refused(error.0));
    }
    let mut left = acting(&after);
    if operator != Pseudonymise {
        // Whoever receives it does not know what was written.
        left.extend(acting(&inspector.inspect(&reduced.message, &plan)));
    }
    if !left.is_empty() {
        return Err(format!("left: {left:?}"));
    }
    if reduced.removed == 0 || all_of(&reduced.message) == all_of(it) {
        return Err("nothing was taken out".to_owned());
    }
    Ok(Reduced)
}

fn acting(inspection: &Inspection) -> Vec<String> {
    let acting = inspection.findings.iter().filter(|it| it.acts);
    let place = |it: &Finding| format!("{} {:?}", it.detector, it.location);
    acting.map(place).collect()
}

fn has_more_gaps(after: &Inspection, before: &Inspection) -> bool {
    let count = |it: &Inspection, kind: GapKind| {
        let gaps = it.gaps.iter();
        gaps.filter(|it| it.kind == kind).count()
    };
    let mut kinds = after.gaps.iter().map(|it| it.kind);
    kinds.any(|it| count(after, it) > count(before, it))
}

/// All of a message that may hold data.
fn all_of(it: &Message) -> String {
    let all = (&it.path, &it.query, &it.headers, &it.body, &it.trailers);
    format!("{all:?}")
}

#[test]
fn nothing_is_left_in_any_format_or_disguise() {
    let inspector = Inspector::default();
    for (carrier, carry) in CARRIERS {
        for (disguise, write) in DISGUISES {
            for secret in SECRETS {
                let it = carry(&write(secret));
                for operator in [Remove, Mask, Pseudonymise] {
                    let came = outcome(&inspector, &it, operator);
                    assert_eq!(
                        came,
                        Ok(Reduced),
                        "{secret} as {disguise} in {carrier}, {operator:?}"
                    );
                }
            }
        }
    }
}

/// `body` of this type comes to `expected`, whatever is done to what is in it.
#[track_caller]
fn check(label: &str, body: impl Into<Vec<u8>>, expected: Outcome) {
    let it = message(label, body);
    for operator in [Remove, Mask, Pseudonymise] {
        let came = outcome(&Inspector::default(), &it, operator);
        let body = String::from_utf8_lossy(&it.body);
        assert_eq!(came, Ok(expected), "{operator:?} {body}");
    }
}

#[test]
fn a_number_that_is_split_over_neighbours_goes_from_each() {
    for body in [
        r#"{"iin_a":"991231","iin_b":"100010"}"#,
        r#"{"a":991231,"b":100010}"#,
        r#"{"x":"120","a":"991231","b":"100010","z":"77"}"#,
        r#"["991231","100010"]"#,
        r#"{"a":"991231","n":{"x":1},"b":"100010"}"#,
        r#"{"c1":"4111","c2":"1111","c3":"1111","c4":"1111"}"#,
        "[9, 9, 1, 2, 3, 1, 1, 0, 0, 0, 1, 0]",
        r#"{"a":"\u0039\u0039\u0031231","b":"100010"}"#,
    ] {
        check("application/json", body, Reduced);
    }
    let form = "application/x-www-form-urlencoded";
    let part = |name: &str, text: &str| {
        format!("--B\r\nContent-Disposition: form-data; name={name}\r\n\r\n{text}\r\n")
    };
    let parts = [part("k", "k"), part("x", "991231"), part("y", "100010")].concat();
    for (label, body) in [
        ("text/csv", "a,b\n991231,100010\n"),
        (form, "a=991231&b=100010"),
        (form, "x[]=991231&x[]=100010"),
        ("application/xml", "<r>991<b>231</b>100010</r>"),
        ("application/xml", "<r><a>991231</a><b>100010</b></r>"),
        ("application/xml", "<r><a>991231</a><a>100010</a></r>"),
        ("application/xml", "<r a='991231' b='100010'/>"),
        ("text/vcard", "BEGIN:VCARD\nA:991231\nB:100010\nEND:VCARD\n"),
        ("application/graphql", r#"{c(d:"991231", e:"100010")}"#),
        ("application/graphql", "{c(d:[991231, 100010])}"),
        (
            "multipart/form-data; boundary=B",
            &format!("{parts}--B--\r\n"),
        ),
    ] {
        check(label, body, Reduced);
    }
    let pack = b"\x82\xa1a\xa6991231\xa1b\xa6100010".as_slice();
    check("application/msgpack", pack, NO_FORMAT);
    // Fields of Protocol Buffers have no names, and measures beside one another are common.
    let fields = b"\x0a\x06991231\x12\x06100010".as_slice();
    check("application/x-protobuf", fields, Nothing);
}

#[test]
fn what_cards_and_operations_hold_goes_where_it_stands() {
    let card = |line: &str| format!("BEGIN:VCARD\r\nFN:Shop\r\n{line}\r\nEND:VCARD\r\n");
    let event = "BEGIN:VCALENDAR\nBEGIN;X=991231100010:VEVENT\nEND:VEVENT\nEND:VCALENDAR\n";
    check("text/calendar", event, Reduced);
    for line in [
        "N:Серикова;Айгерим;;;",
        "N:a;b;c;d;e;991231100010",
        "TEL;TYPE=CELL:+7 701 000\r\n  00 01",
        "item1.EMAIL:a.serikova@example.org",
        "EMAIL;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:a.serikova=40exam=\r\nple.org",
        "TEL;X-IIN=991231100010:1",
        "TEL;X-IIN=\"991231100010\":1",
        "X;ENCODING=b:OTkxMjMxMTAwMDEw",
        "X:{\"iin\":\"991231100010\"}",
        "ADR:;;ул. Абая 10\\, кв. 5;Алматы;;050000;Казахстан",
        "991231100010",
    ] {
        check("text/vcard", card(line), Reduced);
    }
    let event = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nORGANIZER;CN=\"Айгерим Серикова\":mailto:a.serikova@example.org\n\
        ATTENDEE;ROLE=REQ-PARTICIPANT:mailto:b@example.org\nEND:VEVENT\nEND:VCALENDAR\n";
    check("text/calendar", event, Reduced);
    for operation in [
        r#"mutation { c(input: {firstName: "Айгерим", email: "a@example.org", age: 27}) { id } } # 991231100010"#,
        "{c(iin: 991231100010){id}}",
        "{c(iin:\"\"\"991231100010\"\"\"){id}}",
        r#"{c(iin:"\u0039\u0039\u0031231100010"){id}}"#,
        r#"{c(iin:"991\u{32}31100010"){id}}"#,
    ] {
        check("application/graphql", operation, Reduced);
        let body = serde_json::json!({"query": operation, "variables": {"iin": "991231100010"}});
        check("application/json", body.to_string(), Reduced);
    }
}

/// A name of the format cannot go without the line or field that it names becoming another.
#[test]
fn data_in_the_names_of_cards_and_operations_is_refused() {
    for lines in [
        "BEGIN:VCARD\nFN:x\nEND:991231100010\n",
        "BEGIN:VCARD\nBEGIN:991231100010\nEND:991231100010\nEND:VCARD\n",
        "BEGIN:VCARD\nX-991231100010:x\nEND:VCARD\n",
        "991231100010.BEGIN:VCARD\nFN:x\nEND:VCARD\n",
        "BEGIN:VCARD\n991231100010.FN:x\nEND:VCARD\n",
        "BEGIN:VCARD\nFN;991231100010=x:x\nEND:VCARD\n",
    ] {
        check("text/vcard", lines, NO_PART);
    }
    for operation in ["{a991231100010}", "query a_991231100010 {c(d:1)}"] {
        check("application/graphql", operation, NO_PART);
    }
}

#[test]
fn what_has_no_way_back_is_refused() {
    let fields = b"\x0a\x0c991231100010\x12\x16a.serikova@example.org".as_slice();
    let frame = [b"\0\0\0\0\x26".as_slice(), fields].concat();
    let document = b"\x1b\0\0\0\x02iin\0\x0d\0\0\x00991231100010\0\0".as_slice();
    check("application/x-protobuf", fields, NO_FORMAT);
    check("application/grpc", frame, NO_FORMAT);
    check(
        "application/msgpack",
        b"\x81\xa3iin\xac991231100010".as_slice(),
        NO_FORMAT,
    );
    check(
        "application/cbor",
        b"\xa1\x63iin\x6c991231100010".as_slice(),
        NO_FORMAT,
    );
    check("application/bson", document, NO_FORMAT);
    let codes = r#"{"type":"Buffer","data":[57,57,49,50,51,49,49,48,48,48,49,48]}"#;
    check("application/json", codes, NO_PART);
    for xml in [
        "<!DOCTYPE r [<!ENTITY a \"991231100010\">]><r>&a;</r>",
        "<?x 991231100010?><r/>",
    ] {
        check("application/xml", xml, NO_PART);
    }
    let beside =
        "991231100010\r\n--B\r\nContent-Disposition: form-data; name=k\r\n\r\n1\r\n--B--\r\n";
    check("multipart/form-data; boundary=B", beside, NO_PARTS_LEFT);
    for operator in [Remove, Mask, Pseudonymise] {
        let it = Message {
            path: "/users/991231100010".to_owned(),
            ..message("", "")
        };
        assert_eq!(outcome(&Inspector::default(), &it, operator), Ok(IN_PATH));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Disguises in disguises, and other values beside: never is something left that a reduction should have taken.
    #[test]
    fn nothing_is_left_of_disguises_in_disguises(
        carrier in prop::sample::select(CARRIERS.to_vec()),
        disguises in prop::collection::vec(prop::sample::select(DISGUISES.to_vec()), 1..4),
        secrets in prop::collection::vec(prop::sample::select(SECRETS.to_vec()), 1..4),
        number in 0..3_usize,
    ) {
        let operator = [Remove, Mask, Pseudonymise][number];
        let names: Vec<_> = disguises.iter().map(|it| it.0).collect();
        let text = disguises.iter().fold(secrets.join(" and "), |text, it| (it.1)(&text));
        let it = carrier.1(&text);
        let came = outcome(&Inspector::default(), &it, operator);
        prop_assert!(came.is_ok(), "{came:?}: {secrets:?} as {names:?} in {}, {operator:?}", carrier.0);
    }
}
