//! Where findings are said to stand, and which bytes they cover.

use super::*;

#[track_caller]
fn check(message: &Message, expected: &[&str]) {
    let inspection = read(message);
    let found: Vec<_> = inspection
        .findings
        .iter()
        .map(|it| written(message, it))
        .collect();
    assert_eq!(found, expected);
    assert!(inspection.gaps.is_empty(), "{:?}", inspection.gaps);
}

#[test]
fn json_values_and_names_are_placed() {
    check(
        &json(r#"{"a":[1,{"b":"x a@example.org"}], "991231100010":null, "c":991231100010}"#),
        &[
            "body $['a'][1]['b'] = a@example.org",
            "body $['991231100010'] (key) = 991231100010",
            "body $['c'] = 991231100010",
        ],
    );
    check(&json(r#" "a@example.org" "#), &["body $ = a@example.org"]);
    check(
        &json(r#"["a@example.org"]"#),
        &["body $[0] = a@example.org"],
    );
}

#[test]
fn escapes_are_undone_and_covered() {
    check(
        &json(r#"{"a":"x \u0061\u0040example.org\n","\u0061@b":1}"#),
        &[
            r"body $['a'] = \u0061\u0040example.org\n",
            r"body $['a@b'] (key) = \u0061@b",
        ],
    );
}

#[test]
fn documents_inside_strings_are_read_as_such() {
    check(
        &json(r#"{"p":"{\"q\":[\"{\\\"r\\\":\\\"a@b.org\\\"}\"]}","s":"[a@c.org"}"#),
        &[
            "body $['p'] | $['q'][0]['r'] = a@b.org",
            "body $['s'] = [a@c.org",
        ],
    );
    check(
        &message(
            "application/x-www-form-urlencoded",
            "x=1&payload=%7B%22a%22%3A%22b%40c.org%22%7D",
        ),
        &["body $['payload'] | $['a'] = b%40c.org"],
    );
}

#[test]
fn form_fields_are_one_tree() {
    check(
        &message(
            "application/x-www-form-urlencoded",
            "a=x+b%40c.org&to=1%40a.b&to=2%40a.b&991231100010&%39%39%31231100010=&d=%2539%2539%2531231100010",
        ),
        &[
            "body $['a'] = b%40c.org",
            "body $['to'][0] = 1%40a.b",
            "body $['to'][1] = 2%40a.b",
            "body $['991231100010'] (key) = 991231100010",
            "body $['991231100010'] (key) = %39%39%31231100010",
            "body $['d'] = %2539%2539%2531231100010",
        ],
    );
}

#[test]
fn text_is_one_field_unless_it_is_a_document() {
    check(
        &message("text/plain", "iin 991231100010 \n"),
        &["body = 991231100010"],
    );
    check(
        &message("text/plain; charset=utf-8", r#" {"a":"b@c.org"}"#),
        &["body $['a'] = b@c.org"],
    );
    check(&message("text/plain", "{ a@b.org"), &["body = a@b.org"]);
}

#[test]
fn the_head_is_read_before_the_body() {
    let mut it = json(r#"{"a":"1@b.org"}"#);
    it.path = "/v1/clients/%39%391231100010/x".to_owned();
    it.query = Some("q=2%40b.org&991231100010".to_owned());
    let it = with_field(it, "x-client", b"3%40b.org 100%");
    let it = with_field(it, "x-mail", "почта 4@b.org".as_bytes());
    let it = with_field(it, "cookie", b"a=1; uid=5%40b.org;6@b.org");
    let it = with_field(it, "authorization", b"Bearer 7@b.org");
    check(
        &it,
        &[
            "path $[2] = %39%391231100010",
            "query q = 2%40b.org",
            "query 991231100010 (key) = 991231100010",
            "header x-mail = 4@b.org",
            "header uid = 5%40b.org",
            "header  = 6@b.org",
            "header authorization = 7@b.org",
            "body $['a'] = 1@b.org",
        ],
    );
}

#[test]
fn trailers_are_read_last() {
    let mut it = json(r#"["1@b.org"]"#);
    it.trailers
        .insert("x-note", HeaderValue::from_static("2@b.org"));
    let inspection = read(&it);
    let parts: Vec<_> = inspection
        .findings
        .iter()
        .map(|it| it.location.part)
        .collect();
    assert_eq!(parts, [Part::Body, Part::Trailer]);
}

#[test]
fn base64_does_not_hide_a_document() {
    check(
        &json(
            r#"{"t":"eyJhbGciOiJub25lIn0.eyJpaW4iOiI5OTEyMzExMDAwMTAifQ.x","d":["eyJpaW4iOiI5OTEyMzExMDAwMTAifQ=="],"w":"eyes"}"#,
        ),
        &[
            "body $['t'] | $['iin'] = eyJpaW4iOiI5OTEyMzExMDAwMTAifQ",
            "body $['d'][0] | $['iin'] = eyJpaW4iOiI5OTEyMzExMDAwMTAifQ==",
        ],
    );
    let basic = b"Basic OTkxMjMxMTAwMDEwOng=";
    check(
        &with_field(json("{}"), "authorization", basic),
        &["header authorization = OTkxMjMxMTAwMDEwOng="],
    );
    let bearer = b"Bearer eyJhbGciOiJub25lIn0.eyJpaW4iOiI5OTEyMzExMDAwMTAifQ.";
    check(
        &with_field(json("{}"), "authorization", bearer),
        &["header authorization | $['iin'] = eyJpaW4iOiI5OTEyMzExMDAwMTAifQ"],
    );
}
