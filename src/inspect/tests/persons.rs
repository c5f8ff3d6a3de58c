//! Who findings are about.

use super::*;

/// Persons as `record: identifiers + number of findings`.
fn persons(inspection: &Inspection) -> Vec<String> {
    inspection
        .persons
        .iter()
        .map(|it| {
            let record = it
                .record
                .as_ref()
                .map_or("-".to_owned(), |it| it.ordinal.to_string());
            let identifiers: Vec<_> = it
                .identifiers
                .iter()
                .map(|it| it.value.expose().as_str())
                .collect();
            format!(
                "{record}: {} + {}",
                identifiers.join(" "),
                it.findings.len()
            )
        })
        .collect()
}

#[track_caller]
fn check(body: &str, expected: &[&str]) {
    assert_eq!(persons(&read(&json(body))), expected, "{body}");
}

#[track_caller]
fn check_records(records: &str, body: &str, expected: &[&str]) {
    let spec = PlanSpec {
        records: Some(body_selector(records)),
        ..PlanSpec::default()
    };
    assert_eq!(persons(&read_with(&json(body), &spec)), expected, "{body}");
}

#[test]
fn one_document_is_one_person_until_identifiers_say_otherwise() {
    check(
        r#"{"mail":"a@b.c","customer":{"name":"Ivan"},"iin":"991231100010"}"#,
        &["-: a@b.c 991231100010 + 3"],
    );
    check(r#"{"note":"x"}"#, &[]);
    check(
        r#"{"from":{"mail":"a@b.c","name":"Ivan"},"back":{"mail":"d@b.c","x":{"name":"Olga"}}}"#,
        &["-: a@b.c + 2", "-: d@b.c + 2"],
    );
    check(
        r#"{"from":{"mail":"a@b.c"},"same":{"mail":"a@b.c"}}"#,
        &["-: a@b.c + 2"],
    );
    check(
        r#"{"mail":"a@b.c","x":{"iin":"991231100010"},"y":{"mail":"d@b.c"}}"#,
        &["-: a@b.c 991231100010 + 2", "-: d@b.c + 1"],
    );
}

#[test]
fn elements_with_identifiers_of_their_own_are_persons() {
    check(
        r#"{"to":[{"mail":"a@b.c","name":"Ivan"},{"mail":"d@b.c"},{"name":"Olga"}]}"#,
        &["-: a@b.c + 2", "-: d@b.c + 1", "-:  + 1"],
    );
    check(
        r#"{"to":["a@b.c","d@b.c"]}"#,
        &["-: a@b.c + 1", "-: d@b.c + 1"],
    );
    check(
        r#"[{"mail":"a@b.c"},{"mail":"a@b.c","customer":{"name":"Ivan"}}]"#,
        &["-: a@b.c + 3"],
    );
    check(
        r#"[{"mail":"a@b.c"},{"mail":"a@b.c"},{"name":"Olga"}]"#,
        &["-: a@b.c + 3"],
    );
    check(
        r#"[{"to":{"mail":"a@b.c"}},{"to":{"iin":"991231100010"}},{"to":{"mail":"a@b.c","iin":"991231100010"}}]"#,
        &["-: a@b.c 991231100010 + 4"],
    );
}

#[test]
fn each_record_is_one_person_and_the_rest_is_another() {
    check_records(
        "$.rows[*]",
        r#"{"by":"x@b.c","rows":[{"mail":"a@b.c"},{"note":1},{"mail":"a@b.c","to":[{"mail":"d@b.c"}]}]}"#,
        &["-: x@b.c + 1", "0: a@b.c + 1", "2: a@b.c d@b.c + 2"],
    );
    check_records(
        "$.to[*]",
        r#"{"to":["a@b.c","d@b.c"]}"#,
        &["0: a@b.c + 1", "1: d@b.c + 1"],
    );
    check_records(
        "$..[?@.mail]",
        r#"[{"mail":"a@b.c","in":{"mail":"d@b.c"}},{"x":"e@b.c"}]"#,
        &["0: a@b.c d@b.c + 2", "-: e@b.c + 1"],
    );
}

#[test]
fn the_head_joins_the_only_person_of_the_body() {
    let check = |body: &str, expected: &[&str]| {
        let mut it = json(body);
        it.query = Some("q=991231100010".to_owned());
        assert_eq!(persons(&read(&it)), expected, "{body}");
    };
    check(r#"{"mail":"a@b.c"}"#, &["-: 991231100010 a@b.c + 2"]);
    check("{}", &["-: 991231100010 + 1"]);
    check(
        r#"["a@b.c","d@b.c"]"#,
        &["-: 991231100010 + 1", "-: a@b.c + 1", "-: d@b.c + 1"],
    );
    check(
        r#"[{"mail":"a@b.c"},{"mail":"d@b.c","iin":"991231100010"}]"#,
        &["-: 991231100010 d@b.c + 3", "-: a@b.c + 1"],
    );
}

#[test]
fn subject_selectors_add_and_never_replace() {
    let spec = PlanSpec {
        subjects: vec![
            (body_selector("$.id"), IdentifierKind::InternalId),
            (
                Selector {
                    part: Part::Header,
                    at: "X-Client".to_owned(),
                },
                IdentifierKind::InternalId,
            ),
        ],
        ..PlanSpec::default()
    };
    let it = json(r#"{"id":42,"mail":"a@b.c"}"#);
    assert_eq!(persons(&read_with(&it, &spec)), ["-: a@b.c 42 + 1"]);
    let it = with_field(json("{}"), "x-client", b"c-7");
    assert_eq!(persons(&read_with(&it, &spec)), ["-: c-7 + 0"]);
}

#[test]
fn a_name_needs_a_person_beside_it() {
    let check = |body: &str, expected: &[Confidence]| {
        let found: Vec<_> = read(&json(body))
            .findings
            .iter()
            .filter(|it| it.category == Category::NameFull)
            .map(|it| it.confidence)
            .collect();
        assert_eq!(found, expected, "{body}");
    };
    use Confidence::{High, Low};
    check(r#"{"name":"Box"}"#, &[Low]);
    check(r#"{"name":"Ivan","mail":"a@b.c"}"#, &[High]);
    check(r#"{"mail":"a@b.c","x":{"name":"Ivan"}}"#, &[High]);
    check(r#"{"x":{"mail":"a@b.c"},"name":"Box"}"#, &[Low]);
    check(r#"{"mail":"a@b.c","items":[{"name":"Box"}]}"#, &[Low]);
    check(r#"{"customer":{"x":{"name":"Ivan"}}}"#, &[High]);
    check(r#"{"customer":{"items":[{"name":"Box"}]}}"#, &[Low]);
    check(r#"{"to":[{"name":"Ivan"}]}"#, &[High]);
}

#[test]
fn a_finding_is_no_evidence_for_itself() {
    let check = |body: &str, expected: Confidence| {
        let inspection = read(&json(body));
        let mut found = inspection.findings.iter();
        let id = found.find(|it| it.category == Category::NationalId);
        assert_eq!(id.unwrap().confidence, expected, "{body}");
    };
    check(r#"{"iin":"991231100010"}"#, Confidence::High);
    check(r#"{"iin":"991231100010","m":"a@b.c"}"#, Confidence::Certain);
    check(
        r#"{"x":{"iin":"991231100010"},"m":"a@b.c"}"#,
        Confidence::Certain,
    );
    check(
        r#"{"x":[{"iin":"991231100010"}],"m":"a@b.c"}"#,
        Confidence::High,
    );
}

#[test]
fn weak_findings_are_kept_apart() {
    let inspection = read(&json(r#"{"name":"Box"}"#));
    let person = &inspection.persons[0];
    assert!(person.categories.is_empty());
    assert!(person.weak_categories.contains(Category::NameFull));
    let spec = PlanSpec {
        confidence_min: Confidence::Certain,
        ..PlanSpec::default()
    };
    let inspection = read_with(&json(r#"{"a":"a@b.c"}"#), &spec);
    assert!(inspection.persons[0].identifiers.is_empty());
}

#[test]
fn exceptions_and_sections_act_where_they_match() {
    let purpose: crate::model::Purpose = "marketing.email".parse().unwrap();
    let spec = PlanSpec {
        not_personal: vec![body_selector("$.sender.mail")],
        sections: vec![
            (body_selector("$.promo"), purpose.clone()),
            (body_selector("$.promo.x"), purpose.clone()),
        ],
        ..PlanSpec::default()
    };
    let inspection = read_with(
        &json(r#"{"sender":{"mail":"a@b.c","x":"d@b.c"},"promo":{"x":1}}"#),
        &spec,
    );
    assert_eq!(persons(&inspection), ["-: d@b.c + 1"]);
    assert_eq!(inspection.section_purposes, [purpose]);
    assert!(read_with(&json("{}"), &spec).section_purposes.is_empty());
}

#[test]
fn an_exception_ends_at_its_instant() {
    let instant = crate::model::Timestamp::from_millis;
    let spec = PlanSpec {
        not_personal: vec![body_selector("$.own")],
        not_personal_until: vec![
            (body_selector("$.a"), instant(20)),
            (body_selector("$.b"), instant(10)),
        ],
        ..PlanSpec::default()
    };
    let inspector = crate::inspect::Inspector::default();
    let plan = inspector.compile(&spec).unwrap();
    let message = json(r#"{"own":"own@example.org","a":"ann@example.org","b":"bob@example.org"}"#);
    for (at, found) in [(9, 0), (10, 1), (19, 1), (20, 2), (99, 2)] {
        let inspection = inspector.inspect(&message, plan.at(instant(at)));
        assert_eq!(inspection.findings.len(), found, "at {at}");
    }
}

/// Category, confidence, what raised it, whether it acts.
fn told(inspection: &Inspection) -> Vec<String> {
    let line = |it: &Finding| {
        let raised = it.raised.map_or("alone", |it| it.as_str());
        let acts = if it.acts { "acts" } else { "rests" };
        format!("{} {} {raised} {acts}", it.category, it.confidence.as_str())
    };
    inspection.findings.iter().map(line).collect()
}

#[test]
fn kinds_of_weak_findings_in_one_object_raise_each_other() {
    let inspector = crate::inspect::Inspector::default();
    let read = |text: &str, combination_min: u32| {
        let spec = PlanSpec {
            combination_min,
            ..PlanSpec::default()
        };
        told(&inspector.inspect(&json(text), &inspector.compile(&spec).unwrap()))
    };
    let near =
        r#"{"order_id":"991231100010","amount":"4111111111111111","ref":"+7 701 000 00 01"}"#;
    let raised = [
        "national_id high combination acts",
        "payment.card high combination acts",
        "phone high alone acts",
    ];
    assert_eq!(read(near, 3), raised);
    let alone = [
        "national_id medium alone rests",
        "payment.card medium alone rests",
        "phone high alone acts",
    ];
    assert_eq!(read(near, 4), alone);
    assert_eq!(read(near, 0), alone);
    // Apart, they are of nobody together.
    let apart = r#"{"a":{"order_id":"991231100010"},"b":{"amount":"4111111111111111"},"ref":"+7 701 000 00 01"}"#;
    assert_eq!(read(apart, 3), alone);
}

#[test]
fn thresholds_go_before_the_least_confidence() {
    use crate::model::finding::{Threshold, ThresholdOf};
    let inspector = crate::inspect::Inspector::default();
    let set = |code: &str| ThresholdOf::Categories(crate::model::CategorySet::named(code).unwrap());
    let detector = |name: &str| ThresholdOf::Detector(name.into());
    let instant = crate::model::Timestamp::from_millis;
    let check = |thresholds: &[(ThresholdOf, Option<Confidence>, Option<i64>)],
                 wanted: [&str; 2]| {
        let spec = PlanSpec {
            thresholds: thresholds
                .iter()
                .map(|(of, min, until)| Threshold {
                    of: of.clone(),
                    min: *min,
                    until: until.map(instant),
                })
                .collect(),
            ..PlanSpec::default()
        };
        let plan = inspector.compile(&spec).unwrap();
        let message = json(r#"{"order_id":"991231100010","mail":"a.ivanova@example.com"}"#);
        let inspection = inspector.inspect(&message, plan.at(instant(10)));
        let found = told(&inspection);
        let last = |it: &String| it.rsplit(' ').next().unwrap_or_default().to_owned();
        assert_eq!(found.iter().map(last).collect::<Vec<_>>(), wanted);
        // What rests identifies nobody.
        let sure = wanted.iter().filter(|it| **it == "acts").count();
        let identifiers: usize = inspection
            .persons
            .iter()
            .map(|it| it.identifiers.len())
            .sum();
        assert_eq!(identifiers, sure);
    };
    let medium = Some(Confidence::Medium);
    check(&[], ["rests", "acts"]);
    check(&[(set("national_id"), medium, None)], ["acts", "acts"]);
    check(&[(detector("email"), None, None)], ["rests", "rests"]);
    check(&[(set("email"), None, Some(11))], ["rests", "rests"]);
    // It ended.
    check(&[(set("email"), None, Some(10))], ["rests", "acts"]);
    // A detector goes before a category, wherever it stands.
    let high = Some(Confidence::High);
    check(
        &[
            (set("national_id"), medium, None),
            (detector("iin"), high, None),
        ],
        ["rests", "acts"],
    );
}
