//! Cards, calendars and operations: as bodies, and as the value of a string.

use super::*;
use crate::{
    inspect::Inspector,
    model::{finding::GapKind, inspection::Inspection},
};

fn scan(message: &Message) -> Inspection {
    Inspector::default().inspect(message, &Plan::default())
}

/// `category place`, of what is sure, and kinds of gaps.
fn places(message: &Message) -> (Vec<String>, Vec<GapKind>) {
    let inspection = scan(message);
    let sure = inspection.findings.iter();
    let sure = sure.filter(|it| it.confidence >= Confidence::High);
    let found = sure.map(|it| {
        assert!(it.span.end <= message.body.len());
        format!("{} {}", it.category.code(), written(message, it))
    });
    let gaps = inspection.gaps.iter().map(|it| it.kind);
    (found.collect(), gaps.collect())
}

#[track_caller]
fn check(message: &Message, found: &[&str], gaps: &[GapKind]) {
    let (seen, seen_gaps) = places(message);
    assert_eq!(seen, found);
    assert_eq!(seen_gaps, gaps);
}

const CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Серикова;Айгерим;;;\r\nFN:Айгерим Серикова\r\n\
    ORG:Example\\; Shop\r\nTEL;TYPE=CELL:+7 701 000\r\n  00 01\r\nitem1.EMAIL:a.serikova@example.org\r\n\
    BDAY:19991231\r\nEND:VCARD\r\n";

#[test]
fn a_card_is_an_object_of_its_properties() {
    check(
        &message("text/vcard", CARD),
        &[
            "name.surname body $[0]['N']['last_name'] = Серикова",
            "name.given body $[0]['N']['first_name'] = Айгерим",
            "name.full body $[0]['FN'] = Айгерим Серикова",
            "phone body $[0]['TEL'] = +7 701 000\r\n  00 01",
            "email body $[0]['EMAIL'] = a.serikova@example.org",
            "birth_date body $[0]['BDAY'] = 19991231",
        ],
        &[],
    );
    let inside = json(&format!(
        r#"{{"card":{}}}"#,
        serde_json::to_string(CARD).unwrap()
    ));
    let (found, gaps) = places(&inside);
    assert_eq!(found.len(), 6, "{found:?}");
    assert_eq!(
        found[2],
        "name.full body $['card'] | $[0]['FN'] = Айгерим Серикова"
    );
    assert_eq!(gaps, []);
}

#[test]
fn a_card_of_nobody_has_nothing() {
    let shop = "BEGIN:VCARD\nVERSION:4.0\nORG:Example Shop\nNOTE:open from 9 to 18\nREV:20261125T100000Z\nEND:VCARD\n";
    check(&message("text/vcard", shop), &[], &[]);
    let event = "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:7f3c2b1e-9a4d-4c55\nDTSTART:20261125T100000Z\n\
        SUMMARY:Stocktaking\nEND:VEVENT\nEND:VCALENDAR\n";
    check(&message("text/calendar", event), &[], &[]);
}

#[test]
fn what_is_quoted_or_a_picture_in_a_card_is_read_or_a_gap() {
    let card = |line: &str| {
        message(
            "text/x-vcard",
            format!("BEGIN:VCARD\nVERSION:2.1\n{line}\nEND:VCARD\n"),
        )
    };
    let quoted = card("EMAIL;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:a.serikova=40exam=\nple.org");
    let (found, gaps) = places(&quoted);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("email body $[0]['EMAIL'] = "),
        "{found:?}"
    );
    assert_eq!(gaps, []);
    let jpeg = format!(
        "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD{}",
        "A".repeat(200)
    );
    let (found, gaps) = places(&card(&jpeg));
    assert!(
        found[0].starts_with("photo body $[0]['PHOTO'] = "),
        "{found:?}"
    );
    assert_eq!(gaps, [GapKind::Opaque]);
}

#[test]
fn calendars_name_who_is_invited() {
    let event = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nORGANIZER;CN=\"Айгерим Серикова\":mailto:a.serikova@example.org\n\
        ATTENDEE;ROLE=REQ-PARTICIPANT:mailto:b@example.org\nEND:VEVENT\nEND:VCALENDAR\n";
    check(
        &message("text/calendar", event),
        &[
            "name.full body $[0]['VEVENT']['CN'] = \"Айгерим Серикова\"",
            "email body $[0]['VEVENT']['ORGANIZER'] = a.serikova@example.org",
            "email body $[0]['VEVENT']['ATTENDEE'] = b@example.org",
        ],
        &[],
    );
}

#[test]
fn lines_that_are_none_are_malformed_and_read() {
    use GapKind::*;
    check(
        &message("text/vcard", "991231100010"),
        &["national_id body line $ = 991231100010"],
        &[Malformed],
    );
    check(
        &message("text/vcard", "BEGIN:VCARD\nREV:1\n"),
        &[],
        &[Malformed],
    );
    let deep = "BEGIN:VCARD\n".repeat(100);
    check(&message("text/vcard", deep), &[], &[DepthExceeded]);
}

