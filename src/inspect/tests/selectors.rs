//! Selectors in the pass against jsonpath-rust over a tree.

use jsonpath_rust::{parser::parse_json_path, query::js_path_process};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::inspect::selector::{Role, Selectors};

/// The values that `selector` selects in `document`, as records would be: outermost first, by their bytes.
fn selected(selector: &str, document: &str) -> Vec<String> {
    let spec = PlanSpec {
        sections: vec![],
        records: Some(body_selector(selector)),
        ..PlanSpec::default()
    };
    let plan = plan(&spec);
    let it = json(document);
    let mut reading =
        crate::inspect::format::reading::Reading::new(&Sample, &plan, Scratch::default());
    crate::inspect::format::body::read(&mut reading, &it);
    reading
        .records
        .iter()
        .map(|it| document.get(it.clone()).unwrap().to_owned())
        .collect()
}

/// The same from jsonpath-rust; a value inside one that is selected is left out.
fn expected(selector: &str, document: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(document).unwrap();
    let query = parse_json_path(selector).unwrap();
    let found: Vec<*const Value> = js_path_process(&query, &value)
        .unwrap()
        .into_iter()
        .map(|it| std::ptr::from_ref(it.val()))
        .collect();
    let mut out = Vec::new();
    let mut stack = vec![&value];
    while let Some(value) = stack.pop() {
        if found.contains(&std::ptr::from_ref(value)) {
            out.push(value.to_string());
            continue;
        }
        match value {
            Value::Array(items) => stack.extend(items.iter().rev()),
            Value::Object(members) => stack.extend(members.values().rev()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    out
}

#[test]
fn selectors_that_need_a_tree_select_the_same_values() {
    let document = r#"{"a":[{"b":1,"c":"x"},{"b":2},[3,4,5]],"d":{"a":[7]}}"#;
    for selector in [
        "$",
        "$.a[?@.b > 1]",
        "$.a[-1]",
        "$.a[2][0:2]",
        "$..a[0,2]",
        "$['a','d']",
        "$.a[?length(@.c) == 1]",
        "$.a[?count(@.*) == 1].b",
    ] {
        assert_eq!(
            selected(selector, document),
            expected(selector, document),
            "{selector}"
        );
    }
}

#[test]
fn forms_are_selected_as_one_tree() {
    let form = "a=1%40b.c&b=2%40b.c&a=3%40b.c";
    let check = |at: &str, expected: &[&str]| {
        let spec = PlanSpec {
            not_personal: vec![body_selector(at)],
            ..PlanSpec::default()
        };
        let it = message("application/x-www-form-urlencoded", form);
        let left: Vec<_> = read_with(&it, &spec)
            .findings
            .iter()
            .map(|found| covered(&it, found))
            .collect();
        assert_eq!(left, expected, "{at}");
    };
    check("$['a']", &["2%40b.c"]);
    check("$.a[1]", &["1%40b.c", "2%40b.c"]);
    check("$.b", &["1%40b.c", "3%40b.c"]);
    check("$.b[0]", &["1%40b.c", "3%40b.c"]);
    check("$.a[*]", &["2%40b.c"]);
    check("$.b[*]", &["1%40b.c", "3%40b.c"]);
    check("$.b[1]", &["1%40b.c", "2%40b.c", "3%40b.c"]);
    check("$[*]", &[]);
    check("$..b", &["1%40b.c", "3%40b.c"]);
    // A filter, slice or union sees the tree as it is: `b` is no list there.
    check("$.a[-1]", &["1%40b.c", "2%40b.c"]);
    check("$.a[0:1]", &["2%40b.c", "3%40b.c"]);
    check("$.b[-1]", &["1%40b.c", "2%40b.c", "3%40b.c"]);
    check("$['a','b']", &[]);
}

#[test]
fn a_repeated_name_gives_a_record_a_value() {
    let it = message(
        "application/x-www-form-urlencoded",
        "to=1@b.c&x=9@b.c&to=2@b.c",
    );
    for at in ["$.to", "$.to[*]"] {
        let spec = PlanSpec {
            records: Some(body_selector(at)),
            ..PlanSpec::default()
        };
        let records: Vec<_> = read_with(&it, &spec)
            .persons
            .iter()
            .filter_map(|it| it.record.as_ref())
            .map(|it| (it.ordinal, it.span.clone()))
            .collect();
        assert_eq!(records, [(0, 3..8), (1, 20..25)], "{at}");
    }
}

#[test]
fn what_would_be_answered_wrongly_is_refused_by_name() {
    for (selector, mend) in [
        (
            "a.b",
            "RFC 9535 path such as $.customers[*].email: it cannot be read from character 1 on, `a.b`",
        ),
        ("$.á[*]b", "from character 7 on, `b`"),
        ("$.a[*", "from character 5 on, `*`"),
        ("$.a[", "it breaks off"),
        ("$[?@[?@>1]]", "two selectors"),
        ("$..a..b", "name the members"),
        ("$[?match(@.a, 'x')]", "compare"),
        ("$[?search(@.a, 'x')]", "compare"),
        ("$[?length(@.*)<3]", "count"),
        ("$[?count(@..*)]", "compared"),
        ("$[?in(@.a, 1)]", "not a function"),
    ] {
        let refusal = Selectors::default().add(&body_selector(selector), Role::Record);
        let text = refusal.expect_err(selector);
        assert!(text.contains(selector) && text.contains(mend), "{text}");
    }
    for (part, at) in [(Part::Path, "first"), (Part::Query, "")] {
        let selector = Selector {
            part,
            at: at.to_owned(),
        };
        assert!(
            Selectors::default()
                .add(&selector, Role::NotPersonal)
                .is_err()
        );
    }
}

#[test]
fn parts_outside_the_body_are_selected_by_name() {
    let mut it = json("{}");
    it.path = "/1@b.c/2@b.c".to_owned();
    it.query = Some("q=3%40b.c&r=4@b.c".to_owned());
    let it = with_field(it, "x-mail", b"5@b.c");
    let of = |part, at: &str| Selector {
        part,
        at: at.to_owned(),
    };
    let spec = PlanSpec {
        not_personal: vec![
            of(Part::Path, "1"),
            of(Part::Query, "q"),
            of(Part::Header, "X-Mail"),
        ],
        ..PlanSpec::default()
    };
    let left: Vec<_> = read_with(&it, &spec)
        .findings
        .iter()
        .map(|found| covered(&it, found))
        .collect();
    assert_eq!(left, ["1@b.c", "4@b.c"]);
}

#[test]
fn the_compliance_suite_is_answered_or_refused() {
    let Some(folder) = corpora("jsonpath-cts") else {
        return;
    };
    let suite: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("cts.json")).unwrap()).unwrap();
    let (mut answered, mut refused) = (0, 0);
    for case in suite["tests"].as_array().unwrap() {
        let selector = case["selector"].as_str().unwrap();
        let compiled = Selectors::default().add(&body_selector(selector), Role::Record);
        if case["invalid_selector"] == true {
            assert!(compiled.is_err(), "accepted {selector}");
            continue;
        }
        if let Err(why) = compiled {
            let is_meant = ["match()", "inside a filter", "more than one", "several"];
            assert!(is_meant.iter().any(|it| why.contains(it)), "{why}");
            refused += 1;
            continue;
        }
        answered += 1;
        let document = case["document"].to_string();
        let mut found: Vec<String> = selected(selector, &document);
        let mut results: Vec<Vec<String>> = Vec::new();
        for list in case["results"]
            .as_array()
            .into_iter()
            .flatten()
            .chain(case.get("result"))
        {
            results.push(
                list.as_array()
                    .unwrap()
                    .iter()
                    .map(Value::to_string)
                    .collect(),
            );
        }
        // Values inside selected values are part of them here, and a value selected twice is one.
        found.sort();
        let is_subset = results
            .iter()
            .any(|it| found.iter().all(|value| it.contains(value)));
        let is_nothing = results.iter().all(Vec::is_empty);
        assert!(
            is_subset && found.is_empty() == is_nothing,
            "{selector} on {document}"
        );
    }
    println!("{answered} answered, {refused} refused");
    assert!(answered > 200, "{answered}");
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        (0..3).prop_map(Value::from),
        "[ab]".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner, 0..4)
                .prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_automaton_agrees_with_the_tree(
        document in tree(),
        hops in prop::collection::vec(prop::sample::select(vec!["['a']", ".b", "[0]", "[1]", "[*]", ".*"]), 0..5),
        descendant in prop::option::of(0_usize..5),
    ) {
        let mut selector = "$".to_owned();
        for (at, hop) in hops.iter().enumerate() {
            if descendant == Some(at) {
                selector += if hop.starts_with('.') { "." } else { ".." };
            }
            selector += hop;
        }
        let document = document.to_string();
        prop_assert_eq!(selected(&selector, &document), expected(&selector, &document), "{}", selector);
    }
}
