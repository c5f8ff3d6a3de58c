//! Many documents in one body are one array: places, selectors, records and gaps by line.

use super::*;
use crate::model::finding::GapKind;

fn ndjson(body: &str) -> Message {
    message("application/x-ndjson", body)
}

fn all_written(it: &Message) -> Vec<String> {
    read(it)
        .findings
        .iter()
        .map(|found| written(it, found))
        .collect()
}

/// `kind path` of each gap.
fn gaps(it: &Message, spec: &PlanSpec) -> Vec<String> {
    let place = |path: &Option<std::sync::Arc<[_]>>| path.as_deref().map(normalized_path);
    read_with(it, spec)
        .gaps
        .iter()
        .map(|it| {
            format!(
                "{} {}",
                it.kind.as_str(),
                place(&it.location.path).unwrap_or_default()
            )
        })
        .collect()
}

#[test]
fn a_line_is_an_element() {
    let it = ndjson("{\"m\":\"a@b.org\"}\r\n\n  \t\n[\"c@d.org\"]\n\"e@f.org\"\n1");
    assert_eq!(
        all_written(&it),
        [
            "body $[0]['m'] = a@b.org",
            "body $[1][0] = c@d.org",
            "body $[2] = e@f.org"
        ]
    );
    assert_eq!(read(&it).gaps, []);
    for empty in ["\n", " \n\n", "{}\n"] {
        assert_eq!(read(&ndjson(empty)).gaps, [], "{empty:?}");
    }
}

#[test]
fn a_line_that_is_no_document_is_a_gap_at_its_place() {
    let body = "{\"m\":\"a@b.org\"}\nno\n{\"n\":[{\"m\":\"c@d.org\"\n{\"m\":\"e@f.org\"}\n{}{\"m\":\"g@h.org\"}\n{\"a\":1,\"a\":2}\n{\"m\":\"i@j.org\"}";
    let it = ndjson(body);
    assert_eq!(
        all_written(&it),
        [
            "body $[0]['m'] = a@b.org",
            "body $[2]['n'][0]['m'] = c@d.org",
            "body $[3]['m'] = e@f.org",
            "body $ = g@h.org",
            "body $[6]['m'] = i@j.org",
        ]
    );
    assert_eq!(
        gaps(&it, &PlanSpec::default()),
        [
            "malformed $[1]",
            "malformed $[2]",
            "malformed $[4]",
            "ambiguous $[5]['a']"
        ]
    );
    assert_eq!(
        gaps(&ndjson("\u{feff}{}"), &PlanSpec::default()),
        ["ambiguous $"]
    );
}

/// A recipient that forgives a byte reads on behind it, so the gate does, whether or not an operator lets the gap pass.
#[test]
fn lines_behind_a_byte_that_is_no_utf_8_are_read() {
    let body = b"{}\n{\"a\":\"\xff\",\"m\":\"a@b.org\"}\n\xff\xfe{\"m\":\"c@d.org\"}\n{\"m\":\"\xd0e@f.org\"}\nn\xffo\n{\"m\":\"g@h.org\"}";
    let it = message("application/x-ndjson", body.as_slice());
    assert_eq!(
        all_written(&it),
        [
            "body $[1]['m'] = a@b.org",
            "body $[2]['m'] = c@d.org",
            "body $[3]['m'] = e@f.org",
            "body $[5]['m'] = g@h.org",
        ]
    );
    assert_eq!(
        gaps(&it, &PlanSpec::default()),
        ["malformed $[4]", "malformed $"]
    );
    let alone = message("application/x-ndjson", b"{}\n{\"a\":\"\xff\"}".as_slice());
    assert_eq!(gaps(&alone, &PlanSpec::default()), ["malformed $"]);
    // The same in one document, in text, in a table and in a form.
    for (label, body) in [
        (
            "application/json",
            &b"{\"a\":\"\xff\",\"m\":\"a@b.org\"}"[..],
        ),
        ("text/plain", b"a \xff a@b.org"),
        ("text/csv", b"a,m\n\xff,a@b.org\n"),
        ("application/x-www-form-urlencoded", b"a=\xff&m=a@b.org"),
        ("application/xml", b"<c><a>\xff</a><m>a@b.org</m></c>"),
    ] {
        let it = message(label, body);
        let found = all_written(&it);
        assert!(
            found.len() == 1 && found[0].ends_with(" = a@b.org"),
            "{label}: {found:?}"
        );
        assert_eq!(gaps(&it, &PlanSpec::default()).len(), 1, "{label}");
    }
}

