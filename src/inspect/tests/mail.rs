//! Mails: in bodies, parts and values; what is read of them, and what is doubtful.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE},
};
use proptest::prelude::*;
use serde_json::json as value;

use super::{super::Inspector, *};
use crate::model::{finding::GapKind, inspection::Budget};

/// A mail as a library writes it, its lines ended by `end`.
fn mail(end: &str) -> String {
    [
        "Received: from [10.0.0.1] by mx.example.com",
        "MIME-Version: 1.0",
        "From: =?utf-8?B?0JDQudCz0YPQu9GM?= <a@example.com>",
        "To: B B <b@example.com>,",
        " c@example.com",
        "Subject: =?utf-8?B?OTkxMjMx?= =?utf-8?B?MTAwMDEw?=",
        "Message-ID: <CAF.1234567890.x1@mail.example.com>",
        "Content-Type: multipart/mixed;",
        "\tboundary=\"B B\"",
        "",
        "This is a message in parts.",
        "--B B",
        "Content-Type: multipart/alternative; boundary=C",
        "",
        "--C",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "d@exam=",
        "ple.com",
        "--C",
        "Content-Type: text/html",
        "",
        "<p> e@example.com </p>",
        "--C--",
        "--B B",
        "Content-Type: text/plain; charset=koi8-r",
        "Content-Transfer-Encoding: base64",
        "",
        // "4cog ZkBleGFtcGxlLmNvbQ==": two letters of KOI8-R and an address.
        "4cogZkBleGFtcGxlLmNvbQ==",
        "--B B",
        "Content-Type: message/rfc822",
        "",
        "Subject: g@example.com",
        "",
        "x",
        "--B B--",
        "",
    ]
    .join(end)
}

/// Addresses and numbers found in `it`, and the gaps.
fn found(it: &Message) -> (Vec<String>, Vec<GapKind>) {
    let inspection = read(it);
    let persons = inspection.persons.iter();
    let identifiers = persons.flat_map(|it| &it.identifiers);
    let mut found: Vec<String> = identifiers
        .map(|it| it.value.clone().into_exposed())
        .collect();
    found.sort();
    found.dedup();
    (found, inspection.gaps.iter().map(|it| it.kind).collect())
}

fn all() -> Vec<String> {
    let mut all = vec!["991231100010".to_owned()];
    all.extend(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(|it| format!("{it}@example.com")));
    all
}

