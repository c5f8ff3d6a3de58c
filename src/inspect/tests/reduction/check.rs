//! What is left is held against what was read, and what does not agree is told.

use super::*;

#[test]
fn nothing_of_the_path_can_go() {
    let mut it = json("{}");
    it.path = "/users/a@bcd.ef".to_owned();
    for operator in [Remove, Mask, Pseudonymise] {
        let failed = taken(&it, &PlanSpec::default(), "email", operator).unwrap_err();
        assert_eq!(failed.0, "what stands in its path cannot go");
    }
}

/// Two readings of one value overlap: what was found by either is to be nowhere else.
#[test]
fn a_value_inside_another_that_stands_elsewhere_too_is_told() {
    let inspector = crate::inspect::Inspector::default();
    let plan = Plan::default();
    for (note, expected) in [
        (
            "n1999982462202",
            Err("a value that was taken out stands elsewhere too"),
        ),
        ("n1999982462203", Ok(())),
    ] {
        let it = message(
            "application/x-www-form-urlencoded",
            format!("phone=^=982462202&note={note}"),
        );
        let before = inspector.inspect(&it, &plan);
        let spans: Vec<_> = before.findings.iter().map(|it| it.span.clone()).collect();
        assert_eq!(spans, [6..17, 8..17], "they overlap");
        let fields = [(0, CategorySet::all())];
        let order = order(&[], &fields, &|_, _| Pseudonymise);
        let reduced = inspector.reduce(&it, &before, &plan, &order).unwrap();
        let after = inspector.inspect_reduced(&reduced, &plan);
        let checked = reduced.check(&before, &after).map_err(|it| it.0);
        assert_eq!(checked, expected, "{note}");
    }
}

#[test]
fn a_value_that_stands_elsewhere_too_is_told() {
    // The name is found by its key only; in the text nobody finds it.
    let it = json(r#"{"m":"a@bcd.ef","name":"Aigerim","t":"Dear Aigerim!"}"#);
    let failed = taken(&it, &PlanSpec::default(), "name", Remove).unwrap_err();
    assert_eq!(failed.0, "a value that was taken out stands elsewhere too");
    let it = json(r#"{"m":"a@bcd.ef","name":"Айгерим","t":"\u0410йгерим!"}"#);
    assert!(taken(&it, &PlanSpec::default(), "name", Remove).is_err());
    let it = json(r#"{"m":"a@bcd.ef","name":"Aigerim","t":"Dear customer!"}"#);
    let reduced = taken(&it, &PlanSpec::default(), "name", Remove).unwrap();
    assert_eq!(body(&reduced), r#"{"m":"a@bcd.ef","t":"Dear customer!"}"#);
    assert_eq!(reduced.removed, 1);
}

#[test]
fn a_value_that_stands_elsewhere_with_escapes_is_told() {
    let form = |text: &str| message("application/x-www-form-urlencoded", text);
    for (text, is_left) in [
        ("m=a@bcd.ef&name=%41igerim&t=Dear+Aige%72im", true),
        ("m=a@bcd.ef&name=Aigerim+Kim&t=Dear+Aigerim+Kim", true),
        (
            "m=a@bcd.ef&name=%D0%90%D1%80%D1%83&t=%D0%90%D1%80%D1%83",
            false,
        ),
        ("m=a@bcd.ef&name=%41igerim&t=Dear+customer", false),
    ] {
        let failed = taken(&form(text), &PlanSpec::default(), "name", Remove).is_err();
        assert_eq!(failed, is_left, "{text}");
    }
}

#[test]
fn another_message_is_not_taken_for_the_reduced_one() {
    let it = json(r#"{"m":"a@bcd.ef","iin":"991231100010"}"#);
    let before = read(&it);
    let fields = [(0, CategorySet::named("national_id").unwrap())];
    let reduce = || reduce(&it, &before, &order(&[], &fields, &|_, _| Pseudonymise)).unwrap();
    let again = |text: &str| {
        let mut reduced = reduce();
        reduced.message.body = text.to_owned().into();
        let after = inspect_reduced(&Sample, &reduced, &Plan::default());
        reduced.check(&before, &after)
    };
    let good = body(&reduce()).to_owned();
    assert_eq!(good, r#"{"m":"a@bcd.ef","iin":"psn_010001132199"}"#);
    assert!(again(&good).is_ok());
    for (why, text) in [
        ("more", good.replace("\"m\"", "\"x\":\"n@ew.er\",\"m\"")),
        ("less", good.replace("a@bcd.ef", "")),
        ("moved", good.replace("{\"m\"", "{ \"m\"")),
        ("another", good.replace("psn_010001132199", "991231100010")),
    ] {
        assert!(again(&text).is_err(), "{why}");
    }
}

#[test]
fn a_claim_on_what_was_written_is_nobodys() {
    let spec = PlanSpec {
        subjects: vec![(body_selector("$.m"), IdentifierKind::Email)],
        ..PlanSpec::default()
    };
    let it = json(r#"{"m":"a@bcd.ef","iin":"991231100010"}"#);
    let reduced = taken(&it, &spec, "email", Pseudonymise).unwrap();
    let after = inspect_reduced(&Sample, &reduced, &plan(&spec));
    let kinds: Vec<_> = after
        .persons
        .iter()
        .flat_map(|it| &it.identifiers)
        .map(|it| it.kind)
        .collect();
    assert_eq!(kinds, [IdentifierKind::NationalId]);
    let plainly = read_with(&reduced.message, &spec);
    assert_eq!(
        plainly.persons[0].identifiers.len(),
        2,
        "a plain reading sees it"
    );
}
