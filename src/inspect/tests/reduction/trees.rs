//! Whatever the tree: what is left is the tree without what went.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

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

    /// Whatever the tree: what is left parses, holds no number that was to go, and is the tree with the leaves that went treated.
    #[test]
    fn what_remains_is_the_tree_without_the_values(
        tree in trees(), number in 0..3_usize, space in r"[ \n\t]{0,2}",
    ) {
        let operator = [Remove, Mask, Pseudonymise][number];
        let body = spaced(&tree, &space);
        let it = json(&body);
        let expected = expected(&tree, operator);
        let reduced = taken(&it, &PlanSpec::default(), "national_id", operator);
        let reduced = reduced.map_err(|it| TestCaseError::fail(format!("{body}: {}", it.0)))?;
        let text = std::str::from_utf8(&reduced.message.body).unwrap();
        let left: Value = serde_json::from_str(text).map_err(|it| TestCaseError::fail(format!("{text}: {it}")))?;
        prop_assert!(!text.contains("991231100010"));
        prop_assert_eq!(left, expected.unwrap_or(Value::Null));
    }
}

const NUMBER: &str = "991231100010";

/// Trees with numbers to take out as members, as elements, in texts, as JSON numbers and inside documents in strings.
fn trees() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(Value::from(1.5)),
        Just(Value::from(NUMBER)),
        Just(Value::from(991_231_100_010_u64)),
        Just(Value::from(format!("see {NUMBER}, ok"))),
        Just(Value::from("q@w.er")),
        r#"[a-z\\"é/ \n]{0,5}"#.prop_map(Value::from),
        Just(Value::from(format!(
            r#"{{"k":"{NUMBER}","v":[{NUMBER},2]}}"#
        ))),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-f]{1,2}", inner, 0..5)
                .prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

/// `tree` as text with `space` around everything.
fn spaced(tree: &Value, space: &str) -> String {
    match tree {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|it| spaced(it, space)).collect();
            format!("{space}[{space}{}]{space}", items.join(","))
        }
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, it)| format!("{space}\"{name}\"{space}:{}", spaced(it, space)))
                .collect();
            format!("{space}{{{}{space}}}{space}", members.join(","))
        }
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {
            format!("{space}{tree}{space}")
        }
    }
}

/// What is left of `tree`; `None` when it goes.
fn expected(tree: &Value, operator: Operator) -> Option<Value> {
    let hidden = |text: &str| match operator {
        Mask => text.replace(NUMBER, "***"),
        Pseudonymise => text.replace(NUMBER, "psn_010001132199"),
        Remove => text.replace(NUMBER, ""),
    };
    match tree {
        Value::Array(items) => Some(
            items
                .iter()
                .filter_map(|it| expected(it, operator))
                .collect(),
        ),
        Value::Object(members) => Some(Value::Object(
            members
                .iter()
                .filter_map(|(name, it)| Some((name.clone(), expected(it, operator)?)))
                .collect(),
        )),
        Value::Number(it) if it.to_string() == NUMBER => {
            (operator != Remove).then(|| hidden(NUMBER).into())
        }
        Value::String(text) if text == NUMBER => {
            (operator != Remove).then(|| hidden(NUMBER).into())
        }
        Value::String(text) if text.starts_with('{') => Some(
            match operator {
                Remove => r#"{"v":[2]}"#.to_owned(),
                Mask | Pseudonymise => {
                    let it = hidden(NUMBER);
                    format!(r#"{{"k":"{it}","v":["{it}",2]}}"#)
                }
            }
            .into(),
        ),
        Value::String(text) => Some(hidden(text).into()),
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(tree.clone()),
    }
}
