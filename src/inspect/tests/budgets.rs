//! What is made to be costly: each reader keeps to the budget, says what it left unread, and its work grows with the body.

use std::time::{Duration, Instant};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::*;
use crate::{
    inspect::Inspector,
    model::{
        finding::GapKind::{self, DepthExceeded, PartsExceeded, WorkExceeded},
        inspection::Budget,
    },
};

/// Bytes of an adversarial body.
const LENGTH: usize = 96 * 1024;

/// How often a reading is timed before it is said to take too long: the machine may be busy.
const TRIES: usize = 3;

/// `unit` over and over between `before` and `after`.
fn repeated(before: &[u8], unit: &[u8], after: &[u8], length: usize) -> Vec<u8> {
    let count = length / unit.len();
    [before, &unit.repeat(count), after].concat()
}

fn gaps(label: &str, body: Vec<u8>, budget: Budget) -> (Vec<GapKind>, u64) {
    let plan = plan(&PlanSpec {
        budget,
        ..PlanSpec::default()
    });
    let inspection = Inspector::default().inspect(&message(label, body), &plan);
    let kinds = inspection.gaps.iter().map(|it| it.kind).collect();
    (kinds, inspection.work)
}

type Adversary = (&'static str, &'static [u8], &'static [u8], &'static [u8]);