#[test]
fn a_mail_is_read_wherever_mailing_services_take_it() {
    for end in ["\r\n", "\n"] {
        let mail = mail(end);
        let plain = serde_json::to_string(&mail).unwrap();
        let sealed = BASE64_STANDARD.encode(&mail);
        let url = BASE64_URL_SAFE.encode(&mail);
        let escaped = url.replace('=', "%3D");
        for it in [
            message("message/rfc822", mail.clone()),
            message("text/plain", sealed.clone()),
            json(&format!(r#"{{"raw":"{url}"}}"#)),
            json(&format!(r#"{{"Content":{{"Raw":{{"Data":"{sealed}"}}}}}}"#)),
            json(&format!(r#"{{"content":{{"email_rfc822":{plain}}}}}"#)),
            message(
                "application/x-www-form-urlencoded",
                format!("Action=SendRawEmail&RawMessage.Data={escaped}"),
            ),
            message(
                "text/xml",
                format!("<m><MimeContent>{sealed}</MimeContent></m>"),
            ),
            message(
                "multipart/form-data; boundary=F",
                format!(
                    "--F\r\nContent-Disposition: form-data; name=\"message\"; filename=\"m.mime\"\r\n\
                     Content-Type: application/octet-stream\r\n\r\n{mail}\r\n--F--\r\n"
                ),
            ),
        ] {
            let (values, gaps) = found(&it);
            for value in all() {
                assert!(values.contains(&value), "{value}: {values:?}");
            }
            assert_eq!(gaps, [], "{:?}", it.headers);
        }
    }
}

#[test]
fn what_is_found_is_named_by_field_and_part() {
    let it = message("message/rfc822", mail("\n"));
    let inspection = read(&it);
    let places: Vec<String> = inspection
        .findings
        .iter()
        .map(|found| {
            let path = found.location.path.as_deref().map(normalized_path);
            path.unwrap_or_default()
        })
        .collect();
    for place in [
        "$['from'][0]['name']",
        "$['to'][1]['address']",
        "$['subject']",
        "$['parts'][0]['parts'][0]['body']",
        "$['parts'][1]['body']",
    ] {
        assert!(places.iter().any(|it| it == place), "{place}: {places:?}");
    }
}

#[test]
fn requests_of_a_batch_are_read() {
    let request = "POST /v1/a@example.com?to=b%40example.com HTTP/1.1\r\nX-By: c@example.com\r\n\
                   Content-Type: application/json\r\nContent-Length: 22\r\n\r\n{\"iin\":\"991231100010\"}";
    let part = format!("Content-Type: application/http\r\nContent-ID: <1>\r\n\r\n{request}\r\n");
    let nested = format!("Content-Type: multipart/mixed; boundary=C\r\n\r\n--C\r\n{part}--C--\r\n");
    let expected = [
        "991231100010",
        "a@example.com",
        "b@example.com",
        "c@example.com",
    ];
    for part in [part, nested] {
        let body = format!("--B\r\n{part}--B--\r\n");
        let (values, gaps) = found(&message("multipart/mixed; boundary=B", body));
        for value in expected {
            assert!(values.iter().any(|it| it == value), "{value}: {values:?}");
        }
        assert_eq!(gaps, []);
    }
    let coded = "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
    let (_, gaps) = found(&message("application/http", coded));
    assert!(gaps.contains(&GapKind::UnsupportedCoding), "{gaps:?}");
}

#[test]
fn what_mail_readers_take_in_two_ways_is_a_gap() {
    for (text, gap) in [
        ("Subject : a\n\nb", GapKind::Ambiguous),
        ("Subject: a\rTo: c\n\nb", GapKind::Ambiguous),
        ("Subject: a\nno field\n\nb", GapKind::Malformed),
        (
            "Content-Type: text/plain\nContent-Type: image/png\n\nb",
            GapKind::Ambiguous,
        ),
        (
            "Content-Transfer-Encoding: x-own\n\nb",
            GapKind::UnsupportedCoding,
        ),
        ("Content-Transfer-Encoding: base64\n\n*", GapKind::Malformed),
        (
            "Content-Transfer-Encoding: quoted-printable\n\n=4",
            GapKind::Malformed,
        ),
        (
            "Content-Type: multipart/mixed\n\n--B\n\nb\n--B--",
            GapKind::Malformed,
        ),
        (
            "Content-Type: multipart/mixed; boundary=B\n\n--B\n\nb",
            GapKind::Malformed,
        ),
        (
            "Content-Type: multipart/mixed; boundary=B\n\n--B\n\nb\n--BB\n--B--",
            GapKind::Ambiguous,
        ),
        (
            "Subject: =?x-none?B?OTkx?=\n\nb",
            GapKind::UnsupportedCharset,
        ),
        (
            "Content-Type: text/plain; charset=utf-7\n\nb",
            GapKind::UnsupportedCharset,
        ),
        ("Content-Type: application/pdf\n\n%PDF-", GapKind::Opaque),
        ("To: \"a\n\nb", GapKind::Malformed),
    ] {
        let (_, gaps) = found(&message("message/rfc822", text));
        assert!(gaps.contains(&gap), "{text:?}: {gaps:?}");
    }
}

#[test]
fn what_is_written_is_read_whatever_its_encoding_comes_to() {
    for text in [
        "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: base64\n\n991231100010",
        "Content-Transfer-Encoding: x-own\n\n991231100010",
        "Content-Type: image/png\n\n991231100010",
        "Content-Type: multipart/mixed; boundary=B\n\n991231100010 \n--B\n\n--B--",
        "Subject: =?iso-8859-1?B?OTkx?= 991231100010\n\nb",
        "no field 991231100010\n\nb",
        "X-991231100010: a\n\nb",
    ] {
        let it = message("message/rfc822", text);
        let findings = read(&it).findings;
        let is_number = findings
            .iter()
            .any(|it| it.category == Category::NationalId);
        let is_key = text.starts_with("X-");
        assert!(is_number || is_key, "{text:?}");
    }
}

#[test]
fn encoded_words_are_read_in_any_value() {
    let (values, gaps) = found(&json(
        r#"{"a":"=?utf-8?B?OTkxMjMx?= =?utf-8?B?MTAwMDEw?="}"#,
    ));
    assert_eq!((values, gaps), (vec!["991231100010".to_owned()], vec![]));
    let (_, gaps) = found(&json(r#"{"a":"=?x-none?B?gYKDhIWGh4g=?="}"#));
    assert_eq!(gaps, [GapKind::Opaque]);
}

#[test]
fn mails_in_mails_end_at_the_depth_of_the_plan() {
    let mut text = "Subject: a\n\nx".to_owned();
    for _ in 0..100 {
        text = format!("Content-Type: message/rfc822\n\n{text}");
    }
    let (_, gaps) = found(&message("message/rfc822", text));
    assert_eq!(gaps, [GapKind::DepthExceeded]);
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd(pieces in proptest::collection::vec(prop_oneof![
        "[ -~]{0,12}",
        Just("\n".to_owned()), Just("\r\n".to_owned()), Just("\r".to_owned()), Just("--B\n".to_owned()),
        Just("--B--".to_owned()), Just("Content-Type: multipart/mixed; boundary=B\n".to_owned()),
        Just("Content-Transfer-Encoding: base64\n".to_owned()), Just("=?utf-8?Q?=D0".to_owned()),
        Just("?=".to_owned()), Just("To: \"(<a@b".to_owned()), Just("\u{416}".to_owned()),
    ], 0..40)) {
        let text = pieces.concat();
        for label in ["message/rfc822", "application/http", "text/plain"] {
            let it = message(label, text.clone());
            let inspection = read(&it);
            prop_assert!(inspection.findings.iter().all(|found| found.span.end <= text.len()));
        }
    }
}

/// Whoever puts mail of a charset of one byte a character into base64 does not say so outside.
#[test]
fn a_mail_in_base64_is_read_in_the_charsets_of_its_parts() {
    for (charset, text) in [
        (
            "windows-1251",
            "\u{424}\u{418}\u{41e}: \u{421}\u{430}\u{43f}\u{430}\u{440}\u{43e}\u{432}\u{430} \u{410}\u{439}\u{433}\u{443}\u{43b}\u{44c}",
        ),
        (
            "koi8-r",
            "\u{424}\u{418}\u{41e}: \u{421}\u{430}\u{43f}\u{430}\u{440}\u{43e}\u{432}\u{430} \u{410}\u{439}\u{433}\u{443}\u{43b}\u{44c}",
        ),
        ("iso-8859-1", "Full name: Jos\u{e9} N\u{fa}\u{f1}ez"),
    ] {
        let encoding = encoding_rs::Encoding::for_label(charset.as_bytes()).unwrap();
        let (content, _, is_lossy) = encoding.encode(text);
        assert!(!is_lossy, "{charset}");
        let fields = format!(
            "From: shop@example.com\r\nTo: list:;\r\nContent-Type: text/plain; charset={charset}\r\n\r\n"
        );
        let mail = [fields.as_bytes(), &content, b"\r\n"].concat();
        for body in [
            value!({ "raw": BASE64_URL_SAFE.encode(&mail) }),
            value!({ "RawMessage": { "Data": BASE64_STANDARD.encode(&mail) } }),
        ] {
            let it = message("application/json", body.to_string());
            let inspection = Inspector::default().inspect(&it, &Plan::default());
            let found: Vec<_> = inspection
                .findings
                .iter()
                .map(|it| it.category.code())
                .collect();
            assert!(
                found.iter().any(|it| it.starts_with("name")),
                "{charset}: {found:?}"
            );
            assert_eq!(inspection.gaps, [], "{charset}");
        }
    }
}

/// Whatever is odd in it, a mailing service undoes the base64 all the same.
#[test]
fn a_mail_in_base64_is_read_whatever_its_bytes_are() {
    let mail = b"Subject: a\x01b\nMIME-Version: 1.0\n\n\x01 991231100010";
    let (values, gaps) = found(&json(
        &value!({ "raw": BASE64_STANDARD.encode(mail) }).to_string(),
    ));
    assert_eq!(values, ["991231100010"]);
    assert!(gaps.contains(&GapKind::Ambiguous), "{gaps:?}");
}

/// What a sender veils in a part counts, not how the mail is written around it.
#[test]
fn transfer_encodings_are_no_veils() {
    let veiled = |times: usize| {
        let mut content = "991231100010".to_owned();
        for _ in 0..times {
            content = BASE64_STANDARD.encode(content);
        }
        let content = BASE64_STANDARD.encode(format!("note: {content}"));
        let mail = format!(
            "MIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{content}\n"
        );
        found(&json(
            &value!({ "raw": BASE64_URL_SAFE.encode(mail) }).to_string(),
        ))
    };
    for times in 0..=3 {
        assert_eq!(
            veiled(times),
            (vec!["991231100010".to_owned()], vec![]),
            "{times}"
        );
    }
    assert_eq!(veiled(4), (vec![], vec![GapKind::DepthExceeded]));
}

/// Mails in mails, each veiled, end at the depth of the plan.
#[test]
fn veiled_mails_in_mails_are_bounded() {
    let mut text = "Subject: a\nMIME-Version: 1.0\n\n991231100010".to_owned();
    for _ in 0..14 {
        let inner = BASE64_STANDARD.encode(text);
        text = format!("Subject: a\nMIME-Version: 1.0\n\n{inner}");
    }
    let spec = PlanSpec {
        budget: Budget {
            depth: 12,
            ..Budget::default()
        },
        ..PlanSpec::default()
    };
    let inspector = Inspector::default();
    let plan = inspector.compile(&spec).unwrap();
    let inspection = inspector.inspect(&message("message/rfc822", text), &plan);
    let gaps: Vec<_> = inspection.gaps.iter().map(|it| it.kind).collect();
    assert_eq!(gaps, [GapKind::DepthExceeded]);
}

/// A line that is broken in an address leaves the end of it, which is nobody's.
#[test]
fn a_broken_line_makes_no_address_of_the_end_of_one() {
    let read = |content: &str| {
        let mail = format!(
            "MIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n{content}\n"
        );
        let inspection =
            Inspector::default().inspect(&message("message/rfc822", mail), &Plan::default());
        let sure = |it: &&Finding| it.confidence >= Confidence::High;
        inspection.findings.iter().filter(sure).count()
    };
    assert_eq!(read("write to suppo=\nrt@example.com, please"), 0);
    assert_eq!(read("write to aig=\nul@example.com, please"), 1);
    // Whoever does not undo it sees another person.
    assert_eq!(
        read("write to =\naigul@example.com, not to support@example.com"),
        1
    );
    assert_eq!(
        read("support@example.co=6D, aigul@example.com=\n.invalid"),
        2
    );
}
