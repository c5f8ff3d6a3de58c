//! Dropping records leaves every other byte as it was.

use proptest::prelude::*;
use serde_json::Value;

use super::{super::reduce::drop_records, *};
use crate::model::inspection::Budget;

fn spec() -> PlanSpec {
    PlanSpec {
        records: Some(body_selector("$.rows[*]")),
        ..PlanSpec::default()
    }
}

fn dropped(message: &Message, ordinals: &[u64]) -> Result<String, super::super::ReductionFailed> {
    let inspection = read_with(message, &spec());
    drop_records(message, &inspection, &Budget::default(), ordinals)
        .map(|it| String::from_utf8(it.body.to_vec()).unwrap())
}

#[test]
fn the_right_comma_goes_with_a_record() {
    let body = r#"{ "rows" : [ {"m":"a@b.c"} , "d@b.c" ,{"m":"e@b.c"} ], "k": 1.0 }"#;
    let check = |ordinals: &[u64], expected: &str| {
        assert_eq!(dropped(&json(body), ordinals).as_deref(), Ok(expected));
    };
    check(&[], body);
    check(&[0], r#"{ "rows" : [ "d@b.c" ,{"m":"e@b.c"} ], "k": 1.0 }"#);
    check(
        &[1],
        r#"{ "rows" : [ {"m":"a@b.c"} ,{"m":"e@b.c"} ], "k": 1.0 }"#,
    );
    check(
        &[2],
        r#"{ "rows" : [ {"m":"a@b.c"} , "d@b.c" ], "k": 1.0 }"#,
    );
    check(&[0, 2], r#"{ "rows" : [ "d@b.c" ], "k": 1.0 }"#);
    check(&[0, 1, 2], r#"{ "rows" : [  ], "k": 1.0 }"#);
}

#[test]
fn what_cannot_be_reduced_is_refused() {
    let it = json(r#"{"rows":["a@b.c"]}"#);
    assert!(dropped(&it, &[1]).is_err(), "no such record");
    let inspection = read_with(&it, &spec());
    let refuses =
        |other: &Message| drop_records(other, &inspection, &Budget::default(), &[0]).is_err();
    assert!(!refuses(&it));
    assert!(refuses(&json(r#"{"rows":["aa@b.c"]}"#)), "another document");
    assert!(refuses(&json("x")));
    assert!(refuses(&with_field(
        it.clone(),
        "content-encoding",
        b"gzip"
    )));
    assert!(refuses(&message("text/csv", it.body.to_vec())));
    let spec = PlanSpec {
        records: Some(body_selector("$.one")),
        ..PlanSpec::default()
    };
    let it = json(r#"{"one":"a@b.c"}"#);
    let inspection = read_with(&it, &spec);
    assert!(
        drop_records(&it, &inspection, &Budget::default(), &[0]).is_err(),
        "a member is no element"
    );
}

#[test]
fn digests_of_the_whole_are_taken_out() {
    let it = with_field(
        json(r#"{"rows":["a@b.c"]}"#),
        "content-digest",
        b"sha-256=:AA==:",
    );
    let inspection = read_with(&it, &spec());
    let reduced = drop_records(&it, &inspection, &Budget::default(), &[0]).unwrap();
    assert!(!reduced.headers.contains_key("content-digest"));
    assert!(reduced.headers.contains_key("content-type"));
}

proptest! {
    #[test]
    fn what_remains_is_the_tree_without_the_records(
        rows in prop::collection::vec((any::<bool>(), r#"[a-z\\",\[\]{}é ]{0,6}"#, any::<bool>()), 0..8),
        space in r"[ \n]{0,2}",
    ) {
        let items: Vec<Value> = rows
            .iter()
            .map(|(is_object, text, _)| {
                let text = format!("x@y.z {text}");
                if *is_object { serde_json::json!({"m": [text]}) } else { text.into() }
            })
            .collect();
        let list: Vec<String> = items.iter().map(|it| format!("{space}{it}{space}")).collect();
        let body = format!(r#"{{"a":[1],"rows":[{}],"z":{{}}}}"#, list.join(","));
        let ordinals: Vec<u64> = (0_u64..).zip(&rows).filter(|it| it.1.2).map(|it| it.0).collect();
        let reduced = dropped(&json(&body), &ordinals).unwrap();
        let kept: Vec<Value> = items.into_iter().zip(&rows).filter(|it| !it.1.2).map(|it| it.0).collect();
        let expected = serde_json::json!({"a": [1], "rows": kept, "z": {}});
        prop_assert_eq!(serde_json::from_str::<Value>(&reduced).unwrap(), expected);
    }
}
