//! The targets of formats that are text. The first byte of an input chooses among variants, the rest is the text.

use std::io::Write as _;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::{
    checks,
    inspect::{
        detect::{Detectors, Field, KeyHint, ValueKind},
        key_names::KeyNames,
    },
    marks::{self, MAIL},
    model::{finding::Finding, inspection::Inspection, message::Message},
};

/// A request with a body of this type.
pub(crate) fn message(content_type: &str, body: &[u8]) -> Message {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(content_type) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    Message {
        method: Method::POST,
        path: "/".to_owned(),
        query: None,
        headers,
        body: Bytes::copy_from_slice(body),
        trailers: HeaderMap::new(),
    }
}

fn choice<'t>(table: &[&'t str], byte: u8) -> &'t str {
    table[usize::from(byte) % table.len()]
}

/// JSON, JSON lines, JSON sequences; and the twin that another writer would have made of the same document.
pub fn json(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else {
        return;
    };
    let types = [
        "application/json",
        "application/x-ndjson",
        "application/json-seq",
        "text/plain",
        "application/json; charset=utf-8",
    ];
    let label = choice(&types, *kind);
    let read = checks::read(&message(label, body));
    let Ok(text) = std::str::from_utf8(body) else {
        return;
    };
    if label.starts_with("application/json") && !label.ends_with("seq") {
        json_twin(label, text, &read);
        json_mark(label, text);
    }
}

/// The document with every character of its strings escaped holds the same.
fn json_twin(label: &str, text: &str, read: &Inspection) {
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() || !read.gaps.is_empty() {
        return;
    }
    let mut twin = String::with_capacity(text.len() * 6);
    let mut in_string = false;
    let mut chars = text.chars();
    while let Some(ch) = chars.next() {
        match ch {
            '"' => {
                in_string = !in_string;
                twin.push(ch);
            }
            '\\' => {
                twin.push(ch);
                twin.extend(chars.next());
            }
            _ if in_string => {
                for unit in ch.encode_utf16(&mut [0; 2]) {
                    twin += &format!("\\u{unit:04x}");
                }
            }
            _ => twin.push(ch),
        }
    }
    same(
        read,
        &checks::read(&message(label, twin.as_bytes())),
        "escaped JSON",
    );
}

/// What serde reads as a member with the mark is found.
fn json_mark(label: &str, text: &str) {
    for (at, byte) in text.bytes().enumerate().filter(|it| it.1 == b'{').take(3) {
        debug_assert_eq!(byte, b'{');
        for member in [format!("\"q7\":\"{MAIL}\","), format!("\"{MAIL}\":1,")] {
            let marked = marks::spliced(text.as_bytes(), at + 1, &member);
            if serde_json::from_slice::<serde::de::IgnoredAny>(&marked).is_ok() {
                marks::stands(&message(label, &marked), "a member of JSON");
            }
        }
    }
}

/// Whether two writings of one thing have the same findings, wherever their bytes are.
pub(crate) fn same(one: &Inspection, other: &Inspection, what: &str) {
    if !other.gaps.is_empty() {
        return;
    }
    let key = |it: &Finding| (it.category, it.detector, it.confidence, it.location.clone());
    let mut left: Vec<_> = one.findings.iter().map(key).collect();
    let mut right: Vec<_> = other.findings.iter().map(key).collect();
    left.sort();
    right.sort();
    assert!(left == right, "{what}: {left:?} and {right:?}");
}

