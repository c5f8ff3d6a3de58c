//! A request or response inside a body (`application/http`, RFC 9112 §10.2): the parts of a batch.
//!
//! Its length is told in its own fields and its body is of any format, so nothing in it is written over: what is found covers all of
//! it.

use super::{
    super::{
        json::Document,
        layer::{Escape, unescape_percent},
        part::{self, Place, Source},
        reading::{Reading, Scan},
        walk::Walk,
    },
    Written, again,
    header::{Section, unfolded},
    key,
    label::Label,
    plain_field, read_object, tell, tell_of_member,
};
use crate::model::finding::GapKind;
use ::http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

/// Reads `source`, a message of HTTP/1 that is all of `document`.
pub(crate) fn read<S: Scan>(
    reading: &mut Reading<'_, S>,
    document: &Document<'_>,
    source: &Source<'_>,
) {
    let source = source.standing_for(source.bytes);
    read_object(reading, document, source.bytes.len(), |walk| {
        message(walk, &source);
    });
}

fn message<S: Scan>(walk: &mut Walk<'_, '_, S>, source: &Source<'_>) {
    let lead = source.bytes.len() - source.bytes.trim_ascii_start().len();
    let bytes = source.bytes.get(lead..).unwrap_or_default();
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let line = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default());
    start_line(walk, line.trim_ascii_end(), source);
    let rest = source.slice((lead + end + 1).min(source.bytes.len())..source.bytes.len());
    let section = Section::of(rest.bytes);
    let is_coded = section.one("transfer-encoding").0.is_some();
    tell(walk, is_coded.then_some(GapKind::UnsupportedCoding));
    tell(walk, section.is_folded.then_some(GapKind::Ambiguous));
    tell(walk, section.fault);
    for it in &section.fields {
        if walk.is_halted() {
            return;
        }
        let value = rest.slice(it.value.clone());
        let text = String::from_utf8_lossy(value.bytes);
        let text = unfolded(&text).map_or_else(|| text.clone(), |it| it.0.into());
        let key = key(walk, &it.name, &it.name);
        walk.shared_name(key);
        let layer = value.layer(&text, false);
        walk.read_name(key.name, &layer);
        let written = Written {
            text: &text,
            layer: &layer,
            outer: value.span.clone(),
        };
        plain_field(walk, key, &written);
    }
    for range in &section.strays {
        let line = rest.slice(range.clone());
        let text = String::from_utf8_lossy(line.bytes);
        walk.aside("line", &text, &line.layer(&text, false), 0);
    }
    let mut label = Label::of(&section, rest.bytes);
    tell(walk, label.fault);
    if section.one("content-type").0.is_none() {
        // Its format is told by what it is.
        label.headers.remove(CONTENT_TYPE);
    }
    let body = rest.slice(section.body..rest.bytes.len());
    if !body.bytes.trim_ascii().is_empty() {
        member(walk, "body", &label.headers, &body);
    }
}

/// Reads `source` as the member `name`, labelled by `headers`.
fn member<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    name: &str,
    headers: &HeaderMap,
    source: &Source<'_>,
) {
    let key = key(walk, name, name);
    walk.shared_name(key);
    let text = || String::from_utf8_lossy(source.bytes).into_owned();
    let Some(entered) = walk.value(source.span.clone(), text) else {
        return;
    };
    let place = Place::of(walk, &entered);
    part::read(walk, &place, &entered, headers, source);
}

/// Reads the request line or the status line.
fn start_line<S: Scan>(walk: &mut Walk<'_, '_, S>, line: &str, source: &Source<'_>) {
    let mut words = line.split(' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    let is_status = method.is_some_and(|it| it.starts_with("HTTP/"));
    let is_request = words.next().is_none() && version.is_none_or(|it| it.starts_with("HTTP/"));
    let layer = source.layer("", false);
    let written = Written {
        text: line,
        layer: &layer,
        outer: source.span.clone(),
    };
    let key = key(walk, "path", "path");
    walk.shared_name(key);
    let target = target.filter(|_| is_request && !is_status);
    let Some(target) = target else {
        if !is_status {
            tell_of_member(walk, Some(GapKind::Malformed));
        }
        return walk.text(line, &layer, 0, written.outer);
    };
    let first = walk.reading.finds.len();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    for segment in path.split('/').filter(|it| !it.is_empty()) {
        let decoded = unescape_percent(segment, Escape::Percent);
        tell_of_member(walk, decoded.as_ref().err().map(|it| it.gap()));
        let decoded = decoded.unwrap_or_default();
        let text = decoded.as_deref().unwrap_or(segment);
        walk.shared_name(key);
        walk.text(text, &layer, 0, source.span.clone());
    }
    if !query.is_empty() {
        let mut headers = HeaderMap::new();
        let label = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, label);
        member(
            walk,
            "query",
            &headers,
            &source.standing_for(query.as_bytes()),
        );
    }
    again(walk, key, &written, first);
}
