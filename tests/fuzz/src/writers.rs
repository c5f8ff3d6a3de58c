//! Documents of JSON in the formats that have the same values. Fractions are left out: how many of their digits are written is up to
//! each writer.

use serde_json::{Map, Value};

/// Writes `value`; `None` when the format cannot hold it.
pub(crate) type Writer = fn(&Value, &mut Vec<u8>) -> Option<()>;

pub(crate) fn message_pack(value: &Value, out: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::Null => out.push(0xc0),
        Value::Bool(it) => out.push(0xc2 + u8::from(*it)),
        Value::Number(it) => match it.as_u64() {
            Some(it) => sized(out, 0xcf, &it.to_be_bytes()),
            None => sized(out, 0xd3, &it.as_i64()?.to_be_bytes()),
        },
        Value::String(it) => message_pack_text(it, out)?,
        Value::Array(items) => {
            sized(out, 0xdd, &length(items.len())?.to_be_bytes());
            for it in items {
                message_pack(it, out)?;
            }
        }
        Value::Object(members) => {
            sized(out, 0xdf, &length(members.len())?.to_be_bytes());
            for (name, it) in members {
                message_pack_text(name, out)?;
                message_pack(it, out)?;
            }
        }
    }
    Some(())
}

fn message_pack_text(text: &str, out: &mut Vec<u8>) -> Option<()> {
    sized(out, 0xdb, &length(text.len())?.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
    Some(())
}

pub(crate) fn cbor(value: &Value, out: &mut Vec<u8>) -> Option<()> {
    let mut head = |major: u8, argument: u64| sized(out, major << 5 | 27, &argument.to_be_bytes());
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(it) => out.push(0xf4 + u8::from(*it)),
        Value::Number(it) => match it.as_u64() {
            Some(it) => head(0, it),
            None => head(1, u64::try_from(-1 - it.as_i64()?).ok()?),
        },
        Value::String(it) => {
            head(3, it.len() as u64);
            out.extend_from_slice(it.as_bytes());
        }
        Value::Array(items) => {
            head(4, items.len() as u64);
            for it in items {
                cbor(it, out)?;
            }
        }
        Value::Object(members) => {
            head(5, members.len() as u64);
            for (name, it) in members {
                cbor(&Value::from(name.as_str()), out)?;
                cbor(it, out)?;
            }
        }
    }
    Some(())
}

/// Writes an object as a document of BSON.
pub(crate) fn bson(value: &Value, out: &mut Vec<u8>) -> Option<()> {
    let mut elements = Vec::new();
    for (name, it) in value.as_object()? {
        bson_element(name, it, &mut elements)?;
    }
    document(&elements, out)
}

/// Writes `elements` as one document.
pub(crate) fn document(elements: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(&length(elements.len() + 5)?.to_le_bytes());
    out.extend_from_slice(elements);
    out.push(0);
    Some(())
}

pub(crate) fn bson_element(name: &str, value: &Value, out: &mut Vec<u8>) -> Option<()> {
    let mut head = |kind: u8| {
        out.push(kind);
        out.extend_from_slice(name.as_bytes());
        out.push(0);
    };
    if name.contains('\0') {
        return None;
    }
    match value {
        Value::Null => head(0x0a),
        Value::Bool(it) => {
            head(0x08);
            out.push(u8::from(*it));
        }
        Value::Number(it) => {
            head(0x12);
            out.extend_from_slice(&it.as_i64()?.to_le_bytes());
        }
        Value::String(it) => {
            head(0x02);
            out.extend_from_slice(&length(it.len() + 1)?.to_le_bytes());
            out.extend_from_slice(it.as_bytes());
            out.push(0);
        }
        Value::Array(items) => {
            head(0x04);
            let places = items.iter().enumerate();
            let members: Map<_, _> = places
                .map(|(at, it)| (at.to_string(), it.clone()))
                .collect();
            bson(&Value::Object(members), out)?;
        }
        Value::Object(_) => {
            head(0x03);
            bson(value, out)?;
        }
    }
    Some(())
}

fn length(count: usize) -> Option<u32> {
    u32::try_from(count).ok()
}

/// A first byte and the number behind it.
fn sized(out: &mut Vec<u8>, first: u8, number: &[u8]) {
    out.push(first);
    out.extend_from_slice(number);
}