/// Head and form: path, query, fields, cookies, trailers and a form body, written as one message of HTTP/1.
pub fn form(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let target = lines.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut it = message("application/x-www-form-urlencoded", body.as_bytes());
    it.path = format!("/{}", path.trim_start_matches('/'));
    it.query = Some(query.to_owned()).filter(|it| !it.is_empty());
    let mut in_trailer = false;
    for line in lines {
        if line == "--" {
            in_trailer = true;
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let name = HeaderName::from_bytes(name.trim().as_bytes());
        let value = HeaderValue::from_bytes(value.trim().as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            let fields = if in_trailer {
                &mut it.trailers
            } else {
                &mut it.headers
            };
            if name == header::CONTENT_TYPE && !in_trailer {
                fields.insert(name, value);
            } else {
                fields.append(name, value);
            }
        }
    }
    checks::read(&it);
    let pair = format!("q7={}", MAIL.replace('@', "%40"));
    let mut marked = it.clone();
    marked.query = Some(format!("{query}&{pair}"));
    marks::stands(&marked, "a parameter");
    let mut marked = it.clone();
    let value = HeaderValue::from_str(&format!("q7={MAIL}")).expect("ASCII");
    marked.headers.append(header::COOKIE, value);
    marks::stands(&marked, "a cookie");
    let label = it.headers.get(header::CONTENT_TYPE);
    if label.is_some_and(|it| it == "application/x-www-form-urlencoded") {
        let mut marked = it.clone();
        marked.body = Bytes::from(format!("{body}&{pair}"));
        marks::stands(&marked, "a field of a form");
    }
}

/// Multipart bodies.
pub fn multipart(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else {
        return;
    };
    let types = [
        "multipart/form-data; boundary=b7MA4",
        "multipart/mixed; boundary=b7MA4",
        "multipart/related; boundary=\"b7MA4\"; type=\"text/xml\"",
        "multipart/form-data; boundary=b7MA4; charset=windows-1251",
    ];
    let label = choice(&types, *kind);
    checks::read(&message(label, body));
    let part = format!("--b7MA4\r\nContent-Disposition: form-data; name=\"q7\"\r\n\r\n{MAIL}\r\n");
    let first = [part.as_bytes(), body].concat();
    marks::stands(&message(label, &first), "the first part");
    let last = [body, b"\r\n", part.as_bytes(), b"--b7MA4--\r\n"].concat();
    marks::stands(&message(label, &last), "the last part");
}

/// XML and SOAP.
pub fn xml(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else {
        return;
    };
    let types = [
        "application/xml",
        "text/xml; charset=utf-8",
        "application/soap+xml",
        "image/svg+xml",
    ];
    let label = choice(&types, *kind);
    checks::read(&message(label, body));
    let ends = body.iter().enumerate().filter(|it| *it.1 == b'>');
    for (at, _) in ends.take(3) {
        for mark in [
            format!("<q7>{MAIL}</q7>"),
            format!("<q7 a='{MAIL}'/>"),
            format!("<!--{MAIL}-->"),
        ] {
            let marked = marks::spliced(body, at + 1, &mark);
            marks::stands(&message(label, &marked), "an element, attribute or comment");
        }
    }
}

/// Tables.
pub fn csv(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else {
        return;
    };
    let types = [
        "text/csv",
        "text/tab-separated-values",
        "text/csv; header=absent",
        "text/csv; charset=utf-8; header=present",
    ];
    let label = choice(&types, *kind);
    checks::read(&message(label, body));
    let marked = [body, b"\n", MAIL.as_bytes(), b"\n"].concat();
    marks::stands(&message(label, &marked), "a last row");
    let at = memchr::memchr2(b',', b'\t', body).map_or(0, |it| it + 1);
    let delimiter = body.get(at.wrapping_sub(1)).copied().unwrap_or(b',');
    let cell = format!("{MAIL}{}", char::from(delimiter));
    marks::stands(&message(label, &marks::spliced(body, at, &cell)), "a cell");
}

const CHARSETS: [&str; 20] = [
    "utf-8",
    "utf-16",
    "utf-16le",
    "utf-16be",
    "windows-1251",
    "windows-1252",
    "koi8-r",
    "ibm866",
    "iso-8859-5",
    "iso-8859-1",
    "kz-1048",
    "ptcp154",
    "gb18030",
    "gbk",
    "big5",
    "shift_jis",
    "iso-2022-jp",
    "euc-kr",
    "utf-32",
    "x-user-defined",
];

const CODINGS: [&str; 8] = [
    "gzip",
    "deflate",
    "br",
    "zstd",
    "gzip, br",
    "deflate, gzip",
    "x-gzip",
    "zstd, zstd",
];

/// Charsets and content codings: bytes under a label, and the text under a label that packs it as its sender would.
pub fn content(data: &[u8]) {
    let [how, which, body @ ..] = data else {
        return;
    };
    let charset = choice(&CHARSETS, *which);
    let kinds = [
        "application/json",
        "text/plain",
        "text/csv",
        "application/xml",
    ];
    let kind = choice(&kinds, *which / 32);
    let label = format!("{kind}; charset={charset}");
    if how % 4 == 0 {
        checks::read(&message(&label, body));
        charset_twin(body, charset);
        return;
    }
    let coding = choice(&CODINGS, *how / 4);
    let mut packed = message("application/json", body);
    packed
        .headers
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    if how % 4 == 1 {
        checks::read(&packed);
        return;
    }
    // Packed by the sender, with rubbish after it in one of two.
    let plain = message("application/json", body);
    let read = checks::read(&plain);
    let (name, mut bytes) = pack(*how / 4, body);
    packed
        .headers
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    if how % 4 == 3 {
        bytes.extend_from_slice(MAIL.as_bytes());
        packed.body = Bytes::from(bytes);
        let read = checks::read(&packed);
        assert!(
            !read.gaps.is_empty(),
            "{name}: bytes after the end are no gap"
        );
        return;
    }
    packed.body = Bytes::from(bytes);
    let unpacked = checks::read(&packed);
    if unpacked.gaps.is_empty() {
        assert!(
            read.findings == unpacked.findings,
            "{name}: packed, it reads otherwise"
        );
    }
}

fn pack(how: u8, body: &[u8]) -> (&'static str, Vec<u8>) {
    let level = flate2::Compression::fast();
    let written = "a vector takes all bytes";
    match how % 3 {
        0 => {
            let mut it = flate2::write::GzEncoder::new(Vec::new(), level);
            it.write_all(body).expect(written);
            ("gzip", it.finish().expect(written))
        }
        1 => {
            let mut it = flate2::write::ZlibEncoder::new(Vec::new(), level);
            it.write_all(body).expect(written);
            ("deflate", it.finish().expect(written))
        }
        _ => ("zstd", zstd::bulk::compress(body, 1).expect(written)),
    }
}

/// A text that a charset can write holds the same in it as in UTF-8.
fn charset_twin(body: &[u8], charset: &str) {
    let (Ok(text), Some(encoding)) = (
        std::str::from_utf8(body),
        encoding_rs::Encoding::for_label(charset.as_bytes()),
    ) else {
        return;
    };
    let (bytes, used, lossy) = encoding.encode(text);
    if lossy || used != encoding || !text.is_ascii() && encoding.name().starts_with("ISO-2022") {
        return;
    }
    let label = format!("text/plain; charset={charset}");
    let other = checks::read(&message(&label, &bytes));
    let plain = checks::read(&message("text/plain; charset=utf-8", body));
    if plain.gaps.is_empty() && other.gaps.is_empty() {
        assert!(
            plain.findings == other.findings,
            "{charset}: otherwise than in UTF-8"
        );
    }
}

/// All detectors over one text, under a key of its own: the first line.
pub fn detect(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (key, text) = text.split_once('\n').unwrap_or(("", &text));
    let names = KeyNames::default();
    let (key, parent) = key.split_once('/').unwrap_or((key, ""));
    let hint = |name: &str| {
        let hint = names.lookup(name);
        assert!(hint == names.lookup(name), "a key says two things");
        hint
    };
    let (key, parent) = (hint(key), hint(parent));
    for kind in [
        ValueKind::String,
        ValueKind::Number,
        ValueKind::Key,
        ValueKind::Literal,
    ] {
        hits(text, kind, key, parent);
    }
    hits(
        text,
        ValueKind::String,
        KeyHint::default(),
        KeyHint::default(),
    );
    checks::read(&message("text/plain", text.as_bytes()));
    let marked = format!("{text}\n\n{MAIL}\n");
    marks::stands(&message("text/plain", marked.as_bytes()), "a last line");
}

fn hits(text: &str, kind: ValueKind, key: KeyHint, parent: KeyHint) {
    let field = Field::new(text, kind, key, parent);
    let detectors = Detectors::default();
    let (mut hits, mut again) = (Vec::new(), Vec::new());
    let work = detectors.scan(&field, &mut hits);
    assert!(work == detectors.scan(&field, &mut again), "work differs");
    assert!(hits == again, "two scans differ");
    let most = 2_000 + 64 * text.len() as u64;
    assert!(work <= most, "{work} work for {} bytes", text.len());
    let mut end = 0;
    for hit in &hits {
        let range = &hit.range;
        assert!(range.start < range.end, "{} finds nothing", hit.detector);
        assert!(
            text.get(range.clone()).is_some(),
            "{}: {range:?} is not in a text of {}",
            hit.detector,
            text.len()
        );
        assert!(range.start >= end, "{} overlaps", hit.detector);
        assert!(
            hit.confidence_beside_person >= hit.confidence,
            "{} is less sure beside a person",
            hit.detector
        );
        end = range.end;
    }
}
