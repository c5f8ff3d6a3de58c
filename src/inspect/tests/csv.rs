//! Tables: rows and cells as a tree, the first row, doubtful delimiters and ragged rows.

use std::fs;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{inspect::format::csv::all_rows, model::finding::GapKind};

#[track_caller]
fn check(label: &str, body: &str, expected: &[&str], gaps: &[GapKind]) {
    let it = message(label, body);
    let inspection = read(&it);
    let found: Vec<_> = inspection
        .findings
        .iter()
        .map(|found| written(&it, found))
        .collect();
    assert_eq!(found, expected, "{body}");
    let found: Vec<_> = inspection.gaps.iter().map(|it| it.kind).collect();
    assert_eq!(found, gaps, "{body}");
}

#[test]
fn rows_are_objects_of_named_cells() {
    check(
        "text/csv",
        "id,mail,mail\r\n991231100010,1@b.c,\"x \"\" 2@b.c\"\r\n1,,\"x\n3 3@b.c\"\r\n",
        &[
            "body $[0]['id'] = 991231100010",
            "body $[0]['mail'][0] = 1@b.c",
            "body $[0]['mail'][1] = 2@b.c",
            "body $[1]['mail'][1] = 3@b.c",
        ],
        &[],
    );
    check(
        "text/csv; charset=utf-8",
        "\u{feff}a;b\n1;2@b.c",
        &["body $[0]['b'] = 2@b.c"],
        &[],
    );
    check(
        "text/tab-separated-values",
        "a\tb\n1,2\t3@b.c",
        &["body $[0]['b'] = 3@b.c"],
        &[],
    );
    check(
        "text/csv; header=absent",
        "1@b.c,x\n2@b.c,\"{\"\"a\"\":\"\"3@b.c\"\"}\"\n",
        &[
            "body $[0][0] = 1@b.c",
            "body $[1][0] = 2@b.c",
            "body $[1][1] | $['a'] = 3@b.c",
        ],
        &[],
    );
}

#[test]
fn a_line_break_in_a_cell_hides_nothing() {
    check(
        "text/csv",
        "id,a\n1,\"x 991231\r\n100010\"\n2,\"1@b.c \n x\"\n",
        &[
            "body $[0]['a'] = 991231\r\n100010",
            "body $[1]['a'] = 1@b.c",
        ],
        &[],
    );
    let it = message("text/csv", "id,a\n1,\"991231\n100010\"\n");
    let spec = PlanSpec {
        not_personal: vec![body_selector("$[*].a")],
        ..PlanSpec::default()
    };
    assert_eq!(read_with(&it, &spec).findings, []);
}

#[test]
fn the_first_row_is_read_as_values_too() {
    check(
        "text/csv",
        "1@b.c,\"2@b.c\"\"\"\n",
        &["body header $ = 1@b.c", "body header $ = 2@b.c"],
        &[],
    );
    check(
        "text/csv",
        "991231100010",
        &["body header $ = 991231100010"],
        &[],
    );
}

#[test]
fn what_is_no_table_or_two_is_a_gap() {
    use GapKind::{Ambiguous, Malformed};
    check(
        "text/csv",
        "a,b\n1@b.c,2,3@b.c",
        &["body $[0]['a'] = 1@b.c", "body cell $[0] = 3@b.c"],
        &[Malformed],
    );
    check(
        "text/csv",
        "a,b\n1@b.c",
        &["body $[0]['a'] = 1@b.c"],
        &[Malformed],
    );
    check(
        "text/csv",
        "a,b\n1,\"2@b.c",
        &["body $[0]['b'] = 2@b.c"],
        &[Malformed],
    );
    check(
        "text/csv",
        "a,b\n1,\"2@b.c\" x",
        &["body $[0]['b'] = 2@b.c"],
        &[Ambiguous],
    );
    check(
        "text/csv",
        "a,b\n1, \"2@b.c\"",
        &["body $[0]['b'] = 2@b.c"],
        &[Ambiguous],
    );
    check(
        "text/csv",
        "a,b\n1,2\r3,4@b.c\n",
        &["body cell $[0] = 4@b.c"],
        &[Ambiguous],
    );
    check(
        "text/csv",
        "a,b;c\n1,2;3 4@b.c",
        &["body $[0]['b;c'] = 4@b.c"],
        &[Ambiguous],
    );
    check("text/csv; header=maybe", "a\n1", &[], &[Ambiguous]);
    check(
        "text/csv; header=absent; header=present",
        "a\n1",
        &[],
        &[Ambiguous],
    );
    check("text/csv", "\n\r\n", &[], &[]);
    let inspection = read(&message("text/csv", "a,b\n1,2\n1\n"));
    let path = inspection.gaps[0].location.path.as_deref().unwrap();
    assert_eq!(normalized_path(path), "$[1]");
}

