//! What could not be read is a gap, and what was read before it is kept.

use proptest::prelude::*;

use super::*;
use crate::model::{finding::GapKind, inspection::Budget};

#[track_caller]
fn check(message: &Message, expected: &[GapKind]) {
    let gaps: Vec<_> = read(message).gaps.iter().map(|it| it.kind).collect();
    assert_eq!(gaps, expected);
}

#[test]
fn a_body_that_does_not_hold_to_its_label_is_a_gap() {
    use GapKind::*;
    check(&json(r#"{"a":1,"\u0061":2}"#), &[Ambiguous]);
    check(&json(r#"{"a":{"a":1},"a":2}"#), &[Ambiguous]);
    check(&json(r#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#), &[]);
    check(&json("\u{feff}{}"), &[Ambiguous]);
    check(&json("{}{}"), &[Malformed]);
    check(&json("{}\n{}"), &[Malformed]);
    check(&json("{} x"), &[Malformed]);
    check(&json("{\"a\"\0:1}"), &[Malformed]);
    check(&json("{\u{a0}\"a\":1}"), &[Malformed]);
    check(&json(r#"{"a":"\ud800"}"#), &[Malformed]);
    check(&json("a=1"), &[Malformed]);
    check(&json(" "), &[Malformed]);
    check(&json(""), &[]);
    check(
        &message("application/json", b"{\"a\":\"\xff\"}".as_slice()),
        &[Malformed],
    );
    check(
        &message("application/json; charset=utf-16", "{}"),
        &[Ambiguous],
    );
    check(
        &message("application/json; charset=utf-7", "{}"),
        &[UnsupportedCharset],
    );
    check(&message("", "x"), &[UnsupportedMediaType]);
    check(&message("", ""), &[]);
    check(&message("text/yaml", "a,b"), &[UnsupportedMediaType]);
    check(&message("text/vcard", "a,b"), &[Malformed]);
    check(&message("image/png", "x"), &[Opaque]);
    check(
        &message("text/plain", b"\xff".as_slice()),
        &[UnsupportedCharset],
    );
    let form = |body: &[u8]| message("application/x-www-form-urlencoded", body);
    check(&form(b"a=%9"), &[Malformed]);
    check(&form(b"a%9=1"), &[Malformed]);
    check(&form(b"a=%ff"), &[UnsupportedCharset]);
    check(&form(b"a=\xff"), &[UnsupportedCharset]);
    check(&form(b"&&a&=&b="), &[]);
}

#[test]
fn the_head_has_gaps_of_its_own() {
    use GapKind::*;
    check(
        &with_field(json("{}"), "content-encoding", b"gzip"),
        &[Ambiguous],
    );
    check(
        &with_field(json("{}"), "content-encoding", b"compress"),
        &[UnsupportedCoding],
    );
    check(
        &with_field(json("{}"), "content-encoding", b"identity"),
        &[],
    );
    check(
        &with_field(json("{}"), "content-type", b"text/plain"),
        &[Ambiguous],
    );
    check(
        &with_field(json("{}"), "x-name", b"\xc8\xe2\xe0"),
        &[UnsupportedCharset],
    );
    let mut it = json("{}");
    it.path = "/a/%".to_owned();
    it.query = Some("a=%zz".to_owned());
    check(&it, &[Malformed, Malformed]);
}

#[test]
fn a_gap_names_the_place_of_a_duplicate() {
    let inspection = read(&json(r#"{"a":[{"b":1,"c":2,"b":3}]}"#));
    let path = inspection.gaps[0].location.path.as_deref().unwrap();
    assert_eq!(normalized_path(path), "$['a'][0]['b']");
}

#[test]
fn what_stands_before_a_fault_is_kept() {
    let inspection = read(&json(r#"{"a":"b@c.org","d":NaN}"#));
    assert_eq!(inspection.findings.len(), 1);
    assert_eq!(inspection.gaps.len(), 1);
}

#[test]
fn each_budget_ends_reading_with_its_own_gap() {
    let check = |budget: Budget, body: &str, expected: GapKind, found: usize| {
        let spec = PlanSpec {
            budget,
            ..PlanSpec::default()
        };
        let inspection = read_with(&json(body), &spec);
        let gaps: Vec<_> = inspection.gaps.iter().map(|it| it.kind).collect();
        assert_eq!(gaps, [expected], "{body}");
        assert_eq!(inspection.findings.len(), found, "{body}");
    };
    let all = Budget::default();
    let shallow = Budget { depth: 2, ..all };
    check(
        shallow.clone(),
        r#"["a@b.org",[["c@d.org"]]]"#,
        GapKind::DepthExceeded,
        2,
    );
    check(
        shallow,
        r#"["a@b.org",["[[]]"]]"#,
        GapKind::DepthExceeded,
        1,
    );
    let few = Budget { values: 4, ..all };
    check(few, r#"["a@b.org",2,"c@d.org"]"#, GapKind::PartsExceeded, 1);
    let lazy = Budget { work: 45, ..all };
    check(
        lazy,
        r#"["a@b.org","c@d.org","e@f.org"]"#,
        GapKind::WorkExceeded,
        2,
    );
    let deep = "[".repeat(100_000);
    check(Budget::default(), &deep, GapKind::DepthExceeded, 0);
}

#[test]
fn a_selector_that_cannot_be_answered_is_a_gap() {
    let spec = PlanSpec {
        not_personal: vec![body_selector("$[?@.a == 1]")],
        ..PlanSpec::default()
    };
    let kinds = |body: &str| -> Vec<GapKind> {
        let gaps = read_with(&json(body), &spec).gaps;
        gaps.iter().map(|it| it.kind).collect()
    };
    assert_eq!(kinds("[1e5]"), []);
    assert_eq!(kinds("[1e999]"), [GapKind::Malformed]);
    assert_eq!(kinds("[1e999"), [GapKind::Malformed], "once");
}

#[test]
fn signed_requests_are_told() {
    let check = |message: &Message, expected: bool| {
        assert_eq!(read(message).is_signed, expected);
    };
    check(&json("{}"), false);
    let aws = b"AWS4-HMAC-SHA256 Credential=x";
    check(&with_field(json("{}"), "authorization", aws), true);
    let input = with_field(json("{}"), "signature-input", b"sig=()");
    check(&input, false);
    check(&with_field(input, "signature", b"sig=:AA==:"), true);
    let mut it = json("{}");
    it.query = Some("a=1&X-Amz-Signature=00".to_owned());
    check(&it, true);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_give_an_inspection(
        label in prop::sample::select(vec!["application/json", "text/plain", "application/x-www-form-urlencoded", "", ";"]),
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            r#"[\[\]{}:,"\\u00ed8a1@.%+&= \n-]{0,80}"#.prop_map(String::into_bytes),
        ],
        path in r"/[%/a-f0-9@;.]{0,20}",
        query in r"[%&=+a-f0-9@\[\]]{0,30}",
        value in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut it = message(label, body);
        it.path = path;
        it.query = Some(query);
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            it.headers.append("cookie", value.clone());
            it.headers.append("user-agent", value);
        }
        let inspection = read(&it);
        for finding in inspection.findings.iter().filter(|it| it.location.part == Part::Body) {
            prop_assert!(finding.span.start <= finding.span.end);
            prop_assert!(finding.span.end <= it.body.len());
        }
        prop_assert_eq!(read(&it), inspection, "reading twice gives the same");
    }
}
