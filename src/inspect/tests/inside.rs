//! Documents that stand inside a text.

use super::{super::Inspector, message, read, read_with, written};
use crate::model::{
    finding::GapKind,
    inspection::{Budget, PlanSpec},
    message::Message,
};

fn all_written(it: &Message) -> Vec<String> {
    let found = read(it).findings;
    found.iter().map(|found| written(it, found)).collect()
}

#[test]
fn a_document_in_a_text_is_walked() {
    let known = r#"{"name":"Aigerim","iin":"991231100010"}"#;
    for (label, body) in [
        ("text/plain", format!("INFO sent {known} in 3 ms")),
        ("text/plain", format!("}}{{ {{\"a\":1}} {known}")),
        ("text/plain", format!("{known} and more")),
        (
            "text/plain",
            format!("body=%7B{}", known.replacen('{', "", 1)),
        ),
        (
            "application/json",
            format!("{{\"log\":\"x {}\"}}", known.replace('"', "\\\"")),
        ),
        (
            "text/csv",
            format!("a\n\"x {}\"\n", known.replace('"', "\"\"")),
        ),
    ] {
        let it = message(label, body.as_bytes().to_vec());
        let found = all_written(&it);
        assert_eq!(found.len(), 2, "{label} {body}: {found:?}");
        assert!(
            found
                .iter()
                .any(|it| it.contains("$['name'] = ") && it.contains("Aigerim")),
            "{found:?}"
        );
    }
    for body in [
        r#"x {"title":"Aigerim","order":"991231100010-A"}"#,
        r#"x {"name":"Aigerim", and no end"#,
    ] {
        let found = all_written(&message("text/plain", body.as_bytes().to_vec()));
        assert!(found.is_empty(), "{body}: {found:?}");
    }
}

#[test]
fn a_line_of_text_may_name_its_value() {
    let inspector = Inspector::default();
    let plan = inspector.compile(&PlanSpec::default()).unwrap();
    let found = |body: &str| -> Vec<_> {
        let it = message("text/plain", body);
        let found = inspector.inspect(&it, &plan).findings;
        // A value may be of two categories: by its key and by its form.
        let mut places: Vec<_> = found
            .iter()
            .map(|found| (found.span.start, written(&it, found)))
            .collect();
        places.dedup();
        places.into_iter().map(|it| it.1).collect()
    };
    for (body, value) in [
        ("Order A-17\nfirst_name=Aigerim\n", "Aigerim"),
        ("Дата рождения: 13.02.1903", "13.02.1903"),
        ("a: b\r\npassport: N12345678\r\n", "N12345678"),
        ("\u{feff}snils: 11223344595", "11223344595"),
    ] {
        assert_eq!(found(body), [format!("body = {value}")], "{body}");
    }
    for body in [
        "title: Aigerim\nname: Order\n",
        "- first_name: Aigerim",
        "first_name:\n",
    ] {
        assert!(found(body).is_empty(), "{body}: {:?}", found(body));
    }
    assert_eq!(found("first_name=Aigerim\nfirst_name=Yerlan").len(), 2);
    // What is found without a name is found once.
    assert_eq!(
        found("email: a.ivanova@example.com"),
        ["body = a.ivanova@example.com"]
    );
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_value() {
    let wide: Vec<u8> = "\u{feff}a@b.org"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let it = message("text/plain; charset=utf-16", wide);
    // Spans count in the text, where the mark takes three bytes.
    assert_eq!(read(&it).findings[0].span, 3..10);
}

#[test]
fn an_object_in_a_text_that_is_too_deep_is_a_gap() {
    let spec = PlanSpec {
        budget: Budget {
            depth: 4,
            ..Budget::default()
        },
        ..PlanSpec::default()
    };
    let deep = r#"x {"a":[{"b":[{"iin":"991231100010"}]}]}"#;
    let read = read_with(&message("text/plain", deep.as_bytes().to_vec()), &spec);
    let gaps: Vec<_> = read.gaps.iter().map(|it| it.kind).collect();
    assert_eq!(gaps, [GapKind::DepthExceeded]);
    let shallow = r#"x {"a":[{"iin":"991231100010"}]}"#;
    let read = read_with(&message("text/plain", shallow.as_bytes().to_vec()), &spec);
    assert_eq!(read.gaps, []);
}
