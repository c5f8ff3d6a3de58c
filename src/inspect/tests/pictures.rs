//! Pictures, templates of biometrics and sealed files: what their first bytes and their keys say.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::*;
use crate::{
    inspect::{Inspector, detect::BY_KEY},
    model::{finding::GapKind, inspection::Inspection},
};

const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
const FINGERPRINT: &[u8] = b"FMR\0 20\0\0\0\0\x1a\0\0\x01\0\x01\0\0\xc5\0\xc5";

fn armoured(start: &[u8]) -> String {
    BASE64_STANDARD.encode([start, &[0; 900]].concat())
}

fn scan(message: &Message) -> Inspection {
    Inspector::default().inspect(message, &Plan::default())
}

#[track_caller]
fn check(message: &Message, found: &[(Category, Confidence)], gaps: &[GapKind]) {
    let inspection = scan(message);
    let seen = inspection.findings.iter();
    let seen: Vec<_> = seen.map(|it| (it.category, it.confidence)).collect();
    assert_eq!(seen, found);
    let seen: Vec<_> = inspection.gaps.iter().map(|it| it.kind).collect();
    assert_eq!(seen, gaps);
    for finding in inspection.findings {
        assert!(finding.span.end <= message.body.len());
    }
}

#[test]
fn a_picture_under_a_key_of_photos_is_one() {
    use Category::*;
    let certain = Confidence::Certain;
    let jpeg = armoured(JPEG);
    let body = json(&format!(r#"{{"selfie_image":"{jpeg}"}}"#));
    check(&body, &[(Photo, certain)], &[GapKind::Opaque]);
    let inspection = scan(&body);
    assert_eq!(inspection.findings[0].detector, BY_KEY);
    assert_eq!(covered(&body, &inspection.findings[0]), jpeg);
    let url = json(&format!(r#"{{"avatar":"data:image/jpeg;base64,{jpeg}"}}"#));
    check(&url, &[(Photo, certain)], &[GapKind::Opaque]);
    let face = json(&format!(r#"{{"biometric_template":"{jpeg}"}}"#));
    check(&face, &[(Biometric, certain)], &[GapKind::Opaque]);
    // Under a key that says nothing, nobody knows whose it is.
    let other = json(&format!(r#"{{"content":"{jpeg}"}}"#));
    check(&other, &[], &[GapKind::Opaque]);
}

#[test]
fn a_key_that_may_mean_another_picture_needs_a_person() {
    let jpeg = armoured(JPEG);
    let product = json(&format!(
        r#"{{"product":{{"image":{{"attachment":"{jpeg}"}}}}}}"#
    ));
    check(
        &product,
        &[(Category::Photo, Confidence::Low)],
        &[GapKind::Opaque],
    );
    let person = json(&format!(r#"{{"email":"a@example.org","photo":"{jpeg}"}}"#));
    let found = [
        (Category::Email, Confidence::Certain),
        (Category::Photo, Confidence::Certain),
    ];
    check(&person, &found, &[GapKind::Opaque]);
}

#[test]
fn compressed_text_in_base64_is_read() {
    use std::io::Write as _;
    let packed = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        let text = BASE64_STANDARD.encode(encoder.finish().unwrap());
        json(&format!(r#"{{"data":"{text}"}}"#))
    };
    let found = [(Category::NationalId, Confidence::Certain)];
    check(&packed(br#"{"iin":"991231100010"}"#), &found, &[]);
    check(&packed(br#"{"iin":"none of them"}"#), &[], &[]);
    let noise: Vec<u8> = (0..200_u8).map(|it| it.wrapping_mul(101) ^ 0xd5).collect();
    check(&packed(&noise), &[], &[GapKind::Opaque]);
    check(&packed(&noise[..20]), &[], &[]);
    // Cut off: what follows is not known.
    let mut cut = packed(&[b'a'; 90_000]);
    let at = cut.body.len() - 12;
    cut.body = [&cut.body[..at], b"\"}"].concat().into();
    check(&cut, &[], &[GapKind::Malformed]);
}

#[test]
fn a_template_of_biometrics_says_so_itself() {
    use Category::*;
    let print = armoured(FINGERPRINT);
    let body = json(&format!(r#"{{"data":"{print}"}}"#));
    check(&body, &[(Biometric, Confidence::High)], &[]);
    let text = armoured(b"Firmware of 2026-11-25: ");
    check(&json(&format!(r#"{{"data":"{text}"}}"#)), &[], &[]);
}

#[test]
fn parts_that_are_pictures_are_told_by_their_names() {
    use Category::*;
    let part = |name: &str| {
        let head = format!(
            "--B\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.jpg\"\r\n\
             Content-Type: image/jpeg\r\n\r\n"
        );
        let body = [head.as_bytes(), JPEG, b"\r\n--B--\r\n"].concat();
        message("multipart/form-data; boundary=B", body)
    };
    check(
        &part("selfie"),
        &[(Photo, Confidence::Certain)],
        &[GapKind::Opaque],
    );
    check(&part("chart"), &[], &[GapKind::Opaque]);
}

#[test]
fn sealed_and_unreadable_files_are_gaps_wherever_they_stand() {
    let starts: [&[u8]; 6] = [
        b"%PDF-1.7\n",
        b"PK\x03\x04\x14\0\x09\0",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\x30\x82\x04\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0",
        b"age-encryption.org/v1\n-> X25519 ",
        b"Salted__\x8f\x01",
    ];
    for start in starts {
        let file = armoured(start);
        check(
            &json(&format!(r#"{{"attachment":"{file}"}}"#)),
            &[],
            &[GapKind::Opaque],
        );
    }
    for text in [
        "-----BEGIN PGP MESSAGE-----\\n\\nhQEMA9\\n-----END PGP MESSAGE-----",
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6ji.XFBoMYUZodetZdvTiFvSkQ",
        "-----BEGIN AGE ENCRYPTED FILE-----\\nYWdl",
    ] {
        check(
            &json(&format!(r#"{{"note":"{text}"}}"#)),
            &[],
            &[GapKind::Opaque],
        );
    }
}

#[test]
fn a_label_that_does_not_fit_its_bytes_opens_nothing() {
    for (label, start) in [
        ("text/plain", b"%PDF-1.7\n%\xe2\xe3".as_slice()),
        ("application/json", b"PK\x03\x04\x14\0\0\0"),
        ("text/csv", b"\xff\xd8\xff\xe0\0\x10JFIF\0"),
        ("application/x-protobuf", b"PK\x03\x04\x14\0\0\0"),
        (
            "application/x-www-form-urlencoded",
            b"\x1f\x8b\x08\0\0\0\0\0",
        ),
    ] {
        let inspection = scan(&message(label, start));
        assert_ne!(inspection.gaps, [], "{label}");
    }
}