/// Label, beginning, what is repeated, end.
const ADVERSARIES: &[Adversary] = &[
    ("application/json", b"", b"[", b""),
    ("application/json", b"", b"{\"a\":", b""),
    ("application/json", b"{\"z\":1", b",\"a\":1", b"}"),
    ("application/json", b"[1", b",[]", b"]"),
    ("application/json", b"\"", b"\\u0041", b"\""),
    ("application/json", b"[9", b",9", b"]"),
    ("application/json", b"[\"9", b"\",\"9", b"\"]"),
    ("application/json", b"[57", b",57", b"]"),
    ("application/x-ndjson", b"", b"{}\n", b""),
    ("application/x-ndjson", b"", b"{\n", b""),
    ("application/json-seq", b"", b"\x1e[]", b""),
    ("text/plain", b"x", b"{\"a\":", b""),
    ("text/plain", b"x", b"{\"a\":[1,", b""),
    ("text/plain", b"x", b"{\"a\" ", b""),
    ("text/plain", b"x", b"{ ", b""),
    ("text/plain", b"", b"email: a\n", b""),
    ("text/plain", b"", b"a: b\n", b""),
    ("text/plain", b"", b"eyJ9.", b""),
    ("text/plain", b"", b"/eJyz", b""),
    ("text/plain", b"", b"=eJyz", b""),
    ("text/plain", b"", b"OTkxMjMxMTAwMDEw ", b""),
    ("text/plain", b"", b"OTkxMjMxMTAwMDEw", b""),
    ("text/plain", b"", b"HE4TCMRTGEYTAMBQ/", b""),
    ("text/plain", b"", b"%25", b""),
    ("text/plain", b"", b"%2525", b""),
    ("text/plain", b"", b"&#57;", b""),
    ("text/plain", b"", b"\\u0039", b""),
    ("text/plain", b"", b"57,", b"57"),
    ("text/plain", b"", b"9<", b""),
    ("text/plain", b"", b"9<b>", b""),
    ("text/plain", b"", b"a[at]", b""),
    ("text/plain", b"chr(", b"57)chr(", b""),
    ("text/plain", b"", b"a=1&", b"b=2"),
    ("text/plain", b"https://x.test/?", b"a=1&", b"b=2"),
    ("text/plain", b"", b"1-", b""),
    ("text/plain", b"", b"O0", b""),
    ("text/plain", b"", b"1 ", b""),
    ("application/x-www-form-urlencoded", b"", b"a&", b""),
    ("application/x-www-form-urlencoded", b"", b"&", b""),
    ("application/x-www-form-urlencoded", b"", b"a=9&", b""),
    ("application/x-www-form-urlencoded", b"a=", b"%25", b""),
    ("application/x-www-form-urlencoded", b"a", b"[b]", b"=1"),
    (
        "multipart/form-data; boundary=B",
        b"",
        b"--B\r\n\r\n\r\n",
        b"--B--",
    ),
    (
        "multipart/form-data; boundary=B",
        b"--B\r\n",
        b"A:b\r\n",
        b"\r\n\r\n--B--",
    ),
    (
        "multipart/form-data; boundary=B",
        b"--B\r\n",
        b"\r\n--B-",
        b"\r\n--B--",
    ),
    (
        "multipart/mixed; boundary=B",
        b"--B\r\nA: b",
        b";c=d",
        b"\r\n\r\n\r\n--B--",
    ),
    ("text/csv", b"a,b\n", b",", b""),
    ("text/csv", b"a,b\n", b"\"", b""),
    ("text/csv", b"a,b\n", b"\"\",\"", b""),
    ("text/csv", b"a,b\n", b"9\n", b""),
    ("application/xml", b"", b"<a>", b""),
    ("application/xml", b"<r>", b"<a/>", b"</r>"),
    ("application/xml", b"<r>", b"<a>9</a>", b"</r>"),
    ("application/xml", b"<r>", b"<b>1<i>2</i></b>", b"</r>"),
    (
        "application/xml",
        b"<r>",
        b"<b x='1'>1<i>2</i></b>",
        b"</r>",
    ),
    ("application/xml", b"<r ", b"a='1' ", b"/>"),
    ("application/xml", b"<r>", b"&#57;", b"</r>"),
    ("application/xml", b"<r>", b"<!--a-->", b"</r>"),
    ("application/xml", b"<r>", b"<!--", b"</r>"),
    ("application/xml", b"<r>", b"<![CDATA[9]]>", b"</r>"),
    (
        "application/xml",
        b"<!DOCTYPE r [",
        b"<!ENTITY a 'b'>",
        b"]><r/>",
    ),
    ("application/graphql", b"", b"{a", b""),
    ("application/graphql", b"{", b"a ", b"}"),
    ("application/graphql", b"{a(b:", b"9 ", b")}"),
    ("application/graphql", b"{a", b"#", b"\n}"),
    (
        "application/graphql",
        b"{a(b:\"\"\"",
        b"\\\"\"\"",
        b"\"\"\")}",
    ),
    ("text/vcard", b"", b"BEGIN:VCARD\n", b""),
    ("text/vcard", b"BEGIN:VCARD\n", b"A:9\n", b"END:VCARD\n"),
    ("text/vcard", b"BEGIN:VCARD\nA:9\n", b" 9\n", b"END:VCARD\n"),
    ("text/vcard", b"BEGIN:VCARD\nA", b";b=c", b":9\nEND:VCARD\n"),
    ("text/vcard", b"BEGIN:VCARD\nN:", b";a", b"\nEND:VCARD\n"),
    ("text/vcard", b"X;QUOTED-PRINTABLE=\n", b"=\n", b""),
    (
        "text/vcard",
        b"BEGIN:VCARD\nA;ENCODING=QUOTED-PRINTABLE:=\n",
        b"=\n",
        b"END:VCARD\n",
    ),
    ("application/x-protobuf", b"", b"\x08\x01", b""),
    ("application/x-protobuf", b"", b"\x0a\x00", b""),
    ("application/x-protobuf", b"", b"\x0b", b""),
    ("application/x-protobuf", b"", b"\x0b\x0c", b""),
    ("application/grpc", b"", b"\0\0\0\0\0", b""),
    ("application/msgpack", b"", b"\x91", b""),
    ("application/msgpack", b"\xdd\x00\x04\x00\x00", b"\x09", b""),
    (
        "application/msgpack",
        b"\xdf\xff\xff\xff\xff",
        b"\xa1a\x01",
        b"",
    ),
    ("application/cbor", b"", b"\x81", b""),
    ("application/cbor", b"", b"\xc1", b"\x01"),
    ("application/cbor", b"\x7f", b"\x61a", b"\xff"),
    ("application/cbor", b"\x9f", b"\x09", b"\xff"),
    ("application/cbor", b"\xbf", b"\x61a\x01", b"\xff"),
    (
        "application/bson",
        b"\x00\x00\x04\x00",
        b"\x0aa\x00",
        b"\x00",
    ),
    (
        "application/bson",
        b"\x00\x00\x04\x00",
        b"\x03a\x00\x00\x00\x04\x00",
        b"\x00",
    ),
];

/// Time and work of one reading of `length` bytes of `adversary`.
fn cost((label, before, unit, after): &Adversary, length: usize) -> (Duration, u64) {
    let body = repeated(before, unit, after, length);
    let begun = Instant::now();
    let (_, work) = gaps(label, body, Budget::default());
    (begun.elapsed(), work)
}

/// Four times the bytes take about four times as long: what is quadratic takes sixteen times.
#[test]
fn the_cost_of_what_is_made_to_be_costly_grows_with_its_length() {
    for it in ADVERSARIES {
        let shown = String::from_utf8_lossy(it.2);
        let is_linear = (0..TRIES).any(|_| {
            let (quarter, whole) = (cost(it, LENGTH / 4), cost(it, LENGTH));
            assert!(
                whole.1 < 6 * quarter.1.max(20_000),
                "{} {shown:?}: work",
                it.0
            );
            whole.0 < 8 * quarter.0 + Duration::from_millis(200)
        });
        assert!(is_linear, "{} {shown:?}: time", it.0);
    }
}

