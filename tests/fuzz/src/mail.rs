//! Mail: as a body, as a part, and as a value of JSON, plain and in base64.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    checks,
    marks::{self, MAIL},
    model::{Category, inspection::Inspection, message::Message},
    targets::message,
};

/// Ways in which a mail is sent over HTTP.
const WAYS: u8 = 6;
const AS_BODY: u8 = 0;
const IN_BASE64: u8 = 1;

/// A field that only mails have.
const MIME: &[u8] = b"MIME-Version: 1.0\r\n";

/// The first byte chooses the way, the rest is the mail.
pub fn mail(data: &[u8]) {
    let Some((way, text)) = data.split_first() else {
        return;
    };
    let way = way % WAYS;
    checks::read(&sent(way, text));
    for (what, marked) in [
        (
            "a first field",
            [b"X-Note: ", MAIL.as_bytes(), b"\r\n", text].concat(),
        ),
        (
            "an address",
            [b"To: q7 <", MAIL.as_bytes(), b">\n", text].concat(),
        ),
        ("the last part", [text, last_part().as_bytes()].concat()),
    ] {
        marks::stands(&sent(way, &marked), what);
    }
    twin(text);
}

fn last_part() -> String {
    format!("\r\n--b7MA4\r\nContent-Type: text/plain\r\n\r\n{MAIL}\r\n--b7MA4--\r\n")
}

/// A message that carries the mail `text`.
fn sent(way: u8, text: &[u8]) -> Message {
    match way {
        AS_BODY => message("message/rfc822", text),
        // With a field that says so: bytes in base64 that are neither mail nor text are not read.
        IN_BASE64 => in_json("raw", &BASE64_STANDARD.encode([MIME, text].concat())),
        2 => in_json("message", &String::from_utf8_lossy(text)),
        3 => message("application/http", text),
        4 => {
            let head = b"--p0\r\nContent-Disposition: form-data; name=\"message\"\r\n\
                Content-Type: message/rfc822\r\n\r\n";
            let body = [head, text, b"\r\n--p0--\r\n"].concat();
            message("multipart/form-data; boundary=p0", &body)
        }
        _ => {
            let head = b"Subject: forwarded\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n";
            message("message/rfc822", &[head, text].concat())
        }
    }
}

fn in_json(name: &str, value: &str) -> Message {
    let body = serde_json::json!({ name: value }).to_string();
    message("application/json", body.as_bytes())
}

/// What a mail holds does not depend on whether its bytes are the body or stand in base64.
fn twin(text: &[u8]) {
    let plain = checks::read(&sent(AS_BODY, &[MIME, text].concat()));
    let coded = checks::read(&sent(IN_BASE64, text));
    if plain.gaps.is_empty() && coded.gaps.is_empty() {
        let (plain, coded) = (held(&plain), held(&coded));
        assert!(plain == coded, "in base64: {plain:?} and {coded:?}");
    }
}

/// By kind: which detector saw it first may differ, since a text is read in more ways than one.
fn held(read: &Inspection) -> BTreeSet<Category> {
    read.findings.iter().map(|it| it.category).collect()
}
