//! Content codings and charsets against the running gate: what every recipient undoes is read, and what recipients undo in
//! different ways goes nowhere.

use std::{
    io::{Read as _, Write as _},
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use encoding_rs::{Encoding, IBM866, KOI8_R, UTF_16BE, UTF_16LE, WINDOWS_1251};
use flate2::{
    Compression, GzBuilder,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};

use super::{
    OK,
    gate::{Gate, Recipient},
    gate_before, request,
};

const CLEAN: &[u8] = br#"{"note":"ok"}"#;
const PERSONAL: &[u8] = br#"{"iin":"991231100010"}"#;
const NAMED: &str = r#"{"fio":"Иванова Айгерим Сериковна"}"#;

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";

/// Refused by policy: it was read, and whose data it holds is not known.
const BY_POLICY: u16 = 451;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut it = GzEncoder::new(Vec::new(), Compression::default());
    it.write_all(bytes).unwrap();
    it.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut it = ZlibEncoder::new(Vec::new(), Compression::default());
    it.write_all(bytes).unwrap();
    it.finish().unwrap()
}

fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut it = DeflateEncoder::new(Vec::new(), Compression::default());
    it.write_all(bytes).unwrap();
    it.finish().unwrap()
}

fn br(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut out, &Default::default()).unwrap();
    out
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

/// A gate with its recipient, and what went otherwise.
struct Bench {
    recipient: Recipient,
    gate: Gate,
    wrong: Vec<String>,
}

impl Bench {
    fn start() -> Self {
        let recipient = Recipient::start(OK);
        let gate = gate_before(&recipient, "enforce");
        Self {
            recipient,
            gate,
            wrong: Vec::new(),
        }
    }

    /// `body` must be answered with `status`, and must arrive, byte for byte, only with 200.
    fn check(&mut self, what: &str, fields: &str, content_type: &str, body: &[u8], status: u16) {
        let wire = request("/v1", fields.as_bytes(), content_type, body);
        let answer = self.gate.send(&wire);
        let received = self.recipient.take();
        let arrived = match &received[..] {
            [] => false,
            [one] => one.ends_with(&[b"\r\n\r\n", body].concat()),
            _ => panic!("{what}: sent once, arrived more than once"),
        };
        if answer.statuses != [status] || arrived != (status == 200) || received.len() > 1 {
            let text = answer.text.split("\r\n\r\n").last().unwrap_or_default();
            self.wrong.push(format!(
                "{what}: {:?} instead of {status}, {} received: {text}",
                answer.statuses,
                received.len()
            ));
        }
    }

    fn coded(&mut self, what: &str, coding: &str, body: &[u8], status: u16) {
        let fields = format!("Content-Encoding: {coding}\r\n");
        self.check(what, &fields, JSON, body, status);
    }

    fn typed(&mut self, content_type: &str, body: &[u8], status: u16) {
        self.check(content_type, "", content_type, body, status);
    }

    fn end(self) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
    }
}

/// Writes a coding in the honest way.
type Encode = fn(&[u8]) -> Vec<u8>;

const ALL: [(&str, Encode); 6] = [
    ("gzip", gzip),
    ("X-GZip", gzip),
    ("deflate", zlib),
    ("deflate", raw_deflate),
    ("br", br),
    ("zstd", zstd),
];

#[test]
fn every_coding_is_read_and_sent_on_as_it_came() {
    let mut bench = Bench::start();
    let long: String = (0..20_000)
        .map(|it| format!("{{\"row\":{it}}}\n"))
        .collect();
    for (name, encode) in ALL {
        bench.coded(name, name, &encode(CLEAN), 200);
        bench.coded(name, name, &encode(PERSONAL), BY_POLICY);
        let fields = format!("Content-Encoding: {name}\r\n");
        bench.check(name, &fields, NDJSON, &encode(long.as_bytes()), 200);
        let last = [long.as_bytes(), PERSONAL].concat();
        bench.check(name, &fields, NDJSON, &encode(&last), BY_POLICY);
        for (outer, encode_outer) in ALL {
            let list = format!("{name}, {outer}");
            bench.coded(&list, &list, &encode_outer(&encode(CLEAN)), 200);
            bench.coded(&list, &list, &encode_outer(&encode(PERSONAL)), BY_POLICY);
        }
    }
    bench.end();
}

