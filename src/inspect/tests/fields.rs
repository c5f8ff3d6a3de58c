//! What keys and records say of values, with the detectors and the dictionary of the process.

use super::*;
use crate::inspect::format::reading::Lexicon;

/// `path category` of what is sure enough to act on.
fn sure(message: &Message) -> Vec<String> {
    inspect(
        &Lexicon::default(),
        message,
        &Plan::default(),
        &mut Scratch::default(),
    )
    .findings
    .iter()
    .filter(|it| it.confidence >= Confidence::High)
    .map(|it| {
        let path = it.location.path.as_deref().unwrap_or_default();
        let key = if it.in_key { " (key)" } else { "" };
        format!("{}{key} {}", normalized_path(path), it.category.code())
    })
    .collect()
}

#[track_caller]
fn check(body: &str, expected: &[&str]) {
    assert_eq!(sure(&json(body)), expected, "{body}");
}

#[test]
fn what_is_said_of_an_organisation_is_said_of_nobody() {
    check(
        r#"{"email":"a@example.org","city":"Almaty","zip":"050000"}"#,
        &[
            "$['email'] email",
            "$['city'] address.other",
            "$['zip'] address.other",
        ],
    );
    check(
        r#"{"email":"a@example.org","BusinessCity":"Almaty","merchant_zip":"050000","company":{"name":"Aru Serik","city":"Almaty","tax_id":"123456789"}}"#,
        &["$['email'] email"],
    );
    check(
        r#"{"email":"a@example.org","company":{"contact":{"city":"Almaty"}}}"#,
        &[
            "$['email'] email",
            "$['company']['contact']['city'] address.other",
        ],
    );
    check(
        r#"{"email":"a@example.org","line_items":[{"name":"Smith John"}],"customer":{"name":"John Smith"}}"#,
        &["$['email'] email", "$['customer']['name'] name.full"],
    );
}

#[test]
fn a_weak_word_describes_what_its_parent_names() {
    check(
        r#"{"email":"a@example.org","gender":{"name":"Female"},"employer":{"title":"Example"}}"#,
        &["$['email'] email", "$['gender']['name'] sex"],
    );
    check(
        r#"{"to":[{"emailAddress":{"address":"a@example.org","name":"Fanny Downs"}}]}"#,
        &[
            "$['to'][0]['emailAddress']['address'] email",
            "$['to'][0]['emailAddress']['name'] name.full",
        ],
    );
}

#[test]
fn a_list_of_attributes_speaks_for_its_object() {
    check(
        r#"{"name":"Глеб","PHONE":[{"VALUE":"+77010000001","VALUE_TYPE":"WORK"}]}"#,
        &["$['name'] name.full", "$['PHONE'][0]['VALUE'] phone"],
    );
    check(
        r#"{"name":"Глеб","custom_fields_values":[{"field_code":"PHONE","values":[{"value":"+77010000001"}]}]}"#,
        &[
            "$['name'] name.full",
            "$['custom_fields_values'][0]['values'][0]['value'] phone",
        ],
    );
    check(
        r#"{"name":"Глеб","orders":[{"phone":"+77010000001"}]}"#,
        &["$['orders'][0]['phone'] phone"],
    );
    check(
        r#"{"NAME":"Gleb","LAST_NAME":"Titov","id":7,"user_id":"a7"}"#,
        &["$['NAME'] name.full", "$['LAST_NAME'] name.surname"],
    );
}

#[test]
fn a_label_names_its_value_and_nobody() {
    check(
        r#"{"properties":[{"name":"Car","value":"Gray Skoda"},{"name":"Driver","value":"John Smith"},{"name":"Phone Number","value":"+77010000001"}]}"#,
        &[
            "$['properties'][1]['value'] name.full",
            "$['properties'][2]['value'] phone",
        ],
    );
    check(
        r#"{"contacts":[{"name":"Driver One","number":"+77010000001"}]}"#,
        &[
            "$['contacts'][0]['name'] name.full",
            "$['contacts'][0]['number'] phone",
        ],
    );
}

#[test]
fn a_condition_is_about_a_person_only_where_it_singles_one_out() {
    check(
        r#"{"filters":[{"field":"gender","op":"eq","value":"female"},{"field":"birth_date","value":"1991-12-31"},{"field":"last_name","value":"Miller"}]}"#,
        &["$['filters'][2]['value'] name.surname"],
    );
    check(
        r#"{"answers":[{"field":"gender","value":"female"}]}"#,
        &["$['answers'][0]['value'] sex"],
    );
}

