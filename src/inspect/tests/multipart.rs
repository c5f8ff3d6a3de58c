//! Multipart bodies: where parts stand, how each is read, and what no two parsers agree on.

use std::fs;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use proptest::prelude::*;

use super::*;
use crate::{
    inspect::format::multipart::{
        names,
        split::{Lines, split},
    },
    model::finding::{Gap, GapKind},
};

const FORM: &str = "multipart/form-data; boundary=B";

/// A form of these parts: header fields after the name, and content.
fn form(parts: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (head, content) in parts {
        out += &format!("--B\r\nContent-Disposition: form-data; name={head}\r\n\r\n{content}\r\n");
    }
    out + "--B--\r\n"
}

fn placed(gap: &Gap) -> (GapKind, String) {
    let path = gap.location.path.as_deref().map(normalized_path);
    let inner = gap.location.inner.as_deref().map(normalized_path);
    let name = gap.location.name.as_deref().unwrap_or_default();
    (
        gap.kind,
        format!(
            "{name}{}{}",
            path.unwrap_or_default(),
            inner.map(|it| format!(" | {it}")).unwrap_or_default()
        ),
    )
}

#[track_caller]
fn check(label: &str, body: impl Into<Vec<u8>>, expected: &[&str], gaps: &[(GapKind, &str)]) {
    let it = message(label, body);
    let inspection = read(&it);
    let found: Vec<_> = inspection
        .findings
        .iter()
        .map(|found| written(&it, found))
        .collect();
    assert_eq!(found, expected);
    let found: Vec<_> = inspection.gaps.iter().map(placed).collect();
    let gaps: Vec<_> = gaps.iter().map(|it| (it.0, it.1.to_owned())).collect();
    assert_eq!(found, gaps);
}

#[test]
fn parts_are_one_tree_by_name() {
    check(
        FORM,
        form(&[
            ("a", "x b@c.org"),
            ("\"to\"", "1@b.c"),
            ("n", "1"),
            ("to", "2@b.c"),
            ("\"991231100010\"", ""),
            ("\"d[e]\"", "{\"f\":\"3@b.c\"}"),
        ]),
        &[
            "body $['a'] = b@c.org",
            "body $['to'][0] = 1@b.c",
            "body $['to'][1] = 2@b.c",
            "body $['991231100010'] (key) = 991231100010",
            "body $['d[e]'] | $['f'] = 3@b.c",
        ],
        &[],
    );
    check(
        "multipart/mixed; boundary=\"B\"",
        "--B\r\n\r\n1@b.c\r\n--B\r\nContent-Type: application/json\r\n\r\n{\"a\":\"2@b.c\"}\r\n--B--",
        &["body $[0] = 1@b.c", "body $[1] | $['a'] = 2@b.c"],
        &[],
    );
}

/// Mail libraries write line feeds alone in memory, and clients of batches send what they wrote.
#[test]
fn parts_of_messages_may_end_their_lines_in_line_feeds() {
    let part = "--B\nContent-Type: text/plain\nX-To: 1@b.c\n\n2@b.c\n";
    let coded = "--B\nContent-Transfer-Encoding: quoted-printable\n\n3=40b=\n.c\n";
    let request = "--B\nContent-Type: application/http\n\nGET /?m=4@b.c HTTP/1.1\n\n\n";
    let whole = format!("{part}{coded}{request}--B--\n");
    for kind in ["mixed", "related", "alternative"] {
        check(
            &format!("multipart/{kind}; boundary=B"),
            whole.clone(),
            &[
                "body x-to $[0] = 1@b.c",
                "body $[0] = 2@b.c",
                "body $[1] = 3=40b=\n.c",
                "body $[2] | $['query']['m'] = GET /?m=4@b.c HTTP/1.1\n\n",
                "body $[2] | $['path'] = GET /?m=4@b.c HTTP/1.1\n\n",
            ],
            &[],
        );
    }
    // A form is not written so, and no body in both ways.
    let gaps = |label: &str, body: &str| {
        let gaps = read(&message(label, body)).gaps;
        !gaps.is_empty()
    };
    assert!(gaps(
        FORM,
        "--B\nContent-Disposition: form-data; name=x\n\n1@b.c\n--B--\n"
    ));
    let mixed = "multipart/mixed; boundary=B";
    for (from, to) in [
        ("text/plain\n", "text/plain\r\n"),
        ("2@b.c\n--B\n", "2@b.c\r\n--B\n"),
        ("2@b.c\n--B\n", "2@b.c\n--B\r\n"),
        ("--B--\n", "--B--\r\n"),
        ("--B\n", "p\n--B\n"),
    ] {
        assert!(gaps(mixed, &whole.replacen(from, to, 1)), "{to:?}");
    }
}

