//! Forms, heads, lines, parts, tables and elements: each goes with what separates it.

use super::*;

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

/// What a mail in a value says as it is written is written over in its place; what stands in an encoding goes whole.
#[test]
fn fields_and_plain_parts_of_a_mail_are_edited_in_place() {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let hidden = "psn_fedcba@pseudonym.invalid";
    let mail = |to: &str, text: &str, coded: &str| {
        format!(
            "Subject: order\r\nTo: B <{to}>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=C\r\n\r\n--C\r\n\r\nTo {text} now\r\n\
             --C\r\nContent-Transfer-Encoding: base64\r\n\r\n{coded}\r\n--C--\r\n"
        )
    };
    let coded = BASE64_STANDARD.encode("a@bcd.ef");
    let all = [("", ""), ("***", "***"), (hidden, hidden)];
    let in_json = |it: &str| serde_json::json!({ "k": 1, "m": it }).to_string();
    let in_part = |it: &str| {
        format!(
            "--B\r\nContent-Disposition: form-data; name=\"m\"\r\n\
             Content-Type: message/rfc822\r\n\r\n{it}\r\n--B--\r\n"
        )
    };
    let plain = mail("a@bcd.ef", "a@bcd.ef", "eA==");
    let expected = all.map(|(it, text)| mail(it, text, "eA=="));
    let parts = expected.each_ref().map(|it| in_part(it));
    check(
        "multipart/form-data; boundary=B",
        &in_part(&plain),
        "email",
        parts.each_ref().map(String::as_str),
    );
    let values = expected.each_ref().map(|it| in_json(it));
    check_json(
        &in_json(&plain),
        "email",
        values.each_ref().map(String::as_str),
    );
    // What is in base64, in a part or as a whole, and a mail that is signed, has no place of its own.
    let signed = format!("DKIM-Signature: v=1\r\n{plain}");
    for whole in [
        mail("c", "c", &coded),
        BASE64_STANDARD.encode(&plain),
        signed,
    ] {
        let it = json(&in_json(&whole));
        let left = |operator| {
            let reduced = taken(&it, &PlanSpec::default(), "email", operator).unwrap();
            body(&reduced).to_owned()
        };
        assert_eq!(left(Remove), r#"{"k":1}"#);
        assert_eq!(left(Mask), in_json("***"));
        assert!(left(Pseudonymise).starts_with(r#"{"k":1,"m":"psn_"#));
    }
}
