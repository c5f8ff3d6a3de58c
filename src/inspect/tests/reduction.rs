//! What is taken out goes, with what names and separates it; every other byte is as it was.

use proptest::prelude::*;
use serde_json::Value;

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

#[test]
fn a_member_goes_with_its_comma() {
    check_json(
        r#"{ "a":1 , "iin" : "991231100010", "z":[2] }"#,
        "national_id",
        [
            r#"{ "a":1, "z":[2] }"#,
            r#"{ "a":1 , "iin" : "***", "z":[2] }"#,
            r#"{ "a":1 , "iin" : "psn_010001132199", "z":[2] }"#,
        ],
    );
    check_json(
        r#"{"iin":"991231100010","b":2}"#,
        "national_id",
        [
            r#"{"b":2}"#,
            r#"{"iin":"***","b":2}"#,
            r#"{"iin":"psn_010001132199","b":2}"#,
        ],
    );
    check_json(
        r#"{"list":["991231100010", 7]}"#,
        "national_id",
        [
            r#"{"list":[7]}"#,
            r#"{"list":["***", 7]}"#,
            r#"{"list":["psn_010001132199", 7]}"#,
        ],
    );
    check_json(
        r#""991231100010""#,
        "national_id",
        ["null", r#""***""#, r#""psn_010001132199""#],
    );
}

#[test]
fn a_number_becomes_a_string_when_it_is_hidden() {
    for number in ["991231100010", "9.91231100010e11", "991231100010.0"] {
        let with = |value: &str| format!(r#"{{"iin":{value},"b":-1.50}}"#);
        check_json(
            &with(number),
            "national_id",
            [
                r#"{"b":-1.50}"#,
                &with(r#""***""#),
                &with(r#""psn_010001132199""#),
            ],
        );
    }
}

#[test]
fn a_part_of_a_text_goes_by_itself() {
    check_json(
        r#"{"t":"Your number 991231100010 \u2013 thanks","k":1}"#,
        "national_id",
        [
            r#"{"t":"Your number  \u2013 thanks","k":1}"#,
            r#"{"t":"Your number *** \u2013 thanks","k":1}"#,
            r#"{"t":"Your number psn_010001132199 \u2013 thanks","k":1}"#,
        ],
    );
    check_json(
        r#"{"t":" <a\u0040b.c> ","k":1}"#,
        "email",
        [
            r#"{"k":1}"#,
            r#"{"t":" *** ","k":1}"#,
            r#"{"t":" psn_cba@pseudonym.invalid ","k":1}"#,
        ],
    );
    check(
        "text/plain",
        "Write to a@bcd.ef, please",
        "email",
        [
            "Write to , please",
            "Write to ***, please",
            "Write to psn_fedcba@pseudonym.invalid, please",
        ],
    );
    check(
        "text/plain",
        "a@bcd.ef",
        "email",
        ["", "***", "psn_fedcba@pseudonym.invalid"],
    );
}

#[test]
fn documents_inside_strings_are_edited_where_they_stand() {
    check_json(
        r#"{"p":"{\"iin\":\"9912\\u00331100010\", \"b\":\"\\u00e9\"}","c":1}"#,
        "national_id",
        [
            r#"{"p":"{\"b\":\"\\u00e9\"}","c":1}"#,
            r#"{"p":"{\"iin\":\"***\", \"b\":\"\\u00e9\"}","c":1}"#,
            r#"{"p":"{\"iin\":\"psn_010001132199\", \"b\":\"\\u00e9\"}","c":1}"#,
        ],
    );
    check_json(
        r#"{"p":"[{\"iin\":991231100010}]"}"#,
        "national_id",
        [
            r#"{"p":"[{}]"}"#,
            r#"{"p":"[{\"iin\":\"***\"}]"}"#,
            r#"{"p":"[{\"iin\":\"psn_010001132199\"}]"}"#,
        ],
    );
    check(
        "text/plain",
        r#"{"iin":"991231100010","b":1}"#,
        "national_id",
        [
            r#"{"b":1}"#,
            r#"{"iin":"***","b":1}"#,
            r#"{"iin":"psn_010001132199","b":1}"#,
        ],
    );
}

#[test]
fn what_is_encoded_goes_whole() {
    // {"iin":"991231100010"}
    let raw = "eyJpaW4iOiI5OTEyMzExMDAwMTAifQ";
    let hidden = token(Category::NationalId, raw).to_lowercase();
    let token: String = raw.to_lowercase().chars().rev().collect();
    assert_eq!(hidden, token);
    check_json(
        &format!(r#"{{"d":"{raw}","b":1}}"#),
        "national_id",
        [
            r#"{"b":1}"#,
            r#"{"d":"***","b":1}"#,
            &format!(r#"{{"d":"psn_{token}","b":1}}"#),
        ],
    );
}

#[test]
fn a_name_goes_with_what_it_names() {
    check_json(
        r#"{"by":{"a@bcd.ef":{"n":1},"x@yz.ab":2},"k":1}"#,
        "email",
        [
            r#"{"by":{},"k":1}"#,
            r#"{"by":{},"k":1}"#,
            r#"{"by":{"psn_fedcba@pseudonym.invalid":{"n":1},"psn_bazyx@pseudonym.invalid":2},"k":1}"#,
        ],
    );
    check(
        "application/x-www-form-urlencoded",
        "k=1&a%40bcd.ef=2&m=3",
        "email",
        [
            "k=1&m=3",
            "k=1&m=3",
            "k=1&psn_fedcba%40pseudonym.invalid=2&m=3",
        ],
    );
}

#[test]
fn a_pair_goes_with_its_separator() {
    let form = "application/x-www-form-urlencoded";
    check(
        form,
        "m=a%40bcd.ef&k=1+2&z=%41",
        "email",
        [
            "k=1+2&z=%41",
            "m=***&k=1+2&z=%41",
            "m=psn_fedcba%40pseudonym.invalid&k=1+2&z=%41",
        ],
    );
    check(
        form,
        "k=1&m=To+a%2540bcd.ef,+now&z",
        "email",
        [
            "k=1&m=To+,+now&z",
            "k=1&m=To+***,+now&z",
            "k=1&m=To+psn_fedcba%2540pseudonym.invalid,+now&z",
        ],
    );
    check(
        form,
        "m=a@bcd.ef",
        "email",
        ["", "m=***", "m=psn_fedcba@pseudonym.invalid"],
    );
    check(
        form,
        "p=%7B%22m%22%3A%22a%40bcd.ef%22%2C%22k%22%3A1%7D&z=1",
        "email",
        [
            "p=%7B%22k%22%3A1%7D&z=1",
            "p=%7B%22m%22%3A%22***%22%2C%22k%22%3A1%7D&z=1",
            "p=%7B%22m%22%3A%22psn_fedcba%40pseudonym.invalid%22%2C%22k%22%3A1%7D&z=1",
        ],
    );
}

#[test]
fn the_head_is_reduced_line_by_line() {
    let mut it = with_field(json("{}"), "x-user", b"a@bcd.ef");
    it = with_field(it, "x-user", b"nobody");
    it = with_field(it, "cookie", b"s=1; u=a@bcd.ef; t=2");
    it = with_field(it, "referer", b"https://x.test/?q=a%40bcd.ef");
    it.query = Some("m=a%40bcd.ef&k=1".to_owned());
    it.trailers
        .insert("x-last", HeaderValue::from_static("a@bcd.ef"));
    let shown = |operator| {
        let reduced = taken(&it, &PlanSpec::default(), "email", operator)
            .unwrap()
            .message;
        let lines = reduced.headers.iter().chain(&reduced.trailers);
        let lines: Vec<String> = lines
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        format!("{}|{}", reduced.query.unwrap_or_default(), lines.join("|"))
    };
    assert_eq!(
        shown(Remove),
        "k=1|content-type: application/json|x-user: nobody|cookie: s=1; t=2|referer: https://x.test/"
    );
    assert_eq!(
        shown(Mask),
        "m=***&k=1|content-type: application/json|x-user: ***|x-user: nobody|cookie: s=1; u=***; t=2\
         |referer: https://x.test/***|x-last: ***"
    );
    assert_eq!(
        shown(Pseudonymise),
        "m=psn_fedcba%40pseudonym.invalid&k=1|content-type: application/json|x-user: psn_fedcba@pseudonym.invalid\
         |x-user: nobody|cookie: s=1; u=psn_fedcba@pseudonym.invalid; t=2\
         |referer: https://x.test/psn_fedcbaq%40pseudonym.invalid|x-last: psn_fedcba@pseudonym.invalid"
    );
}

#[test]
fn documents_go_line_by_line() {
    let lines = "{\"m\":\"a@bcd.ef\",\"k\":1}\r\n\n [\"a@bcd.ef\"] \n{\"k\":2}\n";
    check(
        "application/x-ndjson",
        lines,
        "email",
        [
            "{\"k\":1}\r\n\n [] \n{\"k\":2}\n",
            "{\"m\":\"***\",\"k\":1}\r\n\n [\"***\"] \n{\"k\":2}\n",
            "{\"m\":\"psn_fedcba@pseudonym.invalid\",\"k\":1}\r\n\n [\"psn_fedcba@pseudonym.invalid\"] \n{\"k\":2}\n",
        ],
    );
    let spec = PlanSpec {
        records: Some(body_selector("$[*]")),
        ..PlanSpec::default()
    };
    let rows = [
        "{\"m\":\"a@b.c\"}",
        "{\"m\":\"d@e.f\"}",
        "{\"m\":\"g@h.i\"}",
    ];
    let check = |kind: &str, text: String, ordinals: &[u64], expected: String| {
        let it = message(kind, text);
        let inspection = read_with(&it, &spec);
        let left = drop_records(&it, &inspection, ordinals).unwrap().body;
        assert_eq!(String::from_utf8_lossy(&left), expected, "{ordinals:?}");
    };
    let [a, b, c] = rows;
    let whole = format!("{a}\n{b}\n{c}\n");
    let kind = "application/x-ndjson";
    check(kind, whole.clone(), &[0], format!("{b}\n{c}\n"));
    check(kind, whole.clone(), &[1], format!("{a}\n{c}\n"));
    check(kind, whole.clone(), &[2], format!("{a}\n{b}\n"));
    check(kind, whole, &[0, 2], format!("{b}\n"));
    let whole = format!("\u{1e}{a}\n\u{1e}{b}\n\u{1e}{c}\n");
    let kind = "application/json-seq";
    check(kind, whole.clone(), &[0], format!("\u{1e}{b}\n\u{1e}{c}\n"));
    check(kind, whole, &[1, 2], format!("\u{1e}{a}\n"));
}

#[test]
fn a_part_goes_with_its_delimiter() {
    let form = "multipart/form-data; boundary=B";
    let part = |name: &str, content: &str| {
        format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
    };
    let body = |parts: &[String]| format!("{}--B--\r\n", parts.concat());
    let k = part("k", "1");
    let hidden = "psn_fedcba@pseudonym.invalid";
    let with_m = |value: &str| body(&[part("m", value), k.clone()]);
    let only_k = body(std::slice::from_ref(&k));
    check(
        form,
        &with_m("a@bcd.ef"),
        "email",
        [&only_k, &with_m("***"), &with_m(hidden)],
    );
    let with_text = |text: &str, document: &str| {
        let text = format!("To {text} now");
        body(&[k.clone(), part("t", &text), part("j", document)])
    };
    let member = |value: &str| format!(r#"{{"m":"{value}","n":1}}"#);
    check(
        form,
        &with_text("a@bcd.ef", &member("a@bcd.ef")),
        "email",
        [
            &with_text("", r#"{"n":1}"#),
            &with_text("***", &member("***")),
            &with_text(hidden, &member(hidden)),
        ],
    );
    let field = "Content-Disposition: form-data; name=\"f\"";
    let file =
        format!("--B\r\n{field}; filename=\"a@bcd.ef\"\r\nContent-Type: text/plain\r\n\r\nx\r\n");
    let coded =
        format!("--B\r\n{field}\r\nContent-Transfer-Encoding: base64\r\n\r\nYUBiY2QuZWY=\r\n");
    for whole in [file, coded, part("a@bcd.ef", "x")] {
        check(form, &body(&[whole, k.clone()]), "email", [&only_k; 3]);
    }
    let alone = |value: &str| body(&[part("m", value)]);
    check(
        form,
        &alone("a@bcd.ef"),
        "email",
        [
            "none of its parts would be left",
            &alone("***"),
            &alone(hidden),
        ],
    );
}

#[test]
fn a_cell_is_emptied_and_a_row_goes() {
    check(
        "text/csv",
        "id,m,note\n1,a@bcd.ef,x\n2,\"a@bcd.ef\",\"say \"\"a@bcd.ef\"\" now\"\n",
        "email",
        [
            "id,m,note\n1,,x\n2,,\"say \"\"\"\" now\"\n",
            "id,m,note\n1,***,x\n2,\"***\",\"say \"\"***\"\" now\"\n",
            "id,m,note\n1,psn_fedcba@pseudonym.invalid,x\n2,\"psn_fedcba@pseudonym.invalid\",\"say \"\"psn_fedcba@pseudonym.invalid\"\" now\"\n",
        ],
    );
    check(
        "text/csv",
        "m\na@bcd.ef\nk\n",
        "email",
        [
            "m\n\"\"\nk\n",
            "m\n***\nk\n",
            "m\npsn_fedcba@pseudonym.invalid\nk\n",
        ],
    );
    let spec = PlanSpec {
        records: Some(body_selector("$[*]")),
        ..PlanSpec::default()
    };
    let it = message("text/csv", "id,m\r\n1,a@b.c\r\n2,d@e.f\r\n3,g@h.i");
    let inspection = read_with(&it, &spec);
    let left = |ordinals: &[u64]| drop_records(&it, &inspection, ordinals).unwrap().body;
    assert_eq!(left(&[0, 2]), "id,m\r\n2,d@e.f\r\n");
    assert_eq!(left(&[1]), "id,m\r\n1,a@b.c\r\n3,g@h.i");
}

#[test]
fn an_element_or_an_attribute_goes_whole() {
    let hidden = "psn_fedcba@pseudonym.invalid";
    let with =
        |value: &str| format!("<a><m>{value}</m> <k x='1' e=\"{value}\"/>to {value} <b/>now</a>");
    check(
        "application/xml",
        &with("a@bcd.ef"),
        "email",
        ["<a> <k x='1'/>to  <b/>now</a>", &with("***"), &with(hidden)],
    );
    let with = |value: &str| format!("<a><m><![CDATA[{value}]]></m><k>1</k></a>");
    check(
        "application/xml",
        &with("a@bcd.ef"),
        "email",
        ["<a><k>1</k></a>", &with("***"), &with(hidden)],
    );
    // What holds references is replaced as a whole.
    check(
        "application/xml",
        "<a><m>a&#64;bcd.ef</m><k>1</k></a>",
        "email",
        [
            "<a><k>1</k></a>",
            "<a><m>***</m><k>1</k></a>",
            "<a><m>psn_fedcb46a@pseudonym.invalid</m><k>1</k></a>",
        ],
    );
    let spec = PlanSpec {
        records: Some(body_selector("$..p")),
        ..PlanSpec::default()
    };
    let it = message(
        "text/xml",
        "<a><p><m>a@b.c</m></p>\n<p><m>d@e.f</m></p></a>",
    );
    let inspection = read_with(&it, &spec);
    let left = drop_records(&it, &inspection, &[0]);
    assert_eq!(left.unwrap().body, "<a>\n<p><m>d@e.f</m></p></a>");
}

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
