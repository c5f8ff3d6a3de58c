use serde_json::Value;

use super::*;

fn answer(input: &str) -> (Vec<Value>, Summary) {
    let mut out = Vec::new();
    let summary = Scanner::new()
        .unwrap()
        .lines(input.as_bytes(), &mut out)
        .unwrap();
    let lines = out
        .split(|it| *it == b'\n')
        .filter(|it| !it.is_empty())
        .map(|it| serde_json::from_slice(it).unwrap())
        .collect();
    (lines, summary)
}

#[test]
fn a_line_is_answered_with_place_and_code_points() {
    let body = r#"{"имя":"Әсел","email":"aru@example.org"}"#;
    let line = serde_json::json!({"id": 7, "content_type": "application/json", "body": body});
    let (lines, summary) = answer(&line.to_string());
    assert!(summary.has_sure && !summary.has_bad_line);
    assert_eq!(lines[0]["id"], 7);
    let email = lines[0]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["category"] == "email")
        .unwrap();
    assert_eq!(email["path"], "$['email']");
    assert_eq!(email["part"], "body");
    assert_eq!(email["in"], "value");
    assert_eq!(email["confidence"], "certain");
    let (start, end) = (
        email["start"].as_u64().unwrap(),
        email["end"].as_u64().unwrap(),
    );
    let found: String = body
        .chars()
        .skip(usize::try_from(start).unwrap())
        .take(usize::try_from(end - start).unwrap())
        .collect();
    assert_eq!(found, "aru@example.org");
}

/// Offsets count in the text that the body decodes to, whatever its coding and charset.
#[test]
fn a_coded_body_is_answered_with_code_points_of_its_text() {
    let body = r#"{"имя":"Иван","email":"aru@example.org"}"#;
    let (koi8, _, _) = encoding_rs::KOI8_R.encode(body);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&koi8).unwrap();
    let line = serde_json::json!({
        "content_type": "application/json; charset=koi8-r",
        "content_encoding": "gzip",
        "body_base64": STANDARD.encode(encoder.finish().unwrap()),
    });
    let (lines, _) = answer(&line.to_string());
    let findings = lines[0]["findings"].as_array().unwrap();
    let email = findings
        .iter()
        .find(|it| it["category"] == "email")
        .unwrap();
    assert_eq!((&email["start"], &email["end"]), (&23.into(), &38.into()));
    assert_eq!(lines[0]["gaps"], serde_json::json!([]));
}

#[test]
fn a_query_is_split_from_the_path() {
    let line = r#"{"id":"q","method":"GET","path":"/find?email=aru@example.org"}"#;
    let (lines, _) = answer(line);
    assert_eq!(lines[0]["findings"][0]["part"], "query");
    assert_eq!(lines[0]["findings"][0]["name"], "email");
}

#[test]
fn wrong_lines_are_named_and_the_rest_goes_on() {
    let input = "{\"id\":\"a\",\"body\":5}\nnot json\n\n{\"id\":\"b\",\"body_base64\":\"?\"}\n{\"id\":\"c\",\"content_type\":\"text/plain\",\"body\":\"ok\"}\n";
    let (lines, summary) = answer(input);
    assert!(summary.has_bad_line);
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0]["id"], "a");
    assert!(lines[0]["error"].as_str().unwrap().starts_with("line 1:"));
    assert_eq!(lines[1]["id"], Value::Null);
    assert!(lines[2]["error"].as_str().unwrap().contains("base64"));
    assert_eq!(lines[3]["findings"], serde_json::json!([]));
}

#[test]
fn a_table_names_places_and_never_values() {
    let mut out = Vec::new();
    let content = br#"{"user":{"email":"aru@example.org"}}"#.to_vec();
    let summary = Scanner::new()
        .unwrap()
        .file(content, ("application/json", None), Format::Text, &mut out)
        .unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(summary.has_sure);
    assert!(text.contains("$['user']['email']"), "{text}");
    assert!(text.contains("certain") && !text.contains("aru@"), "{text}");
}

#[test]
fn what_is_not_read_is_never_called_nothing() {
    let file = |content: &[u8], label| {
        let mut out = Vec::new();
        let scanner = Scanner::new().unwrap();
        let summary = scanner
            .file(content.to_vec(), label, Format::Text, &mut out)
            .unwrap();
        (String::from_utf8(out).unwrap(), summary.has_gap)
    };
    let (text, has_gap) = file(b"%PDF-1.7 \xff", ("application/pdf", None));
    assert!(
        has_gap && !text.contains("No personal data found"),
        "{text}"
    );
    assert!(text.contains("--content-type"), "{text}");
    let (text, has_gap) = file(b"\x1f\x8b", ("text/csv", Some("gzip")));
    assert!(has_gap, "{text}");
    let (text, has_gap) = file(b"ok", ("text/plain", None));
    assert_eq!((&*text, has_gap), ("No personal data found.\n", false));
}

#[test]
fn levels_are_explained_as_the_documentation_has_them() {
    let docs = include_str!("../../../docs/detection.md");
    let levels = [
        Confidence::Low,
        Confidence::Medium,
        Confidence::High,
        Confidence::Certain,
    ];
    for level in levels {
        let row = format!("| `{}` | {} |", level.as_str(), level.meaning());
        assert!(docs.contains(&row), "{row}");
    }
    let mut out = Vec::new();
    let content = br#"{"order_id":"991231100010"}"#.to_vec();
    let scanner = Scanner::new().unwrap();
    scanner
        .file(content, ("application/json", None), Format::Text, &mut out)
        .unwrap();
    let text = String::from_utf8(out).unwrap();
    let wanted = format!("medium: {}\n", Confidence::Medium.meaning());
    assert!(text.ends_with(&wanted), "{text}");
}