/// Family C of the catalogue, each with the status that says what it was taken for.
#[test]
fn codings_hide_nothing() {
    let mut bench = Bench::start();
    let gzipped = gzip(PERSONAL);
    bench.coded("C09 identity", "identity", PERSONAL, BY_POLICY);
    bench.coded("C07 compress", "compress", b"\x1f\x9d\x90{}", 415);
    bench.check("C11 no label", "", JSON, &gzipped, 400);
    bench.check("C11 no label, text", "", "text/plain", &zstd(PERSONAL), 400);
    bench.coded("C12 plain", "gzip", PERSONAL, 400);
    bench.coded("C12 plain", "br", PERSONAL, 400);
    bench.coded("C12 plain", "deflate", PERSONAL, 400);
    bench.coded("C13 twice", "gzip, gzip", &gzip(&gzipped), BY_POLICY);
    bench.coded("C14 one undeclared", "gzip", &gzip(&gzipped), 400);
    let fields = "Content-Encoding: gzip\r\nContent-Encoding: br\r\n";
    bench.check("C15 two fields", fields, JSON, &br(&gzipped), BY_POLICY);
    let fields = "Content-Encoding: identity\r\nContent-Encoding: gzip\r\n";
    bench.check("C16 identity first", fields, JSON, &gzipped, BY_POLICY);
    bench.coded("C17 identity last", "gzip, identity", &gzipped, BY_POLICY);
    let six = (0..6).fold(PERSONAL.to_vec(), |it, _| gzip(&it));
    bench.coded("C18 six", "gzip, gzip, gzip, gzip, gzip, gzip", &six, 415);
    let members = [gzip(b"{\"note\":\"ok\"}\n"), gzipped.clone()].concat();
    let fields = "Content-Encoding: gzip\r\n";
    bench.check("C19 members", fields, NDJSON, &members, BY_POLICY);
    bench.coded(
        "C20 trailing",
        "gzip",
        &[&gzip(CLEAN), PERSONAL].concat(),
        400,
    );
    let mut bad = gzipped.clone();
    let sum = bad.len() - 8;
    bad[sum] ^= 1;
    bench.coded("C21 checksum", "gzip", &bad, 400);
    bench.coded("C22 cut", "gzip", &gzipped[..gzipped.len() - 8], 400);
    for builder in [
        GzBuilder::new().filename("991231100010.txt"),
        GzBuilder::new().comment("a.ivanova@example.com"),
        GzBuilder::new().extra("991231100010"),
    ] {
        let mut it = builder.write(Vec::new(), Compression::default());
        it.write_all(CLEAN).unwrap();
        bench.coded("C23 header of gzip", "gzip", &it.finish().unwrap(), 415);
    }
    let skippable = [b"P*M\x18\x16\0\0\0", PERSONAL, &zstd(CLEAN)].concat();
    bench.coded("C27 skippable frame", "zstd", &skippable, 415);
    let frames = [zstd(b"{}\n"), zstd(PERSONAL)].concat();
    let fields = "Content-Encoding: zstd\r\n";
    bench.check("C28 frames", fields, NDJSON, &frames, BY_POLICY);
    bench.coded("C29 after br", "br", &[&br(CLEAN), PERSONAL].concat(), 400);
    bench.coded("C30 parameter", "gzip;q=1", &gzipped, 415);
    bench.coded("C30 tab inside", "gz\tip", &gzipped, 415);
    let fields = "content-encoding: gzip\r\n";
    bench.check("C31 case", fields, JSON, &gzipped, BY_POLICY);
    bench.end();
}

