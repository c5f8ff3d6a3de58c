//! The tokenizer against serde_json and the public suite of parser vectors.

use std::fs;

use proptest::prelude::*;

use super::{
    super::format::json::token::{Fault, document_fault},
    corpora, message, read,
};
use crate::model::finding::GapKind;

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
                    || gaps.contains(&GapKind::DepthExceeded) && bytes.len() > 64;
                assert!(is_gap || bytes.is_empty(), "{name}: {gaps:?}");
            }
            _ => {}
        }
        seen += 1;
    }
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