#[test]
fn a_name_stands_under_any_key_beside_a_person() {
    check(
        r#"{"iin":"991231100010","transcription":"Ivanov Ivan","country":"United States"}"#,
        &["$['iin'] national_id", "$['transcription'] name.full"],
    );
    check(r#"{"transcription":"Ivanov Ivan"}"#, &[]);
}

#[test]
fn a_value_must_look_as_its_key_asks() {
    for (member, is_found) in [
        (r#""state":"CA""#, true),
        (r#""state":"Almaty region""#, true),
        (r#""state":"active""#, false),
        (r#""zip":"050010""#, true),
        (r#""zip":"none yet""#, false),
        (r#""city":"701""#, false),
        (r#""document_number":"012345678""#, true),
        (r#""document_number":"SC-2026-001""#, false),
        (r#""address":"deliverable""#, false),
        (r##""address_line2":"# 6100""##, false),
        (r##""address_line2":"Apt 5""##, true),
        (r#""bank_account":"bank_8cad8df5354d33f""#, false),
        (r#""bank_account":"000123456789""#, true),
        (r#""address":{"formatted":"10 Abay Avenue"}"#, true),
        (r#""address":{"kind":"home office"}"#, false),
        (r#""full_name":"yuan""#, true),
    ] {
        let body = format!(r#"{{"email":"a@example.org",{member}}}"#);
        assert_eq!(sure(&json(&body)).len() == 2, is_found, "{body}");
    }
    check(r#"{"full_name":"yuan"}"#, &[]);
    check(r#"{"zip":"94107","country":"US"}"#, &[]);
}

#[test]
fn numbers_are_sent_to_persons() {
    check(
        r#"{"to":"77010000001","from":"4155550100"}"#,
        &["$['to'] phone", "$['from'] phone"],
    );
    check(
        r#"{"to":"1700000000","from":"1600000000","x":"77010000001"}"#,
        &[],
    );
    check(r#"{"any":"+10907996161"}"#, &["$['any'] phone"]);
    check(r#"{"any":"a +10907996161 b"}"#, &[]);
}

#[test]
fn names_of_members_are_values_too() {
    check(
        r#"{"recipient-variables":{"aru@example.org":{"first":"Aru"},"+77010000001":{"id":1},"991231100010":{"id":2},"Смирнова Ольга":{"id":3},"Order Status":{"id":4}}}"#,
        &[
            "$['recipient-variables']['aru@example.org'] (key) email",
            "$['recipient-variables']['aru@example.org']['first'] name.given",
            "$['recipient-variables']['+77010000001'] (key) phone",
            "$['recipient-variables']['991231100010'] (key) national_id",
            "$['recipient-variables']['Смирнова Ольга'] (key) name.full",
        ],
    );
    let lines = message(
        "application/x-ndjson",
        "{\"aru@example.org\":1}\n{\"+77010000001\":{}}",
    );
    assert_eq!(
        sure(&lines),
        [
            "$[0]['aru@example.org'] (key) email",
            "$[1]['+77010000001'] (key) phone"
        ]
    );
    let form = message(
        "application/x-www-form-urlencoded",
        "991231100010=1&aru%40example.org=2",
    );
    assert_eq!(
        sure(&form),
        [
            "$['991231100010'] (key) national_id",
            "$['aru@example.org'] (key) email"
        ]
    );
    let xml = message("application/xml", r#"<m><to id.991231100010="1"/></m>"#);
    assert_eq!(
        sure(&xml),
        ["$['m']['to']['@id.991231100010'] (key) national_id"]
    );
}

/// Persons, each as its identifiers and the number of its findings.
#[track_caller]
fn check_persons(body: &str, expected: &[&str]) {
    let read = inspect(
        &Lexicon::default(),
        &json(body),
        &Plan::default(),
        &mut Scratch::default(),
    );
    let persons: Vec<String> = read
        .persons
        .iter()
        .map(|it| {
            let known = it.identifiers.iter().map(|it| it.value.expose().as_str());
            format!(
                "{} {}",
                known.collect::<Vec<_>>().join(" "),
                it.findings.len()
            )
        })
        .collect();
    assert_eq!(persons, expected, "{body}");
}

#[test]
fn bulk_calls_are_about_each_of_their_persons() {
    // Maps by address: Mailgun's recipient variables.
    check_persons(
        r#"{"recipient-variables":{"aru@example.org":{"first":"Aru"},"bek@example.org":{"first":"Bek","iin":"991231100010"}}}"#,
        &["aru@example.org 2", "bek@example.org 991231100010 3"],
    );
    check_persons(
        r#"{"balances":{"aru@example.org":1,"bek@example.org":2}}"#,
        &["aru@example.org 1", "bek@example.org 1"],
    );
    check_persons(
        r#"{"users":{"aru@example.org":{"email":"aru@example.org","phone":"+77010000001"}}}"#,
        &["aru@example.org 77010000001 3"],
    );
    // An envelope for each: SendGrid's personalizations, Twilio's and Infobip's batches.
    check_persons(
        r#"{"personalizations":[{"to":[{"email":"aru@example.org","name":"Aru Serik"}],"substitutions":{"first_name":"Aru"}},{"to":[{"email":"bek@example.org"}]}],"from":{"email":"olga@example.com"}}"#,
        &[
            "aru@example.org 3",
            "bek@example.org 1",
            "olga@example.com 1",
        ],
    );
    check_persons(
        r#"{"messages":[{"to":"+77010000001","text":"a"},{"to":"+77010000002","text":"b"}]}"#,
        &["77010000001 1", "77010000002 1"],
    );
    // Events of persons: data of Meta's conversions; the same person in two events is one.
    check_persons(
        r#"{"data":[{"user_data":{"em":["aru@example.org"],"client_ip_address":"192.0.2.1"}},{"user_data":{"em":["bek@example.org"]}},{"user_data":{"em":["aru@example.org"],"ph":["+77010000001"]}}]}"#,
        &["aru@example.org 77010000001 4", "bek@example.org 1"],
    );
    // Records: Zendesk's users, with lists of attributes.
    check_persons(
        r#"{"users":[{"name":"Aru Serik","email":"aru@example.org","phones":[{"value":"+77010000001"}]},{"name":"Bek Alim","email":"bek@example.org"}]}"#,
        &["aru@example.org 77010000001 3", "bek@example.org 2"],
    );
}

#[test]
fn pieces_of_a_number_are_joined_however_they_are_written() {
    for body in [
        r#"{"iin_a":"991231","iin_b":"100010"}"#,
        r#"{"iin_a":"\u0039\u00391231","iin_b":"\u0031\u0030\u0030\u0030\u0031\u0030"}"#,
    ] {
        assert_eq!(sure(&json(body)).len(), 2, "{body}");
    }
    let other = r#"{"iin_a":"\u0039\u00391231","iin_b":"\u0031\u0030\u0030\u0030\u0031\u0031"}"#;
    assert!(sure(&json(other)).is_empty());
}

#[test]
fn a_name_does_not_run_into_an_address() {
    for text in [
        "hi a b c mee\nzhuldyz.mark@example.com\n",
        "n e m mee\n\nzhuldyz.mark@example.com\n",
    ] {
        let found = sure(&message("text/plain", text));
        assert!(found.iter().any(|it| it.ends_with(" email")), "{found:?}");
    }
}

#[test]
fn lines_of_a_text_name_addresses_of_persons_not_of_machines() {
    let found = |text: &str| sure(&message("text/plain", text));
    assert_eq!(found("address: Абай 10, Алматы\n").len(), 1);
    for text in [
        "address = \"0.0.0.0:8282\"\n",
        "address: localhost:8080\n",
        "addr: Addr::Tcp(_, _) => {\n",
        "12:01:07 00.039  2227  2227 D: started\n",
    ] {
        assert_eq!(found(text), [""; 0], "{text}");
    }
}

#[test]
fn numbers_of_persons_count_inside_things() {
    for body in [
        r#"{"items":[{"pinfl":"21401705467320"}]}"#,
        r#"{"items":[{"pinfl":"21401705467321"}]}"#,
        r#"{"form":{"snils":"112-233-445 95"}}"#,
        r#"{"form":{"tax_id":"123456789"}}"#,
        r#"{"services":[{"iin":"991231100010"}]}"#,
        r#"{"company":{"iin":"900101300000"}}"#,
        r#"{"company":{"inn":"500100732259"}}"#,
        r#"{"seller_bin":"991231100010"}"#,
    ] {
        assert_eq!(sure(&json(body)).len(), 1, "{body}");
    }
    for body in [
        r#"{"vehicle":{"identification_number":"WVWZZZ1JZXW000001"}}"#,
        r#"{"company":{"inn":"123456789"}}"#,
        r#"{"company":{"tax_id":"900101300000"}}"#,
        r#"{"seller_bin":"940140000385","bin":"411111"}"#,
    ] {
        assert_eq!(sure(&json(body)), [""; 0], "{body}");
    }
}

#[test]
fn the_last_word_of_a_key_says_of_whom_or_what_it_is() {
    check(
        r#"{"email":"a@example.org","fulfillment_service":{"name":"Jupiter Way"},"hiring_manager_contact":{"name":"Aru Serik"},"user_list":[{"name":"Bek Alim"}],"customer_plan":{"name":"Premium Gold"}}"#,
        &[
            "$['email'] email",
            "$['hiring_manager_contact']['name'] name.full",
            "$['user_list'][0]['name'] name.full",
        ],
    );
}

#[test]
fn what_a_key_around_names_stands_under_words_that_say_nothing() {
    check(
        r#"{"iin":"991231100010","nationality":{"code":"005","nameRu":"Казашка"},"citizenship":{"code":"398","nameRu":"Казахстан"}}"#,
        &[
            "$['iin'] national_id",
            "$['nationality']['nameRu'] special.ethnicity",
            "$['citizenship']['code'] citizenship",
            "$['citizenship']['nameRu'] citizenship",
        ],
    );
    check(
        r#"{"email":"a@example.org","discountCard":{"ids":{"number":"2000000017"}},"street":{"name":"Tverskaya"},"address":{"fullname":"ул. Абая 11"},"addresses":[{"value":"123 Fake St. Apt 5"}]}"#,
        &[
            "$['email'] email",
            "$['discountCard']['ids']['number'] loyalty",
            "$['street']['name'] address.other",
            "$['address']['fullname'] address.other",
            "$['addresses'][0]['value'] address.other",
        ],
    );
    check(
        r#"{"email":"a@example.org","address":{"name":"Aru Serik"},"product":{"title":"Fine Tea"},"status":{"name":"Being Served"}}"#,
        &["$['email'] email", "$['address']['name'] name.full"],
    );
}

#[test]
fn some_words_count_only_inside_an_object_of_their_kind() {
    check(
        r#"{"iin":"991231100010","document":{"number":"012345678","issueDate":"2015-01-02","issueOrganization":{"code":"002","nameRu":"МВД РК"}},"passport_series":"AN"}"#,
        &[
            "$['iin'] national_id",
            "$['document']['number'] id_document",
            "$['document']['issueDate'] id_document.date",
            "$['document']['issueOrganization']['nameRu'] id_document.issuer",
            "$['passport_series'] id_document.number",
        ],
    );
    check(
        r#"{"iin":"991231100010","issueDate":"2015-01-02","issued_by":"МВД РК","invoice":{"issue_date":"2015-01-02"},"passport_series":"Chapter Two"}"#,
        &["$['iin'] national_id"],
    );
}

#[test]
fn accounts_and_numbers_of_persons_by_what_stands_beside() {
    check(
        r#"{"EMAIL":[{"VALUE":"a@example.org"}],"IM":[{"VALUE":"https://t.me/aru_serik","VALUE_TYPE":"TELEGRAM"}]}"#,
        &[
            "$['EMAIL'][0]['VALUE'] email",
            "$['IM'][0]['VALUE'] messenger",
        ],
    );
    check(
        r#"{"Name":"ARU SERIK","card_token":"a1b2c3d4e5f6"}"#,
        &["$['Name'] name.full", "$['card_token'] payment.token"],
    );
    check(r#"{"cardholder":"INSTANT ISSUE"}"#, &[]);
    check(
        r#"{"to":"16505551234","type":"text","id":"16505551235"}"#,
        &["$['to'] phone"],
    );
    check(r#"{"oms":"4111111111111111"}"#, &["$['oms'] national_id"]);
}
