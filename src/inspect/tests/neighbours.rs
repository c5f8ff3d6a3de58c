//! Numbers that stand in several values.

use super::super::Inspector;
use super::*;

/// Locations and texts of the national ids and cards in a body of `label`.
fn found(label: &str, body: &str) -> Vec<String> {
    let message = message(label, body);
    let inspection = Inspector::default().inspect(&message, &Plan::default());
    inspection
        .findings
        .iter()
        .filter(|it| matches!(it.category, Category::NationalId | Category::PaymentCard))
        .map(|it| body.get(it.span.clone()).unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_number_in_neighbouring_values_is_found_in_each_of_them() {
    let iin = ["991231", "100010"];
    for (label, body) in [
        ("application/json", r#"{"iin_a":"991231","iin_b":"100010"}"#),
        ("application/json", r#"{"a":991231,"b":100010}"#),
        (
            "application/json",
            r#"{"x":"120","a":"991231","b":"100010","z":"77"}"#,
        ),
        ("application/json", r#"["991231","100010"]"#),
        ("text/csv", "a,b\n991231,100010\n"),
        (
            "application/json",
            r#"{"a":"991231","n":{"x":1},"b":"100010"}"#,
        ),
        ("application/x-www-form-urlencoded", "a=991231&b=100010"),
        ("application/x-www-form-urlencoded", "x[]=991231&x[]=100010"),
        (
            "multipart/form-data; boundary=B",
            "--B\r\nContent-Disposition: form-data; name=x\r\n\r\n991231\r\n--B\r\nContent-Disposition: form-data; name=x\r\n\r\n100010\r\n--B--\r\n",
        ),
        (
            "multipart/form-data; boundary=B",
            "--B\r\nContent-Disposition: form-data; name=x\r\n\r\n991231\r\n--B\r\nContent-Disposition: form-data; name=y\r\n\r\n100010\r\n--B--\r\n",
        ),
    ] {
        assert_eq!(found(label, body), iin, "{body}");
    }
    assert_eq!(
        found(
            "application/json",
            r#"{"c1":"4111","c2":"1111","c3":"1111","c4":"1111"}"#
        ),
        ["4111", "1111", "1111", "1111"]
    );
    assert_eq!(
        found("application/json", "[9, 9, 1, 2, 3, 1, 1, 0, 0, 0, 1, 0]").concat(),
        "991231100010"
    );
    for body in [
        r#"["99123","1100010"]"#,
        r#"{"part1":"9912","part2":"31100010"}"#,
        r#"{"a":"9912311","b":"00010"}"#,
    ] {
        let parts = found("application/json", body);
        assert_eq!(parts.concat(), "991231100010", "{body}");
    }
    for body in [
        r#"{"zip":"99123","order":"1100010"}"#,
        r#"["99123","1100011"]"#,
        r#"{"iin_a":"991231","iin_b":"100011"}"#,
        r#"{"date":"050314","time":"100013"}"#,
        r#"{"a":"991231","x":"-","b":"100010"}"#,
        r#"["991231","100010","5"]"#,
        r#"{"category":"9912","sub":"3110","code":"0010"}"#,
        "[9, 9, 1, 2, 3, 1, 1, 0, 0, 0, 1, 0, 5]",
        "[9, 9, 1, 2, 3, 1, 1, 0, 0, 0, 1, 1]",
        r#"{"w":4111,"h":1111,"x":1111,"y":1111}"#,
        r#"{"a":9,"b":9,"c":1,"d":2,"e":3,"f":1,"g":1,"h":0,"i":0,"j":0,"k":1,"l":0,"m":7}"#,
    ] {
        assert_eq!(
            found("application/json", body),
            Vec::<String>::new(),
            "{body}"
        );
    }
}

#[test]
fn a_row_of_parameters_cookies_or_segments_is_one_number() {
    let count = |message: &Message| {
        let inspection = Inspector::default().inspect(message, &Plan::default());
        let finds = inspection.findings.iter();
        finds
            .filter(|it| it.category == Category::NationalId)
            .count()
    };
    let bare = |path: &str, query: Option<&str>| Message {
        path: path.to_owned(),
        query: query.map(str::to_owned),
        ..message("", "")
    };
    assert_eq!(count(&bare("/v1", Some("a=991231&b=100010"))), 2);
    assert_eq!(count(&bare("/v1/991231/100010", None)), 2);
    assert_eq!(count(&bare("/v1", Some("a=991231&x=&b=100010"))), 0);
    assert_eq!(count(&bare("/v1", Some("a=991231&b=100011"))), 0);
    assert_eq!(count(&bare("/v1/991231/x/100010", None)), 0);
    let crumbs = with_field(bare("/", None), "cookie", b"a=991231");
    let crumbs = with_field(crumbs, "cookie", b"b=100010");
    assert_eq!(count(&crumbs), 2);
    let one = with_field(bare("/", None), "cookie", b"a=991231; b=100010");
    assert_eq!(count(&one), 2);
    let other = with_field(bare("/", None), "cookie", b"a=991231; b=100011");
    assert_eq!(count(&other), 0);
}

#[test]
fn an_array_of_character_codes_is_read_as_its_text() {
    let codes = |text: &str| {
        let codes: Vec<String> = text.bytes().map(|it| it.to_string()).collect();
        format!(r#"{{"type":"Buffer","data":[{}]}}"#, codes.join(","))
    };
    assert_eq!(found("application/json", &codes("991231100010")).len(), 1);
    assert_eq!(
        found("application/json", &codes(r#"{"iin":"991231100010"}"#)).len(),
        1
    );
    assert_eq!(found("application/json", &codes("991231100011")).len(), 0);
}

#[test]
fn the_text_of_an_element_and_of_those_in_it_is_one() {
    let xml = "application/xml";
    assert_eq!(
        found(xml, "<r>991<b>231</b>100010</r>"),
        ["991<b>231</b>100010"]
    );
    assert_eq!(found(xml, "<r>991<b>231</b>100011</r>").len(), 0);
    assert_eq!(found(xml, "<r> <b>991231</b> <b>100011</b> </r>").len(), 0);
}

/// Where an operator opened the gap, the body goes on with what was found in it.
#[test]
fn what_stands_behind_a_fault_is_read_as_text() {
    for (label, body) in [
        ("application/json", r#"{"a":1} 991231100010"#),
        ("application/json", r#"{"a":,"iin":"991231100010"}"#),
        ("application/xml", "<c><b></c><iin>991231100010</iin>"),
        ("application/x-ndjson", "{}\n{\"a\":} 991231100010\n{}"),
    ] {
        assert_eq!(found(label, body), ["991231100010"], "{body}");
    }
    let once = r#"{"iin":"991231100010","#;
    assert_eq!(found("application/json", once), ["991231100010"]);
}

#[test]
fn ids_of_messages_and_parts_are_no_addresses() {
    let addresses = |id: &str| {
        let body = format!(
            "--B\r\nContent-Disposition: form-data; name=x\r\nContent-ID: <{id}>\r\n\r\n1\r\n--B--\r\n"
        );
        let part = message("multipart/form-data; boundary=B", body);
        let head = with_field(message("", ""), "message-id", id.as_bytes());
        [part, head].map(|it| {
            let inspection = Inspector::default().inspect(&it, &Plan::default());
            inspection.findings.len()
        })
    };
    assert_eq!(addresses("rootpart@soap.example.org"), [0, 0]);
    assert_eq!(addresses("part1.36571@example.org"), [0, 0]);
    assert_eq!(addresses("a.ivanova@example.org"), [1, 1]);
}