#[test]
fn rows_are_records() {
    let body = "mail,note\r\n1@b.c,9@b.c\r\n\"2@b.c\",\r\n";
    let it = message("text/csv", body);
    let spec = PlanSpec {
        records: Some(body_selector("$[*]")),
        not_personal: vec![body_selector("$[*].note")],
        ..PlanSpec::default()
    };
    let records: Vec<_> = read_with(&it, &spec)
        .persons
        .iter()
        .map(|it| {
            let record = it.record.as_ref().unwrap();
            (it.identifiers.len(), body.get(record.span.clone()).unwrap())
        })
        .collect();
    assert_eq!(records, [(1, "1@b.c,9@b.c"), (1, "\"2@b.c\",")]);
    let spec = PlanSpec {
        not_personal: vec![body_selector("$[?@.note == '9@b.c'].mail")],
        ..PlanSpec::default()
    };
    let left: Vec<_> = read_with(&it, &spec)
        .findings
        .iter()
        .map(|found| covered(&it, found))
        .collect();
    assert_eq!(left, ["9@b.c", "2@b.c"]);
}

/// Vectors of csv-spectrum that are read otherwise here, each with the reason.
const OTHERWISE: &[(&str, &str)] = &[(
    "location_coordinates",
    "its table and its expectation hold different phone numbers",
)];

#[test]
fn the_vectors_of_csv_spectrum_are_read_as_they_say() {
    let Some(folder) = corpora("csv-spectrum") else {
        return;
    };
    let (mut seen, mut otherwise) = (0, 0);
    for entry in fs::read_dir(folder.join("csvs")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let expected =
            fs::read_to_string(folder.join("json").join(format!("{name}.json"))).unwrap();
        // A copy of the vectors may have lost its carriage returns on the way.
        let expected = match text.contains('\r') {
            true => expected,
            false => expected.replace("\\r\\n", "\\n"),
        };
        let expected: Value = serde_json::from_str(&expected).unwrap();
        let rows = all_rows(&text);
        let (head, rows) = rows.split_first().unwrap();
        let found: Vec<Value> = rows
            .iter()
            .map(|row| {
                let cells = head
                    .iter()
                    .cloned()
                    .zip(row.iter().cloned().map(Value::from));
                Value::Object(cells.collect())
            })
            .collect();
        assert!(read(&message("text/csv", text)).gaps.is_empty(), "{name}");
        seen += 1;
        let is_same = Value::from(found.clone()) == expected;
        if OTHERWISE.iter().any(|it| it.0 == name) {
            assert!(!is_same, "{name} is listed, and read as it says");
            otherwise += 1;
        } else {
            assert!(is_same, "{name}: {found:?}");
        }
    }
    println!("{seen} vectors, {otherwise} of them otherwise");
    assert!(seen > 10, "{seen} vectors");
    assert_eq!(otherwise, OTHERWISE.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_give_an_inspection(
        label in prop::sample::select(vec!["text/csv", "text/csv; header=absent", "text/tab-separated-values"]),
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            r#"[a1@b.c,;\t|" \r\n]{0,60}"#.prop_map(String::into_bytes),
        ],
    ) {
        let it = message(label, body);
        let inspection = read(&it);
        for finding in &inspection.findings {
            prop_assert!(finding.span.start <= finding.span.end && finding.span.end <= it.body.len());
        }
        prop_assert_eq!(read(&it), inspection, "reading twice gives the same");
    }

    /// Whatever cells hold, written as RFC 4180 says each is found where it stands.
    #[test]
    fn every_cell_is_found_where_it_stands(
        rows in prop::collection::vec(prop::collection::vec("[a-z,;\"\n ]{0,6}", 3), 1..5),
    ) {
        let mut body = "p,q,r\r\n".to_owned();
        let mut expected = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            let cells: Vec<String> = row
                .iter()
                .map(|it| format!("\"{} {number}@b.c {}\"", it.replace('"', "\"\""), it.replace('"', "\"\"")))
                .collect();
            body += &cells.join(",");
            body += "\r\n";
            expected.extend(std::iter::repeat_n(format!("{number}@b.c"), 3));
        }
        let it = message("text/csv", body);
        let inspection = read(&it);
        prop_assert!(inspection.gaps.is_empty(), "{:?}", inspection.gaps);
        let found: Vec<_> = inspection.findings.iter().map(|found| covered(&it, found)).collect();
        prop_assert_eq!(found, expected);
    }
}
