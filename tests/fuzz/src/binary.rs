//! Binary formats, and lines of vCard and iCalendar: bytes as they come, and documents of JSON that are written in each.

use serde_json::Value;

use crate::{
    checks,
    marks::{self, MAIL},
    targets::{message, same},
    writers::{Writer, bson, bson_element, cbor, document, message_pack},
};

const TYPES: [&str; 8] = [
    "application/x-protobuf",
    "application/grpc",
    "application/grpc-web+json",
    "application/msgpack",
    "application/cbor",
    "application/bson",
    "text/vcard; charset=utf-8",
    "text/calendar; charset=utf-8",
];

/// Formats that hold what JSON holds.
const TWINS: [(&str, Writer); 3] = [
    ("application/msgpack", message_pack),
    ("application/cbor", cbor),
    ("application/bson", bson),
];

/// The first byte chooses the format; with its highest bit set, the rest is a document of JSON, to be written in all of its twins.
pub fn binary(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else {
        return;
    };
    if kind & 0x80 != 0 {
        return twins(body);
    }
    let label = TYPES[usize::from(*kind) % TYPES.len()];
    let read = checks::read(&message(label, body));
    let [first, last] = marked(label, body).expect("a short mark");
    marks::stands(&message(label, &first), label);
    // What is not whole may take the beginning of the mark for its own end.
    if read.gaps.is_empty() {
        marks::stands(&message(label, &last), label);
    }
}

/// `body` with the mark before and behind what is in it.
fn marked(label: &str, body: &[u8]) -> Option<[Vec<u8>; 2]> {
    let text = Value::from(MAIL);
    let mut mark = Vec::new();
    let around = |mark: &[u8]| [[mark, body].concat(), [body, mark].concat()];
    Some(match label {
        "application/x-protobuf" => around(&field()?),
        "application/grpc" => around(&frame(&field()?)?),
        "application/grpc-web+json" => around(&frame(text.to_string().as_bytes())?),
        "application/msgpack" => {
            message_pack(&text, &mut mark)?;
            let pair = |one: &[u8], other: &[u8]| [&[0x92], one, other].concat();
            [pair(&mark, body), pair(body, &mark)]
        }
        "application/cbor" => {
            cbor(&text, &mut mark)?;
            let pair = |one: &[u8], other: &[u8]| [&[0x82], one, other].concat();
            [pair(&mark, body), pair(body, &mark)]
        }
        "application/bson" => {
            bson_element("q7", &text, &mut mark)?;
            let inner = [b"\x03d\0", body].concat();
            let (mut first, mut last) = (Vec::new(), Vec::new());
            document(&[&mark[..], &inner].concat(), &mut first)?;
            document(&[&inner[..], &mark].concat(), &mut last)?;
            [first, last]
        }
        _ => around(format!("\r\nATTENDEE;CN=q7:mailto:{MAIL}\r\n").as_bytes()),
    })
}

/// A field of Protocol Buffers that holds the mark.
fn field() -> Option<Vec<u8>> {
    let length = u8::try_from(MAIL.len()).ok()?;
    Some([&[0x3a, length], MAIL.as_bytes()].concat())
}

/// A frame of gRPC.
fn frame(content: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(content.len()).ok()?;
    Some([&[0], &length.to_be_bytes()[..], content].concat())
}

/// A document holds the same at the same places in each of these formats.
fn twins(body: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    let plain = checks::read(&message("application/json", value.to_string().as_bytes()));
    for (label, write) in TWINS {
        let mut out = Vec::new();
        if write(&value, &mut out).is_none() {
            continue;
        }
        let other = checks::read(&message(label, &out));
        if plain.gaps.is_empty() {
            same(&plain, &other, label);
        }
    }
}
