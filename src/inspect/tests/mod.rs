//! The room as a whole, with detection that is simple enough to foresee.

mod binary;
mod budgets;
mod content;
mod csv;
mod embedded;
mod fields;
mod gaps;
mod inside;
mod json;
mod lines;
mod mail;
mod multipart;
mod neighbours;
mod persons;
mod pictures;
mod places;
mod reduction;
mod scratch;
mod selectors;
mod tables;
mod vectors;
mod xml;

use std::path::PathBuf;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{
    Plan, Scratch,
    detect::{Field, Hit, KeyHint, ValueKind},
    format::reading::Scan,
    inspect,
};
use crate::model::{
    Category,
    finding::{Confidence, Finding, Part, normalized_path},
    inspection::{Inspection, PlanSpec, Selector},
    message::Message,
    subject::{Identifier, IdentifierKind},
};

/// Finds words with `@`, runs of twelve digits and, under the key `name`, words; the last only beside other data of a person.
#[derive(Debug)]
pub(super) struct Sample;

impl Scan for Sample {
    fn scan(&self, field: &Field<'_>, hits: &mut Vec<Hit>) -> u64 {
        let mut from = 0;
        for word in field.text.split([' ', ',', '"', '/', ':']) {
            let range = from..from + word.len();
            from = range.end + 1;
            let is_number = word.len() == 12 && word.bytes().all(|it| it.is_ascii_digit());
            let (category, kind, alone) = if word.len() > 2 && word.contains('@') {
                (
                    Category::Email,
                    Some(IdentifierKind::Email),
                    Confidence::High,
                )
            } else if is_number {
                (
                    Category::NationalId,
                    Some(IdentifierKind::NationalId),
                    Confidence::High,
                )
            } else if field.key.needs_person && field.kind == ValueKind::String {
                (Category::NameFull, None, Confidence::Low)
            } else {
                continue;
            };
            hits.push(Hit {
                category,
                detector: "sample",
                confidence: alone,
                confidence_beside_person: if is_number {
                    Confidence::Certain
                } else {
                    Confidence::High
                },
                identifier: kind.and_then(|it| Identifier::normalise(it, word)),
                range,
            });
        }
        field.text.len() as u64
    }

    fn lookup(&self, key: &str) -> KeyHint {
        KeyHint {
            needs_person: key == "name",
            is_person: matches!(key, "customer" | "to"),
            ..KeyHint::default()
        }
    }
}

/// A request with a body of this type; an empty type names none.
pub(super) fn message(content_type: &str, body: impl Into<Vec<u8>>) -> Message {
    let mut headers = HeaderMap::new();
    if !content_type.is_empty() {
        headers.insert("content-type", content_type.parse().unwrap());
    }
    Message {
        method: Method::POST,
        path: "/".to_owned(),
        query: None,
        headers,
        body: Bytes::from(body.into()),
        trailers: HeaderMap::new(),
    }
}

pub(super) fn json(body: &str) -> Message {
    message("application/json", body)
}

pub(super) fn with_field(mut message: Message, name: &'static str, value: &[u8]) -> Message {
    message.headers.append(
        HeaderName::from_static(name),
        HeaderValue::from_bytes(value).unwrap(),
    );
    message
}

pub(super) fn body_selector(at: &str) -> Selector {
    Selector {
        part: Part::Body,
        at: at.to_owned(),
    }
}

pub(super) fn plan(spec: &PlanSpec) -> Plan {
    Plan::compile(spec).unwrap()
}

pub(super) fn read(message: &Message) -> Inspection {
    inspect(&Sample, message, &Plan::default(), &mut Scratch::default())
}

pub(super) fn read_with(message: &Message, spec: &PlanSpec) -> Inspection {
    inspect(&Sample, message, &plan(spec), &mut Scratch::default())
}

/// The text of the part that a finding's span covers.
pub(super) fn covered(message: &Message, finding: &Finding) -> String {
    let bytes = match finding.location.part {
        Part::Body => &message.body[..],
        Part::Query => message.query.as_deref().unwrap().as_bytes(),
        Part::Path => message.path.as_bytes(),
        Part::Header => {
            let name = finding.location.name.as_deref().unwrap();
            let field = message.headers.get(name);
            field
                .unwrap_or_else(|| &message.headers["cookie"])
                .as_bytes()
        }
        Part::Trailer => unimplemented!("trailers are read as header fields are"),
    };
    String::from_utf8(bytes[finding.span.clone()].to_vec()).unwrap()
}

/// `part name path | inner path = covered text`.
pub(super) fn written(message: &Message, finding: &Finding) -> String {
    let location = &finding.location;
    let mut out = location.part.as_str().to_owned();
    if let Some(name) = &location.name {
        out += &format!(" {name}");
    }
    if let Some(path) = &location.path {
        out += &format!(" {}", normalized_path(path));
    }
    if let Some(inner) = &location.inner {
        out += &format!(" | {}", normalized_path(inner));
    }
    let key = if finding.in_key { " (key)" } else { "" };
    format!("{out}{key} = {}", covered(message, finding))
}

/// The folder of corpora, when there is one.
pub(super) fn corpora(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SHEKARA_CORPORA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora"),
        PathBuf::from,
    );
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("SKIPPED: no {name} corpus; set SHEKARA_CORPORA to the folder that holds it");
    None
}
