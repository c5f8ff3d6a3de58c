//! Bodies with codings and charsets: read as what they hold, and written back as what they were.

use std::io::Write as _;

use flate2::{Compression, GzBuilder, write::GzEncoder};
use proptest::prelude::*;

use super::{super::content, reduction::drop_records, *};
use crate::model::{finding::GapKind, inspection::Budget};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut it = GzEncoder::new(Vec::new(), Compression::default());
    it.write_all(bytes).unwrap();
    it.finish().unwrap()
}

fn gzipped(content_type: &str, bytes: &[u8]) -> Message {
    with_field(
        message(content_type, gzip(bytes)),
        "content-encoding",
        b"gzip",
    )
}

fn gaps(message: &Message) -> Vec<GapKind> {
    read(message).gaps.iter().map(|it| it.kind).collect()
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

#[test]
fn spans_count_in_the_decoded_text() {
    let text = r#"{"имя":"Иван","m":"a@b.org"}"#;
    let (koi8, _, _) = encoding_rs::KOI8_R.encode(text);
    for it in [
        json(text),
        gzipped("application/json", text.as_bytes()),
        message("application/json; charset=koi8-r", koi8.to_vec()),
        gzipped("application/json; charset=koi8-r", &koi8),
        gzipped("text/plain", text.as_bytes()),
    ] {
        let inspection = read(&it);
        assert_eq!(inspection.gaps, []);
        let [finding] = &inspection.findings[..] else {
            panic!("one address")
        };
        assert_eq!(text.get(finding.span.clone()), Some("a@b.org"));
        assert_eq!(
            finding
                .location
                .path
                .as_deref()
                .map(normalized_path)
                .as_deref(),
            Some("$['m']")
        );
    }
    let it = message("application/json; charset=utf-16", utf16(text));
    let inspection = read(&it);
    let marked = format!("\u{feff}{text}");
    assert_eq!(inspection.gaps, [], "a byte order mark belongs to UTF-16");
    assert_eq!(
        marked.get(inspection.findings[0].span.clone()),
        Some("a@b.org")
    );
}

#[test]
fn what_can_be_read_around_a_fault_is_kept() {
    let mut it = gzipped("application/json", br#"{"m":"a@b.org","n":1}"#);
    it.body = it.body.slice(..it.body.len() - 1);
    let inspection = read(&it);
    assert_eq!(inspection.findings.len(), 1);
    assert_eq!(gaps(&it), [GapKind::Malformed]);
    let it = message("text/plain", b"a@b.org \xff c@d.org".as_slice());
    assert_eq!(read(&it).findings.len(), 2);
    assert_eq!(gaps(&it), [GapKind::UnsupportedCharset]);
}

#[test]
fn a_body_without_a_label_is_json_or_not_read() {
    assert_eq!(read(&message("", r#" {"m":"a@b.org"}"#)).findings.len(), 1);
    for body in [
        "a@b.org",
        "m=a%40b.org",
        "{m: a@b.org}",
        r#""a@b.org""#,
        "12",
    ] {
        assert_eq!(
            gaps(&message("", body)),
            [GapKind::UnsupportedMediaType],
            "{body}"
        );
    }
}

#[test]
fn a_mark_does_not_hide_that_a_text_is_json() {
    let it = message(
        "text/plain",
        "\u{feff}{\"to\":{\"name\":\"Ivan\",\"m\":\"a@b.org\"}}",
    );
    let paths: Vec<_> = read(&it).findings.iter().map(written_path).collect();
    assert_eq!(paths, ["$['to']['name']", "$['to']['m']"]);
    assert_eq!(gaps(&it), [GapKind::Ambiguous]);
}

fn written_path(finding: &Finding) -> String {
    normalized_path(finding.location.path.as_deref().unwrap())
}

#[test]
fn a_form_is_of_bytes_that_agree_with_ascii() {
    let label = |charset: &str| format!("application/x-www-form-urlencoded; charset={charset}");
    let it = message(&label("windows-1251"), b"a=\xc8\xe2&m=a%40b.org".as_slice());
    assert_eq!((read(&it).findings.len(), gaps(&it)), (1, vec![]));
    let it = message(&label("windows-1251"), b"a=%C8%E2&m=a%40b.org".as_slice());
    assert_eq!(
        gaps(&it),
        [GapKind::UnsupportedCharset],
        "escapes of another charset"
    );
    let it = message(&label("utf-16"), utf16("m=a"));
    assert_eq!(gaps(&it), [GapKind::UnsupportedCharset]);
}

#[test]
fn names_in_a_gzip_header_carry_nothing_out() {
    let with_name = |name: &str| {
        let mut it = GzBuilder::new()
            .filename(name)
            .write(Vec::new(), Compression::default());
        it.write_all(b"{}").unwrap();
        with_field(
            message("application/json", it.finish().unwrap()),
            "content-encoding",
            b"gzip",
        )
    };
    assert_eq!(gaps(&with_name("orders.json")), []);
    for name in [
        "991231100010",
        "a@b.org",
        "OTkxMjMxMTAwMDEw",
        "\u{438}\u{432}\u{430}\u{43d}.json",
    ] {
        let inspection = read(&with_name(name));
        assert_eq!(inspection.gaps.len(), 1, "{name}");
        assert_eq!(inspection.gaps[0].kind, GapKind::Opaque, "{name}");
        assert_eq!(inspection.findings, [], "spans count in the content alone");
    }
}

#[test]
fn undoing_a_coding_is_work() {
    let body = format!("[{}]", "1, ".repeat(30_000) + "1");
    let (plain, coded) = (json(&body), gzipped("application/json", body.as_bytes()));
    assert!(read(&coded).work >= read(&plain).work + body.len() as u64);
    let spec = PlanSpec {
        budget: Budget {
            work: body.len() as u64 - 1,
            ..Budget::default()
        },
        ..PlanSpec::default()
    };
    let kinds: Vec<_> = read_with(&coded, &spec)
        .gaps
        .iter()
        .map(|it| it.kind)
        .collect();
    assert_eq!(kinds, [GapKind::WorkExceeded]);
}

#[test]
fn a_reduced_body_goes_without_coding_in_its_own_charset() {
    let text = r#"["a@b.org", "Иван", {"b": "c@d.org"}]"#;
    let rest = r#"["Иван", {"b": "c@d.org"}]"#;
    let spec = PlanSpec {
        records: Some(body_selector("$[*]")),
        ..PlanSpec::default()
    };
    let reduced = |it: &Message| {
        let inspection = read_with(it, &spec);
        drop_records(it, &inspection, &[0]).unwrap()
    };
    let (koi8, _, _) = encoding_rs::KOI8_R.encode(text);
    let (koi8_rest, _, _) = encoding_rs::KOI8_R.encode(rest);
    for (it, expected) in [
        (
            gzipped("application/json", text.as_bytes()),
            rest.as_bytes().to_vec(),
        ),
        (
            gzipped("application/json; charset=koi8-r", &koi8),
            koi8_rest.to_vec(),
        ),
        (
            message("application/json; charset=utf-16", utf16(text)),
            utf16(rest),
        ),
    ] {
        let reduced = reduced(&it);
        assert_eq!(reduced.body, expected);
        assert!(!reduced.headers.contains_key("content-encoding"));
        assert_eq!(reduced.headers["content-type"], it.headers["content-type"]);
        assert_eq!(read_with(&reduced, &spec).findings.len(), 1);
    }
    // Shift_JIS writes this character in two ways: who knows which the recipient takes for which.
    let twice = [b"[\"a@b.org\",\"".as_slice(), b"\x87\x90\"]"].concat();
    let it = message("application/json; charset=shift_jis", twice);
    let inspection = read_with(&it, &spec);
    assert_eq!(inspection.gaps, []);
    let failure = drop_records(&it, &inspection, &[0]).unwrap_err();
    assert_eq!(failure.0, "its charset has no way back");
}

/// What a body decodes to, and how often it is damaged on the way.
#[derive(Clone, Debug)]
struct Sample {
    text: String,
    charset: &'static str,
    coding: &'static str,
    content_type: &'static str,
    damage: Option<(prop::sample::Index, u8)>,
}

fn samples() -> impl Strategy<Value = Sample> {
    let text = prop_oneof![
        r#"[\[\]{}:,"\\u00edИ8@.%+&= \n\x1e-]{0,60}"#,
        r#"(\{"m":"[a-c]@[a-c]\.org"\}[\n ]){0,5}"#,
    ];
    let charset = prop::sample::select(vec![
        "", "utf-8", "utf-16", "utf-16be", "koi8-r", "kz-1048", "gbk", "utf-7",
    ]);
    let coding = prop::sample::select(vec![
        "",
        "gzip",
        "deflate",
        "br",
        "zstd",
        "gzip, zstd",
        "identity",
    ]);
    let content_type = prop::sample::select(vec![
        "application/json",
        "application/x-ndjson",
        "application/json-seq",
        "application/x-www-form-urlencoded",
        "text/plain",
        "",
    ]);
    let damage = prop::option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>()));
    (text, charset, coding, content_type, damage).prop_map(|it| Sample {
        text: it.0,
        charset: it.1,
        coding: it.2,
        content_type: it.3,
        damage: it.4,
    })
}

/// The bytes of a sample, honest before the damage.
fn written_out(sample: &Sample) -> Message {
    let mut body = match sample.charset {
        "utf-16" => utf16(&sample.text),
        "utf-16be" => sample
            .text
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect(),
        "koi8-r" => encoding_rs::KOI8_R.encode(&sample.text).0.into_owned(),
        "gbk" => encoding_rs::GBK.encode(&sample.text).0.into_owned(),
        _ => sample.text.clone().into_bytes(),
    };
    for coding in sample.coding.split(", ") {
        body = match coding {
            "gzip" => gzip(&body),
            "zstd" => ::zstd::encode_all(&body[..], 1).unwrap(),
            "deflate" => {
                let mut it = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
                it.write_all(&body).unwrap();
                it.finish().unwrap()
            }
            "br" => {
                let mut out = Vec::new();
                ::brotli::BrotliCompress(&mut &body[..], &mut out, &Default::default()).unwrap();
                out
            }
            _ => body,
        };
    }
    if let (Some((at, byte)), false) = (&sample.damage, body.is_empty()) {
        let at = at.index(body.len());
        body[at] ^= byte;
    }
    let mut label = sample.content_type.to_owned();
    if !sample.charset.is_empty() && !label.is_empty() {
        label += &format!("; charset={}", sample.charset);
    }
    let it = message(&label, body);
    if sample.coding.is_empty() {
        it
    } else {
        with_field(it, "content-encoding", sample.coding.as_bytes())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_body_in_any_coding_and_charset_gives_an_inspection(sample in samples()) {
        let it = written_out(&sample);
        let inspection = read(&it);
        let opened = content::open(&it, &Budget::default()).content;
        let text = opened.ok().and_then(content::Content::into_text).unwrap_or_default();
        for finding in inspection.findings.iter().filter(|it| it.location.part == Part::Body) {
            prop_assert!(text.get(finding.span.clone()).is_some(), "{:?} of {}", finding.span, text.len());
        }
        prop_assert_eq!(read(&it), inspection, "reading twice gives the same");
    }

    /// A reduced body is one that can be read, in the charset of the old one, and holds what was to stay.
    #[test]
    fn what_is_written_back_reads_as_it_was(sample in samples()) {
        let it = written_out(&sample);
        let budget = Budget::default();
        let Ok(opened) = content::open(&it, &budget).content else { return Ok(()) };
        let content::Matter::Text(text) = &opened.matter else { return Ok(()) };
        let text = text.text.to_string();
        if let Ok(again) = opened.rewritten(&it, text.clone(), &budget) {
            prop_assert!(!again.headers.contains_key("content-encoding"));
            let reopened = content::open(&again, &budget).content.ok();
            prop_assert_eq!(reopened.and_then(content::Content::into_text).unwrap_or_default(), text);
        }
    }
}
