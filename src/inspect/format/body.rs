//! The body: which reader its label names, and what is a gap.

use http::{HeaderMap, header::CONTENT_TYPE};

use super::{
    super::{
        charset::Text,
        coding::Aside,
        content::{self, Content, Matter},
        detect::ValueKind,
        media_type::{Format, MediaType},
    },
    binary, csv, form, graphql,
    json::{self, Document, Value, read_value},
    labelled,
    layer::Layer,
    mail, multipart,
    part::Source,
    reading::{NodeId, Reading, Scan, Spot},
    vcard, xml,
};
use crate::model::{
    finding::{GapKind, Part},
    message::Message,
};

/// Reads the body of `message`.
pub(crate) fn read<S: Scan>(reading: &mut Reading<'_, S>, message: &Message) {
    if message.body.is_empty() {
        return;
    }
    let opened = content::open(message, &reading.plan.budget);
    read_aside(reading, &opened.aside, |reading| {
        reading.part(Part::Body, false)
    });
    if reading.is_halted {
        return;
    }
    match opened.content {
        Ok(content) => {
            let root = reading.part(Part::Body, content.media_type.format != Format::Text);
            if reading.spend(opened.work, root) {
                read_content(reading, &message.headers, &content, root);
            }
        }
        Err(kind) => {
            let root = reading.part(Part::Body, false);
            reading.gap(kind, root, None);
            reading.spend(opened.work, root);
        }
    }
}

fn read_content<S: Scan>(
    reading: &mut Reading<'_, S>,
    headers: &HeaderMap,
    content: &Content<'_>,
    root: NodeId,
) {
    match (&content.matter, content.media_type.format) {
        (Matter::Text(text), _) => {
            let layer = Layer::root(&text.text);
            let depth = reading.plan.budget.depth;
            let document = Document {
                from: text.start(),
                ..Document::body(&text.text, &layer, root, depth)
            };
            read_text(reading, &content.media_type, text, &document);
        }
        (Matter::Bytes(bytes), Format::Binary(format)) => {
            let layer = Layer::root("");
            let document = Document::body("", &layer, root, reading.plan.budget.depth);
            let source = Source::body(bytes);
            binary::read(reading, format, &source, headers, &document);
        }
        (Matter::Bytes(bytes), format) => {
            let layer = Layer::root("");
            let document = Document::body("", &layer, root, reading.plan.budget.depth);
            let source = Source::body(bytes);
            if format == Format::Http {
                mail::http::read(reading, &document, &source);
            } else if format == Format::Mail {
                mail::read(reading, &document, &source);
            } else {
                let label = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
                multipart::read(reading, bytes, label.unwrap_or_default(), root);
            }
        }
    }
    if let Some(kind) = content.fault.filter(|_| !reading.is_halted) {
        reading.gap(kind, root, None);
    }
}

/// Reads `document`, whose text is all of `text`, in its format: a body, or a part of one.
pub(crate) fn read_text<S: Scan>(
    reading: &mut Reading<'_, S>,
    media_type: &MediaType,
    text: &Text<'_>,
    document: &Document<'_>,
) {
    if document.text.is_empty() {
        return;
    }
    let is_json = matches!(
        media_type.format,
        Format::Json | Format::Lines | Format::Sequence
    );
    if is_json && text.has_stray_mark() {
        reading.gap(GapKind::Ambiguous, document.root, None);
    }
    match media_type.format {
        Format::Csv | Format::Tsv => csv::read(reading, media_type, document),
        Format::ContentLines => vcard::read(reading, document),
        Format::GraphQl => graphql::read(reading, document),
        Format::Json => json::read(reading, document),
        Format::Lines => json::lines::read(reading, document, json::lines::lines),
        Format::Sequence => json::lines::read(reading, document, json::lines::sequence),
        Format::Form => form::read(reading, document),
        Format::Text => {
            let first_find = reading.finds.len();
            read_plain(reading, document);
            labelled::read(reading, document, first_find);
        }
        Format::Xml => xml::read(reading, document),
        Format::Binary(_) | Format::Http | Format::Mail | Format::Multipart => {
            reading.gap(GapKind::UnsupportedMediaType, document.root, None);
        }
    }
}

/// Reads a document as one value.
pub(crate) fn read_plain<S: Scan>(reading: &mut Reading<'_, S>, document: &Document<'_>) {
    if !reading.count_value(document.root) {
        return;
    }
    let value = Value {
        // A byte order mark is no part of the value.
        text: document.text.get(document.from..).unwrap_or_default(),
        kind: ValueKind::String,
        around: document.around,
        layer: document.layer,
        at: document.from,
        depth_left: document.depth_max,
    };
    read_value(reading, &value, document.root, |_| Spot {
        record: document.record,
        is_person: document.around.key.is_person,
        ..Spot::of(document.root)
    });
}

/// Looks through what codings carry beside the content. It is no part of the body that spans count in and a reduced body goes
/// without it, so what is found there is a gap.
pub(crate) fn read_aside<S: Scan>(
    reading: &mut Reading<'_, S>,
    aside: &Aside,
    root: impl FnOnce(&mut Reading<'_, S>) -> NodeId,
) {
    if aside.texts.is_empty() && !aside.is_opaque {
        return;
    }
    let root = root(reading);
    let first = reading.finds.len();
    for text in &aside.texts {
        // A name in letters other than ASCII may be a person's, and running text shows none.
        if !text.is_ascii() {
            reading.gap(GapKind::Opaque, root, None);
        }
        let layer = Layer::root(text);
        let depth = reading.plan.budget.depth;
        read_plain(reading, &Document::body(text, &layer, root, depth));
    }
    if aside.is_opaque || reading.finds.len() > first {
        reading.gap(GapKind::Opaque, root, None);
    }
    reading.finds.truncate(first);
}