/// C24 to C26: what is small on the wire and large inside is refused at a cap, and costs no more than that.
#[test]
fn bombs_are_refused_at_a_cap() {
    let mut bench = Bench::start();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    std::io::copy(&mut std::io::repeat(0).take(1 << 30), &mut encoder).unwrap();
    let bomb = encoder.finish().unwrap();
    let zeros = vec![0; 32 << 20];
    let mut wide = ::zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    wide.window_log(27).unwrap();
    wide.write_all(&zeros).unwrap();
    let started = Instant::now();
    bench.coded("C24 1 GiB", "gzip", &bomb, 413);
    bench.coded("C25 nested", "gzip, gzip", &gzip(&bomb), 413);
    bench.coded("C26 br", "br", &br(&zeros), 413);
    bench.coded("C26 zstd", "zstd", &zstd(&zeros), 413);
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
    bench.coded("C26 window", "zstd", &wide.finish().unwrap(), 415);
    bench.end();
}

/// Family D of the catalogue.
#[test]
fn charsets_hide_nothing() {
    let mut bench = Bench::start();
    let personal = std::str::from_utf8(PERSONAL).unwrap();
    let little = utf16(&format!("\u{feff}{personal}"), u16::to_le_bytes);
    let big = utf16(personal, u16::to_be_bytes);
    let of = |it: &'static Encoding| it.encode(NAMED).0.into_owned();
    bench.typed(JSON, NAMED.as_bytes(), BY_POLICY);
    bench.typed(JSON, &[b"\xef\xbb\xbf", PERSONAL].concat(), 400);
    bench.typed("application/json; charset=utf-16", &little, BY_POLICY);
    bench.typed("application/json; charset=utf-16be", &big, BY_POLICY);
    bench.typed(JSON, &big, 400);
    bench.typed("text/plain", &big, 400);
    bench.typed("application/json; charset=utf-8", &little, 400);
    bench.typed(
        "application/json; charset=windows-1251",
        &of(WINDOWS_1251),
        BY_POLICY,
    );
    bench.typed("application/json; charset=koi8-r", &of(KOI8_R), BY_POLICY);
    bench.typed("text/plain; charset=cp866", &of(IBM866), BY_POLICY);
    let kazakh = b"{\"fio\":\"\xa3\xf1\xe5\xeb \xa5\xec\xb3\xf0\xe7\xe0\xea\xee\xe2\"}";
    bench.typed("application/json; charset=kz-1048", kazakh, BY_POLICY);
    bench.typed(
        "application/json; charset=ptcp154",
        b"{\"fio\":\"\xc0\xf1\xe5\xeb\"}",
        BY_POLICY,
    );
    bench.typed(JSON, &of(WINDOWS_1251), 400);
    let seven = br#"{"iin":"+ADkAOQAxADIAMwAxADEAMAAwADAAMQAw-"}"#;
    bench.typed("application/json; charset=utf-8; charset=utf-7", seven, 400);
    bench.typed("application/json; charset=utf-7", seven, 415);
    let ebcdic = b"\x89\x89\x95~\xf9\xf9\xf1\xf2\xf3\xf1\xf1\xf0\xf0\xf0\xf1\xf0";
    bench.typed(
        "application/x-www-form-urlencoded; charset=ibm037",
        ebcdic,
        415,
    );
    bench.typed("application/json ; Charset=\"UTF-8\"", PERSONAL, BY_POLICY);
    for name in ["iso-2022-jp", "hz-gb-2312", "x-user-defined", "replacement"] {
        bench.typed(&format!("application/json; charset={name}"), PERSONAL, 415);
    }
    for body in [
        &b"{\"a\":\"\xff\",\"iin\":\"991231100010\"}"[..],
        b"{\"iin\":\"\xc0\xb9\xc0\xb9\xc0\xb1\"}",
        b"{\"a\":\"\xed\xa0\xbd\xed\xb8\x80\"}",
        b"{\"iin\":\"9\x009\x001\x002\"}",
    ] {
        bench.typed(JSON, body, 400);
    }
    // Honest texts pass.
    let note = r#"{"note":"Заказ готов"}"#;
    bench.typed(
        "application/json; charset=windows-1251",
        &WINDOWS_1251.encode(note).0,
        200,
    );
    bench.typed(
        "application/json; charset=utf-16le",
        &utf16(note, u16::to_le_bytes),
        200,
    );
    bench.typed(
        "text/html; charset=utf-8",
        "<p>Заказ готов</p>".as_bytes(),
        200,
    );
    bench.end();
}

