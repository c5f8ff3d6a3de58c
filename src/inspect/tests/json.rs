//! The tokenizer against serde_json and the public suite of parser vectors.

use std::fs;

use proptest::prelude::*;

use super::{
    super::{
        Inspector, Plan,
        format::json::token::{Fault, document_fault},
    },
    body_selector, corpora, message, read,
};
use crate::model::{finding::GapKind, inspection::PlanSpec};

/// `serde_json::Value` keeps the last of two members and makes an f64 of a number above u64: what is read must be neither.
#[test]
fn trap_4_duplicate_keys_and_large_integers_are_seen() {
    let first = r#"{"a":"first@example.org","a":"x"}"#;
    let inspection = read(&message("application/json", first));
    assert_eq!(inspection.findings.len(), 1, "the first of two is read");
    assert_eq!(inspection.gaps[0].kind, GapKind::Ambiguous);
    let account = "40817810099910004312";
    assert!(account.parse::<u64>().is_err());
    let body =
        format!(r#"{{"card":4111111111111111,"iin":991231100010,"bank_account":{account}}}"#);
    let inspection = Inspector::default().inspect(
        &message("application/json", body.as_str()),
        &Plan::default(),
    );
    let found: Vec<_> = inspection
        .findings
        .iter()
        .map(|it| body.get(it.span.clone()).unwrap())
        .collect();
    assert_eq!(found, ["4111111111111111", "991231100010", account]);
    assert_eq!(inspection.gaps, []);
}

/// What the library answers wrongly or slowly is refused when the configuration loads: nested filters, regular expressions, several `..`.
#[test]
fn trap_9_selectors_that_the_library_cannot_answer_are_refused() {
    let compiled = |at: &str| {
        let spec = PlanSpec {
            not_personal: vec![body_selector(at)],
            ..PlanSpec::default()
        };
        Inspector::default().compile(&spec)
    };
    for at in [
        "$[?@[?@>1]]",
        "$[?@.a[?@.b == 1]]",
        "$..[*]..[*]..[*]",
        "$..a..b",
        "$[?match(@.a, 'x.*')]",
        "$[?search(@.a, 'x')]",
        "$[?length(@.*) < 3]",
        "$[?count(@..*)]",
    ] {
        assert!(compiled(at).is_err(), "{at}");
    }
    for at in [
        "$..email",
        "$.rows[?@.own == true].email",
        "$[?length(@.a) < 3]",
    ] {
        assert!(compiled(at).is_ok(), "{at}");
    }
}

#[test]
fn the_public_suite_is_accepted_and_refused_as_it_says() {
    let Some(folder) = corpora("JSONTestSuite/test_parsing") else {
        return;
    };
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let bytes = fs::read(&path).unwrap();
        let gaps: Vec<_> = read(&message("application/json", bytes.as_slice()))
            .gaps
            .iter()
            .map(|it| it.kind)
            .collect();
        let text = std::str::from_utf8(&bytes);
        let is_json = text.is_ok_and(|it| document_fault(it, usize::MAX).is_none());
        match name.as_bytes().first() {
            Some(b'y') => {
                assert!(is_json, "{name}");
                let is_duplicate = name.contains("duplicated_key");
                assert_eq!(gaps.contains(&GapKind::Ambiguous), is_duplicate, "{name}");
                assert_eq!(gaps.len(), usize::from(is_duplicate), "{name}");
            }
            Some(b'n') => {
                assert!(!is_json, "{name}");
                let is_gap = gaps.contains(&GapKind::Malformed)
                    // Zero bytes are the look of another encoding, which is never opened.
                    || gaps.contains(&GapKind::Ambiguous)
                    || gaps.contains(&GapKind::DepthExceeded) && bytes.len() > 64;
                assert!(is_gap || bytes.is_empty(), "{name}: {gaps:?}");
            }
            // Neither is asked for: what is no JSON of ours is a gap.
            _ => assert!(is_json || !gaps.is_empty(), "{name}"),
        }
        seen += 1;
    }
    println!("{seen} files, each as it says; repeated keys are valid JSON and a gap");
    assert!(seen > 250, "{seen} files");
}

#[test]
fn the_edges_of_the_grammar_hold() {
    let check = |text: &str, expected: Option<Fault>| {
        assert_eq!(document_fault(text, 8), expected, "{text}");
    };
    check("-0.1e+9", None);
    check("01", Some(Fault::Malformed));
    check("+1", Some(Fault::Malformed));
    check("1.", Some(Fault::Malformed));
    check("[1,]", Some(Fault::Malformed));
    check("[,1]", Some(Fault::Malformed));
    check(r#"{"a":1,}"#, Some(Fault::Malformed));
    check(r#"{"a"}"#, Some(Fault::Malformed));
    check("[}", Some(Fault::Malformed));
    check("tru", Some(Fault::Malformed));
    check("\"0123456\u{1}\"", Some(Fault::Malformed));
    check(r#""01234567\"89""#, None);
    check(r#""\uDBFF\uDFFF""#, None);
    check(r#""\uDBFF\u0041""#, Some(Fault::Malformed));
    check("[[[[[[[[]]]]]]]]", None);
    check("[[[[[[[[[]]]]]]]]]", Some(Fault::TooDeep));
}

proptest! {
    #[test]
    fn what_serde_json_accepts_is_accepted_and_nothing_else(
        text in r#"(\{"a":|\[|"|\]|\}|,|:|1|-|\.|e|0|true|null|\\u00e9|\\|é|\t| ){0,14}"#,
    ) {
        let expected = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        // A number beyond f64 is no fault of the grammar.
        let is_beyond = expected || !text.contains('e');
        let found = document_fault(&text, 100).is_none();
        prop_assert!(found == expected || found && !is_beyond, "{text}");
    }
}