#[test]
fn a_part_is_read_in_its_own_format_and_charset() {
    check(
        FORM,
        form(&[
            (
                "j\r\nContent-Type: application/json",
                "{\"a\":[\"\\u0061@b.c\"]}",
            ),
            (
                "f\r\nContent-Type: application/x-www-form-urlencoded",
                "b=1%40b.c",
            ),
            ("t\r\nContent-Type: text/plain; charset=utf-8", "2@b.c"),
            (
                "q\r\nContent-Transfer-Encoding: quoted-printable",
                "x =33@b=\r\n.c y",
            ),
            (
                "b\r\nContent-Transfer-Encoding: base64",
                "OTkxMjMx\r\nMTAwMDEw",
            ),
            ("8\r\nContent-Transfer-Encoding: 8bit", "4@b.c"),
            (
                "jb\r\nContent-Type: application/json\r\nContent-Transfer-Encoding: base64",
                "eyJhIjoiNUBiLmMifQ==",
            ),
        ]),
        &[
            "body $['j'] | $['a'][0] = \\u0061@b.c",
            "body $['f'] | $['b'] = 1%40b.c",
            "body $['t'] = 2@b.c",
            "body $['q'] = x =33@b=\r\n.c y",
            "body $['q'] = =33@b=\r\n.c",
            "body $['b'] = OTkxMjMx\r\nMTAwMDEw",
            "body $['8'] = 4@b.c",
            "body $['jb'] | $['a'] = eyJhIjoiNUBiLmMifQ==",
        ],
        &[],
    );
}

/// What a label keeps from being read is a gap at its part; what is text is read all the same.
#[test]
fn a_part_that_is_not_read_is_a_gap_at_its_place() {
    check(
        FORM,
        form(&[
            (
                "p; filename=a.png\r\nContent-Type: image/png",
                "991231100010",
            ),
            ("o\r\nContent-Type: application/octet-stream", "\u{1}1@b.c"),
            ("z\r\nContent-Encoding: x-own", "2@b.c"),
            ("x\r\nContent-Transfer-Encoding: x-uuencode", "3@b.c"),
            ("j\r\nContent-Type: application/json", "{\"a\":\"4@b.c\""),
            ("u\r\nContent-Type: text/plain; charset=x-nobody", "5@b.c"),
            ("b\r\nContent-Transfer-Encoding: base64", "*"),
            (
                "n\r\nContent-Type: multipart/mixed; boundary=C",
                "--C\r\n\r\n 6@b.c \r\n--C--",
            ),
            ("_charset_", "koi8-r"),
        ]),
        &[
            "body $['p'] = 991231100010",
            "body $['z'] = 2@b.c",
            "body $['x'] = 3@b.c",
            "body $['j'] | $['a'] = 4@b.c",
            "body $['u'] = 5@b.c",
            "body $['n'] | $['parts'][0]['body'] = 6@b.c",
        ],
        &[
            (GapKind::Opaque, "$['p']"),
            (GapKind::Opaque, "$['o']"),
            (GapKind::UnsupportedCoding, "$['z']"),
            (GapKind::UnsupportedCoding, "$['x']"),
            (GapKind::Malformed, "$['j'] | $"),
            (GapKind::UnsupportedCharset, "$['u']"),
            (GapKind::Malformed, "$['b']"),
            (GapKind::UnsupportedCharset, "$['_charset_']"),
        ],
    );
}