/// D24: the same number in every charset that a browser knows, by every label of it.
#[test]
fn no_label_of_a_charset_hides_a_number() {
    let mut bench = Bench::start();
    let labels: Vec<&str> = include_str!("charset_labels.txt").lines().collect();
    assert_eq!(labels.len(), 228);
    let personal = std::str::from_utf8(PERSONAL).unwrap();
    for label in labels {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        let body = if encoding == UTF_16LE {
            utf16(personal, u16::to_le_bytes)
        } else if encoding == UTF_16BE {
            utf16(personal, u16::to_be_bytes)
        } else {
            encoding.encode(personal).0.into_owned()
        };
        for content_type in ["application/json", "text/plain", NDJSON] {
            let typed = format!("{content_type}; charset={label}");
            let wire = request("/v1", b"", &typed, &body);
            let answer = bench.gate.send(&wire);
            let is_refused = matches!(answer.statuses[..], [400 | 415 | 451]);
            if !is_refused || !bench.recipient.take().is_empty() {
                bench.wrong.push(format!("{typed}: {:?}", answer.statuses));
            }
        }
    }
    bench.end();
}

/// Bodies of formats that are read, and what their labels hide.
#[test]
fn media_types_hide_nothing() {
    let mut bench = Bench::start();
    let lines = [CLEAN, b"\n", PERSONAL].concat();
    for content_type in [
        NDJSON,
        "application/ndjson",
        "application/jsonl",
        "application/x-json-stream",
        "application/x-sentry-envelope",
        "text/plain",
        "text/event-stream",
        "text/html",
        "",
    ] {
        bench.typed(content_type, &lines, BY_POLICY);
    }
    bench.typed(
        "application/json-seq",
        &[b"\x1e", PERSONAL, b"\n"].concat(),
        BY_POLICY,
    );
    for content_type in [
        "",
        "application/csp-report",
        "application/problem+json",
        "application/vnd.api+json",
        "application/graphql",
    ] {
        bench.typed(content_type, PERSONAL, BY_POLICY);
    }
    let named = br#"{"customer":{"first_name":"Aigerim","last_name":"Ivanova"}}"#;
    bench.typed(NDJSON, &[CLEAN, b"\n", named].concat(), BY_POLICY);
    bench.typed("text/plain", &[CLEAN, b"\n", named].concat(), BY_POLICY);
    bench.typed(
        "application/graphql",
        br#"{c(iin:"""991231100010"""){id}}"#,
        BY_POLICY,
    );
    bench.typed(
        "text/event-stream",
        b"data: {\"iin\":\"991231100010\"}\n\n",
        BY_POLICY,
    );
    bench.typed(
        "text/html",
        b"<a href=\"mailto:a.ivanova&#64;example.com\">",
        BY_POLICY,
    );
    let hidden = BASE64_STANDARD.encode("991231100010");
    bench.typed("text/markdown", hidden.as_bytes(), BY_POLICY);
    bench.typed(
        "text/vcard",
        b"BEGIN:VCARD\nFN:Aigerim\nEND:VCARD",
        BY_POLICY,
    );
    bench.typed("", b"iin=991231100010", 415);
    bench.typed(NDJSON, b"{}\n{", 400);
    bench.typed(NDJSON, b"{\"a\":1,\"a\":2}\n", 400);
    // Honest ones pass.
    bench.typed(NDJSON, &[CLEAN, b"\n", CLEAN, b"\n"].concat(), 200);
    bench.typed("", CLEAN, 200);
    bench.typed("text/html", b"<p>Order 1001 is ready.</p>", 200);
    bench.end();
}