#[test]
fn arguments_of_an_operation_have_their_names() {
    let operation = r#"mutation { createUser(input: {firstName: "Айгерим", email: "a@example.org", age: 27}) { id } } # 991231100010"#;
    let expected = [
        "name.given body $['mutation']['createUser']['input']['firstName'] = Айгерим",
        "email body $['mutation']['createUser']['input']['email'] = a@example.org",
        "national_id body comment $ =  991231100010",
    ];
    let (found, gaps) = places(&message("application/graphql", operation));
    println!(
        "{:?}",
        scan(&message("application/graphql", operation)).findings
    );
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found[..2], expected[..2]);
    assert!(found[2].contains("comment"), "{found:?}");
    assert_eq!(gaps, []);
    let body = serde_json::json!({"query": operation, "variables": {"iin": "991231100010"}});
    let (found, gaps) = places(&json(&body.to_string()));
    assert!(
        found.contains(
            &"name.given body $['query'] | $['mutation']['createUser']['input']['firstName'] = Айгерим"
                .to_owned()
        ),
        "{found:?}"
    );
    assert!(
        found.iter().any(|it| it.contains("$['variables']['iin']")),
        "{found:?}"
    );
    assert_eq!(gaps, []);
    // Batches, block strings, and the query of an address.
    let batch = serde_json::json!([{"query": "{c(iin:\"\"\"991231100010\"\"\"){id}}"}]);
    let (found, _) = places(&json(&batch.to_string()));
    assert_eq!(found.len(), 1, "{found:?}");
    let mut get = json("{}");
    get.query = Some(
        "query=%7Bu(firstName%3A%22Aigerim%22%2CbirthDate%3A%221999-12-31%22)%7Bid%7D%7D"
            .to_owned(),
    );
    let found: Vec<_> = scan(&get).findings.iter().map(|it| it.category).collect();
    assert!(found.contains(&Category::BirthDate), "{found:?}");
}

#[test]
fn an_operation_without_data_has_nothing() {
    let operation = r#"query Orders($first: Int = 50, $after: String) { orders(first: $first, query: "status:open") { edges { node { id name email } } } }"#;
    check(&message("application/graphql", operation), &[], &[]);
    let body = serde_json::json!({"query": operation, "variables": {"first": 10}});
    check(&json(&body.to_string()), &[], &[]);
    check(
        &message("application/graphql", "{ a("),
        &[],
        &[GapKind::Malformed],
    );
}

#[test]
fn documents_in_strings_tell_by_their_names() {
    let xml = serde_json::json!({"payload": "<client><birthDate>1999-12-31</birthDate></client>"});
    check(
        &json(&xml.to_string()),
        &["birth_date body $['payload'] | $['client']['birthDate'] = 1999-12-31"],
        &[],
    );
    let form = serde_json::json!({"payload": "lang=kk&birth_date=1999-12-31"});
    check(
        &json(&form.to_string()),
        &["birth_date body $['payload'] | $['birth_date'] = 1999-12-31"],
        &[],
    );
    let address = serde_json::json!({"callback": "https://x.example/cb?birth_date=1999-12-31"});
    check(
        &json(&address.to_string()),
        &["birth_date body $['callback'] | $['birth_date'] = 1999-12-31"],
        &[],
    );
    let event = "BEGIN:VEVENT\nCONTACT:991231100010\nEND:VEVENT";
    check(
        &json(&serde_json::json!({"payload": event}).to_string()),
        &["national_id body $['payload'] | $[0]['CONTACT'] = 991231100010"],
        &[],
    );
    for clean in [
        serde_json::json!({"payload": "birth_date=1999-12-31"}),
        serde_json::json!({"payload": "<b>1999-12-31</b>"}),
        serde_json::json!({"payload": "a=b&c=1999-12-31"}),
        serde_json::json!({"payload": "<a><b>"}),
        serde_json::json!({"note": "https://x.example/?utm_source=a&page=2"}),
        serde_json::json!({"note": "birth_date = 1999-12-31 & so on"}),
    ] {
        check(&json(&clean.to_string()), &[], &[]);
    }
}

#[test]
fn a_card_in_a_string_is_reduced_as_text() {
    // What is found in it has exact bytes, so that a reduction can cut them.
    let body = json(&format!(
        r#"{{"card":{}}}"#,
        serde_json::to_string(CARD).unwrap()
    ));
    let inspection = scan(&body);
    let mail = inspection
        .findings
        .iter()
        .find(|it| it.category == Category::Email);
    assert_eq!(covered(&body, mail.unwrap()), "a.serikova@example.org");
    assert!(!mail.unwrap().is_encoded);
}