#[test]
fn header_fields_of_parts_are_values() {
    check(
        FORM,
        form(&[
            ("f; filename=\"1@b.c\"", "x"),
            ("g; filename*=UTF-8''%32%40b.c", "x"),
            ("h; filename*0=991231; filename*1=100010", "x"),
            ("i\r\nX-Note: 3@b.c", "x"),
            (
                "j\r\nX-991231100010: 1\r\nContent-Type: text/plain; a=4@b.c",
                "x",
            ),
            ("k; filename=\"=?utf-8?B?OTkxMjMxMTAwMDEw?=\"", "x"),
        ]),
        &[
            "body filename $['f'] = 1@b.c",
            "body filename $['g'] = UTF-8''%32%40b.c",
            "body filename $['h'] = form-data; name=h; filename*0=991231; filename*1=100010",
            "body x-note $['i'] = 3@b.c",
            "body content-type $['j'] = a=4@b.c",
            "body filename $['k'] = =?utf-8?B?OTkxMjMxMTAwMDEw?=",
        ],
        &[(GapKind::Ambiguous, "$['h']")],
    );
}

#[test]
fn no_two_readings_of_one_body_pass() {
    use GapKind::{Ambiguous, Malformed, UnsupportedCharset, UnsupportedMediaType};
    let part = "--B\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n";
    let whole = format!("{part}--B--\r\n");
    let gaps = |label: &str, body: &str| -> Vec<GapKind> {
        let gaps = read(&message(label, body)).gaps;
        gaps.iter().map(|it| it.kind).collect()
    };
    assert_eq!(gaps(FORM, &whole), []);
    for charset in ["utf-8", "\"UTF-8\"", "iso-8859-1", "windows-1251"] {
        assert_eq!(gaps(&format!("{FORM}; charset={charset}"), &whole), []);
    }
    for (label, expected) in [
        ("multipart/form-data", Malformed),
        ("multipart/form-data; boundary=B; boundary=B", Ambiguous),
        ("multipart/form-data; boundary=A; boundary=B", Ambiguous),
        ("multipart/form-data; boundary*=utf-8''B", Ambiguous),
        ("multipart/form-data; boundary*0=B", Ambiguous),
        ("multipart/form-data; boundary=\"B\\\"", Ambiguous),
        ("multipart/form-data; boundary=\"B \"", Ambiguous),
        ("multipart/form-data; boundary=B; x", Ambiguous),
        ("multipart/form-data; boundary= B", Ambiguous),
        ("multipart/ form-data; boundary=B", Ambiguous),
        (
            "multipart/form-data; boundary=B; charset=utf-7",
            UnsupportedCharset,
        ),
        (
            "multipart/form-data; boundary=B; charset=utf-16le",
            UnsupportedCharset,
        ),
        ("multipart/signed; boundary=B", UnsupportedMediaType),
    ] {
        assert_eq!(gaps(label, &whole), [expected], "{label}");
    }
    for (from, to, expected) in [
        ("--B--\r\n", "", Malformed),
        ("--B--\r\n", "--B--\r\nx", Ambiguous),
        ("--B\r\n", "x\r\n--B\r\n", Ambiguous),
        ("--B\r\n", "--B \r\n", Ambiguous),
        ("1\r\n", "1\n--B\r\n\r\n2\r\n", Ambiguous),
        ("1\r\n", "1\r\n--Bc\r\n", Ambiguous),
        ("form-data;", "form-data;\r\n", Ambiguous),
        ("name=x", "name=x\0", Ambiguous),
        ("name=x", "name=\"x\\\"", Ambiguous),
        ("name=x", "name='x'", Ambiguous),
        ("name=x", "name=\"a\\b\"", Ambiguous),
        ("name=x", "name=x; name=x", Ambiguous),
        ("name=x", "name=x; name*=utf-8''x", Ambiguous),
        ("name=x", "name*0=x", Ambiguous),
        ("name=x", "filename=x", Malformed),
        ("name=x", "name*=koi8-r''x", UnsupportedCharset),
        (
            "name=x",
            "name=x\r\nContent-Disposition: form-data; name=x",
            Ambiguous,
        ),
        (
            "name=x",
            "name=x\r\nContent-Type: text/plain\r\nContent-type: text/csv",
            Ambiguous,
        ),
        ("name=x", "name=x\r\nA : b", Ambiguous),
        ("name=x", "name=x\r\nA", Malformed),
        ("form-data", "attachment", Ambiguous),
        ("Content-Disposition: form-data; name=x\r\n", "", Malformed),
    ] {
        let body = whole.replacen(from, to, 1);
        let found = gaps(FORM, &body);
        assert_eq!(found.first(), Some(&expected), "{to}: {found:?}");
    }
}