fn lazy() -> Budget {
    Budget {
        work: 2_000,
        ..Budget::default()
    }
}

fn few() -> Budget {
    Budget {
        values: 100,
        ..Budget::default()
    }
}

fn shallow() -> Budget {
    Budget {
        depth: 8,
        ..Budget::default()
    }
}

/// What bodies are cut by: the budget of work, and that of values.
const BOTH: &[Adversary] = &[
    ("application/json", b"[1", b",1", b"]"),
    ("application/x-ndjson", b"", b"{\"a\":1}\n", b""),
    ("application/x-www-form-urlencoded", b"", b"a=1&", b"b=1"),
    (
        "multipart/form-data; boundary=B",
        b"",
        b"--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n",
        b"--B--",
    ),
    ("text/csv", b"a,b\n", b"1,2\n", b""),
    ("application/xml", b"<r>", b"<a>1</a>", b"</r>"),
    ("application/graphql", b"{a(b:[", b"1 ", b"])}"),
    ("text/vcard", b"BEGIN:VCARD\n", b"A:1\n", b"END:VCARD\n"),
    ("text/plain", b"", b"email: a\n", b""),
    ("text/plain", b"x", b"{\"a\":1} ", b""),
    ("application/x-protobuf", b"", b"\x08\x01", b""),
    ("application/grpc", b"", b"\0\0\0\0\x02\x08\x01", b""),
    ("application/msgpack", b"\xdd\x00\x00\x80\x00", b"\x01", b""),
    ("application/cbor", b"\x9f", b"\x01", b"\xff"),
    (
        "application/bson",
        b"\x00\x80\x00\x00",
        b"\x0aa\x00",
        b"\x00",
    ),
];

/// What is under veils is read as often as the budget of work lets it.
const WORK: &[Adversary] = &[
    ("text/plain", b"", b"eyJhIjoxfQ.", b""),
    ("text/plain", b"", b"OTkxMjMxMTAwMDEw ", b""),
    ("text/plain", b"", b"%39", b""),
    ("text/plain", b"", b"57,", b"57"),
];

const DEPTH: &[Adversary] = &[
    ("application/json", b"", b"[", b""),
    ("application/xml", b"", b"<a>", b""),
    ("text/vcard", b"", b"BEGIN:VCARD\n", b""),
    ("application/x-protobuf", b"", b"\x0b", b""),
    ("application/msgpack", b"", b"\x91", b""),
    ("application/cbor", b"", b"\x81", b""),
    ("application/bson", b"\x05\0\0\0", b"\x03a\0\x05\0\0\0", b""),
];

#[track_caller]
fn check_cut(label: &str, body: Vec<u8>, budget: Budget, expected: GapKind) {
    // The text under way may be read to its end, in each of its forms.
    let most = if expected == WorkExceeded {
        4 * body.len() as u64
    } else {
        u64::MAX
    };
    let shown = String::from_utf8_lossy(body.get(..24.min(body.len())).unwrap()).into_owned();
    let (found, work) = gaps(label, body, budget);
    assert!(
        found.contains(&expected),
        "{label} {shown:?}: {found:?} and not {expected:?}"
    );
    assert!(work <= most, "{label} {shown:?}: {work} units");
}

/// Every reader spends work for what it reads, and counts its values and levels.
#[test]
fn each_reader_is_cut_by_the_budget_it_names() {
    let of = |it: &Adversary| (it.0, repeated(it.1, it.2, it.3, 32 * 1024));
    for (label, body) in BOTH.iter().map(of) {
        check_cut(label, body.clone(), lazy(), WorkExceeded);
        check_cut(label, body, few(), PartsExceeded);
    }
    for (label, body) in WORK.iter().map(of) {
        check_cut(label, body, lazy(), WorkExceeded);
    }
    for (label, body) in DEPTH.iter().map(of) {
        check_cut(label, body, shallow(), DepthExceeded);
    }
    let nested = ("{a".repeat(99) + &"}".repeat(99)).into_bytes();
    check_cut("application/graphql", nested, shallow(), DepthExceeded);
    let sealed = (0..5).fold("991231100010".to_owned(), |it, _| {
        BASE64_STANDARD.encode(it)
    });
    check_cut(
        "text/plain",
        sealed.into_bytes(),
        Budget::default(),
        DepthExceeded,
    );
}
