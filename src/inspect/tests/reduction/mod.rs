//! What is taken out goes, with what names and separates it; every other byte is as it was.

mod check;
mod every_format;
mod formats;
mod json;
mod trees;

use super::{
    super::{Order, Reduced, ReductionFailed, inspect_reduced, reduce},
    *,
};
use crate::model::{
    CategorySet,
    destination::Operator::{self, Mask, Pseudonymise, Remove},
    inspection::Budget,
};

fn spec() -> PlanSpec {
    PlanSpec {
        records: Some(body_selector("$.rows[*]")),
        ..PlanSpec::default()
    }
}

/// A token that tests can foresee: the value's letters and digits backwards.
fn token(_: Category, value: &str) -> String {
    value
        .chars()
        .rev()
        .filter(char::is_ascii_alphanumeric)
        .collect()
}

fn reduce(
    message: &Message,
    inspection: &Inspection,
    order: &Order<'_>,
) -> Result<Reduced, ReductionFailed> {
    reduce::reduce(message, inspection, &Budget::default(), order)
}

fn order<'a>(
    records: &'a [u64],
    fields: &'a [(usize, CategorySet)],
    operator: &'a dyn Fn(usize, Category) -> Operator,
) -> Order<'a> {
    Order {
        records,
        fields,
        operator,
        token: &token,
    }
}

/// `message` without the records that have these ordinals.
pub(super) fn drop_records(
    message: &Message,
    inspection: &Inspection,
    ordinals: &[u64],
) -> Result<Message, ReductionFailed> {
    reduce(message, inspection, &order(ordinals, &[], &|_, _| Remove)).map(|it| it.message)
}

fn dropped(message: &Message, ordinals: &[u64]) -> Result<String, ReductionFailed> {
    let inspection = read_with(message, &spec());
    drop_records(message, &inspection, ordinals)
        .map(|it| String::from_utf8(it.body.to_vec()).unwrap())
}

/// Takes every category of `codes` out of every person, and holds the result against a second reading.
fn taken(
    message: &Message,
    spec: &PlanSpec,
    codes: &str,
    operator: Operator,
) -> Result<Reduced, ReductionFailed> {
    let before = read_with(message, spec);
    let sets = codes.split(' ').map(|it| CategorySet::named(it).unwrap());
    let categories = sets.fold(CategorySet::EMPTY, CategorySet::union);
    let fields: Vec<_> = (0..before.persons.len())
        .map(|it| (it, categories))
        .collect();
    let reduced = reduce(message, &before, &order(&[], &fields, &|_, _| operator))?;
    let after = inspect_reduced(&Sample, &reduced, &plan(spec));
    reduced.check(&before, &after)?;
    let is_left =
        |it: &Finding| categories.contains(it.category) && it.confidence >= Confidence::High;
    assert!(!after.findings.iter().any(is_left), "{:?}", after.findings);
    Ok(reduced)
}

fn body(reduced: &Reduced) -> &str {
    std::str::from_utf8(&reduced.message.body).unwrap()
}

/// `body` of this type without `codes`, under each operator in turn: remove, mask, pseudonymise.
#[track_caller]
fn check(content_type: &str, text: &str, codes: &str, expected: [&str; 3]) {
    for (operator, expected) in [Remove, Mask, Pseudonymise].into_iter().zip(expected) {
        let it = message(content_type, text);
        match taken(&it, &PlanSpec::default(), codes, operator) {
            Ok(reduced) => assert_eq!(body(&reduced), expected, "{operator:?}"),
            Err(error) => assert_eq!(error.0, expected, "{operator:?}"),
        }
    }
}

#[track_caller]
fn check_json(text: &str, codes: &str, expected: [&str; 3]) {
    check("application/json", text, codes, expected);
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
        |other: &Message| reduce(other, &inspection, &order(&[0], &[], &|_, _| Remove)).is_err();
    assert!(!refuses(&it));
    assert!(refuses(&json(r#"{"rows":["aa@b.c"]}"#)), "another document");
    assert!(refuses(&json("x")));
    assert!(refuses(&with_field(
        it.clone(),
        "content-encoding",
        b"x-unknown"
    )));
    assert!(refuses(&message("image/png", it.body.to_vec())));
    let spec = PlanSpec {
        records: Some(body_selector("$.one")),
        ..PlanSpec::default()
    };
    let it = json(r#"{"one":"a@b.c"}"#);
    let inspection = read_with(&it, &spec);
    assert!(
        reduce(&it, &inspection, &order(&[0], &[], &|_, _| Remove)).is_err(),
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
    let reduced = reduce(&it, &inspection, &order(&[0], &[], &|_, _| Remove)).unwrap();
    assert!(!reduced.message.headers.contains_key("content-digest"));
    assert!(reduced.message.headers.contains_key("content-type"));
    let none = reduce(&it, &inspection, &order(&[], &[], &|_, _| Remove)).unwrap();
    assert!(
        none.message.headers.contains_key("content-digest"),
        "unchanged"
    );
}