#[test]
fn what_is_no_part_is_read_too() {
    let body = format!("1@b.c \r\n{} 2@b.c", form(&[("x", "3@b.c")]));
    let it = message(FORM, body);
    let found: Vec<_> = read(&it)
        .findings
        .iter()
        .map(|found| covered(&it, found))
        .collect();
    assert_eq!(found, ["1@b.c", "2@b.c", "3@b.c"]);
    check(
        "multipart/form-data",
        "1@b.c",
        &["body $ = 1@b.c"],
        &[(GapKind::Malformed, "$")],
    );
}

#[test]
fn selectors_reach_parts() {
    let it = message(
        FORM,
        form(&[
            ("a", "1@b.c"),
            ("to", "2@b.c"),
            ("to", "3@b.c"),
            ("id", "7"),
        ]),
    );
    let left = |at: &str| -> Vec<String> {
        let spec = PlanSpec {
            not_personal: vec![body_selector(at)],
            ..PlanSpec::default()
        };
        let findings = read_with(&it, &spec).findings;
        findings.iter().map(|found| covered(&it, found)).collect()
    };
    assert_eq!(left("$.a"), ["2@b.c", "3@b.c"]);
    assert_eq!(left("$.to"), ["1@b.c"]);
    assert_eq!(left("$.to[1]"), ["1@b.c", "2@b.c"]);
    assert_eq!(left("$.to[-1]"), ["1@b.c", "2@b.c"]);
    assert_eq!(left("$['a','to']"), [""; 0]);
    let spec = PlanSpec {
        records: Some(body_selector("$.to")),
        subjects: vec![(body_selector("$.id"), IdentifierKind::InternalId)],
        ..PlanSpec::default()
    };
    let inspection = read_with(&it, &spec);
    let persons: Vec<_> = inspection
        .persons
        .iter()
        .map(|it| {
            let record = it.record.as_ref().map(|it| it.ordinal);
            let values = it.identifiers.iter().map(|it| it.value.expose().as_str());
            (record, values.collect::<Vec<_>>())
        })
        .collect();
    assert_eq!(
        persons,
        [
            (None, vec!["1@b.c", "7"]),
            (Some(0), vec!["2@b.c"]),
            (Some(1), vec!["3@b.c"]),
        ]
    );
}

/// Vectors of python-multipart that are read otherwise here, each with the reason.
const OTHERWISE: &[(&str, &str)] = &[
    (
        "almost_match_boundary_without_CR",
        "a line that begins like a delimiter is ambiguous",
    ),
    (
        "almost_match_boundary_without_LF",
        "a line that begins like a delimiter is ambiguous",
    ),
    (
        "almost_match_boundary_without_final_hyphen",
        "a line that begins like a delimiter is ambiguous",
    ),
    (
        "single_field_blocks",
        "its delimiters are not of the boundary that it names",
    ),
    (
        "single_field_with_trailer",
        "content after the last part is ambiguous",
    ),
];

/// Name and content of a part.
type Expected = (String, Vec<u8>);

/// What a vector expects: parts, or an error.
fn expectation(text: &str) -> (String, Option<Vec<Expected>>) {
    let boundary = text
        .lines()
        .find_map(|it| it.strip_prefix("boundary: "))
        .unwrap();
    if text.contains("error:") {
        return (boundary.to_owned(), None);
    }
    let mut parts = Vec::new();
    for entry in text.split("  - name: ").skip(1) {
        let (name, rest) = entry.split_once('\n').unwrap();
        let (_, data) = rest.split_once("!!binary").unwrap();
        let digits: String = data
            .chars()
            .filter(|it| !it.is_whitespace() && *it != '|')
            .collect();
        parts.push((
            name.trim().to_owned(),
            BASE64_STANDARD.decode(digits).unwrap(),
        ));
    }
    (boundary.to_owned(), Some(parts))
}