#[test]
fn selectors_and_records_go_over_lines() {
    let spec = PlanSpec {
        records: Some(body_selector("$[*]")),
        not_personal: vec![body_selector("$[*].shop")],
        ..PlanSpec::default()
    };
    let it = ndjson("{\"shop\":\"s@t.org\",\"m\":\"a@b.org\"}\nx\n{\"m\":\"c@d.org\"}\n");
    let inspection = read_with(&it, &spec);
    let records: Vec<_> = inspection
        .persons
        .iter()
        .map(|it| it.record.clone().unwrap())
        .map(|record| (record.ordinal, it.body[record.span].to_vec()))
        .collect();
    let lines = [
        (0, br#"{"shop":"s@t.org","m":"a@b.org"}"#.to_vec()),
        (1, br#"{"m":"c@d.org"}"#.to_vec()),
    ];
    assert_eq!(records, lines);
    assert_eq!(inspection.findings.len(), 2);
    // A filter needs the whole tree, and is not answered where a line is missing from it.
    let spec = PlanSpec {
        not_personal: vec![body_selector("$[?@.own == true].m")],
        ..PlanSpec::default()
    };
    let good = ndjson("{\"own\":true,\"m\":\"a@b.org\"}\n{\"own\":false,\"m\":\"c@d.org\"}");
    let found = read_with(&good, &spec).findings;
    assert_eq!(
        found
            .iter()
            .map(|it| written(&good, it))
            .collect::<Vec<_>>(),
        ["body $[1]['m'] = c@d.org"]
    );
    let bad = ndjson("{\"own\":true,\"m\":\"a@b.org\"}\nx");
    assert_eq!(gaps(&bad, &spec), ["malformed $[1]"]);
    assert_eq!(read_with(&bad, &spec).findings.len(), 1);
    assert_eq!(gaps(&ndjson("{}\n1e999"), &spec), ["malformed $"]);
}

#[test]
fn a_sequence_has_documents_of_many_lines() {
    let it = message(
        "application/json-seq",
        "\u{1e}{\n\"m\":\n\"a@b.org\"}\n\u{1e}\u{1e}[\"c@d.org\"]\n",
    );
    assert_eq!(
        all_written(&it),
        ["body $[0]['m'] = a@b.org", "body $[1][0] = c@d.org"]
    );
    let it = message("application/json-seq", "{\"m\":\"a@b.org\"}\n{}\u{1e}{}");
    assert_eq!(gaps(&it, &PlanSpec::default()), ["malformed $[0]"]);
}

#[test]
fn text_of_json_lines_is_read_as_such() {
    for label in ["text/plain", "", "text/html"] {
        let it = message(label, "{\"m\":\"a@b.org\"}\n[\"c@d.org\"]");
        assert_eq!(
            all_written(&it),
            ["body $[0]['m'] = a@b.org", "body $[1][0] = c@d.org"],
            "{label}"
        );
    }
    let it = message("text/plain", "{\"m\":\"a@b.org\"}\n-- c@d.org");
    assert_eq!(all_written(&it).len(), 2);
    assert_eq!(read(&it).gaps, []);
    let it = message("", "{\"m\":\"a@b.org\"}\n-- c@d.org");
    assert_eq!(read(&it).gaps[0].kind, GapKind::UnsupportedMediaType);
}

#[test]
fn budgets_hold_over_lines() {
    let budget = crate::model::inspection::Budget::default();
    let spec = PlanSpec {
        budget: crate::model::inspection::Budget {
            values: 5,
            depth: 2,
            ..budget
        },
        ..PlanSpec::default()
    };
    assert_eq!(gaps(&ndjson("1\n2\n3\n4"), &spec), ["parts-exceeded $"]);
    assert_eq!(gaps(&ndjson("[[[1]]]\n2"), &spec), ["depth-exceeded $[0]"]);
}
