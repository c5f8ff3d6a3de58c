//! Members, elements, numbers, texts and names of JSON documents.

use super::*;

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