#[test]
fn the_vectors_of_python_multipart_are_split_as_they_say() {
    let Some(folder) = corpora("python-multipart/tests/test_data/http") else {
        return;
    };
    let (mut seen, mut otherwise) = (0, 0);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|it| it != "yaml") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let (boundary, expected) = expectation(&fs::read_to_string(&path).unwrap());
        let body = fs::read(path.with_extension("http")).unwrap();
        let label = format!("multipart/form-data; boundary=\"{boundary}\"");
        let gaps = read(&message(&label, body.clone())).gaps;
        let has_fault = gaps
            .iter()
            .any(|it| matches!(it.kind, GapKind::Ambiguous | GapKind::Malformed));
        seen += 1;
        if OTHERWISE.iter().any(|it| it.0 == name) {
            assert!(has_fault, "{name} is listed, and read as it says");
            otherwise += 1;
            continue;
        }
        assert_eq!(has_fault, expected.is_none(), "{name}: {gaps:?}");
        let Some(expected) = expected else { continue };
        let sections = split(&body, &boundary, Lines::CrLf, 100).sections;
        let contents = sections.iter().map(|it| body[it.content.clone()].to_vec());
        let found: Vec<_> = names(&body, &boundary).into_iter().zip(contents).collect();
        // What is split is as it was sent; the vectors tell it with its transfer encoding undone.
        let undone = |it: &Expected| {
            let quoted = || {
                String::from_utf8_lossy(&it.1)
                    .replace("=3D", "=")
                    .into_bytes()
            };
            let content = BASE64_STANDARD.decode(&it.1);
            (it.0.clone(), content.unwrap_or_else(|_| quoted()))
        };
        let is_same = found == expected || found.iter().map(undone).eq(expected.iter().cloned());
        assert!(is_same, "{name}: {found:?} for {expected:?}");
    }
    println!("{seen} vectors, {otherwise} of them otherwise");
    assert!(seen > 25, "{seen} vectors");
    assert_eq!(otherwise, OTHERWISE.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_give_an_inspection(
        label in prop::sample::select(vec![FORM, "multipart/mixed; boundary=B", "multipart/related; boundary=\"B\"", "multipart/form-data"]),
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            r#"(--B|--|\r\n|\r|\n|Content-Disposition: form-data; name=|a|"|\*0?=|;|: |x: b@c.org|Content-Type: application/json|Content-Transfer-Encoding: (base64|quoted-printable)|\{"a":"b@c.d"\}|OTkxMjMxMTAwMDEw|=3D){0,40}"#.prop_map(String::into_bytes),
        ],
    ) {
        let it = message(label, body);
        let inspection = read(&it);
        for finding in &inspection.findings {
            prop_assert!(finding.span.start <= finding.span.end && finding.span.end <= it.body.len());
        }
        prop_assert_eq!(read(&it), inspection, "reading twice gives the same");
    }

    /// Whatever stands around it, a value in a well-formed part is found at the bytes that hold it.
    #[test]
    fn a_value_is_found_where_it_stands(
        before in "[a-z \\r\\n-]{0,20}",
        after in "[a-z \\r\\n-]{0,20}",
        others in prop::collection::vec("[a-z\\r\\n ]{0,12}", 0..4),
    ) {
        let content = format!("{before} who@example.org {after}");
        let mut parts: Vec<(&str, &str)> = others.iter().map(|it| ("o", it.as_str())).collect();
        parts.push(("x", &content));
        let it = message(FORM, form(&parts));
        let inspection = read(&it);
        let found: Vec<_> = inspection.findings.iter().map(|found| covered(&it, found)).collect();
        prop_assert!(inspection.gaps.is_empty(), "{:?}", inspection.gaps);
        prop_assert!(found.iter().any(|it| it.contains("who@example.org")), "{found:?}");
    }
}
