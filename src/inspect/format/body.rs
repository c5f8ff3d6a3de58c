//! The body: which reader its label names, and what is a gap.

use super::{
    super::{
        coding::Aside,
        content::{self, Content, Matter},
        detect::ValueKind,
        media_type::Format,
    },
    form,
    json::{self, Around, Document, Value, read_value},
    layer::Layer,
    reading::{NodeId, Reading, Scan, Spot},
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
    read_aside(reading, &opened.aside);
    if reading.is_halted {
        return;
    }
    match opened.content {
        Ok(content) => {
            let root = reading.part(Part::Body, content.media_type.format != Format::Text);
            if reading.spend(opened.work, root) {
                read_content(reading, &content, root);
            }
        }
        Err(kind) => {
            let root = reading.part(Part::Body, false);
            reading.gap(kind, root, None);
            reading.spend(opened.work, root);
        }
    }
}

fn read_content<S: Scan>(reading: &mut Reading<'_, S>, content: &Content<'_>, root: NodeId) {
    match (&content.matter, content.media_type.format) {
        (Matter::Text(text), _) if text.text.is_empty() => {}
        (Matter::Text(text), Format::Json) => json::read_body(reading, text, root),
        (Matter::Text(text), Format::Lines) => {
            json::lines::read(reading, text, json::lines::lines, root);
        }
        (Matter::Text(text), Format::Sequence) => {
            json::lines::read(reading, text, json::lines::sequence, root);
        }
        (Matter::Text(text), Format::Form) => {
            let (layer, depth) = (Layer::root(&text.text), reading.plan.budget.depth);
            form::read(reading, &Document::body(&text.text, &layer, root, depth));
        }
        (Matter::Text(text), Format::Text) => read_text(reading, &text.text, root),
        (Matter::Text(_), Format::Multipart) | (Matter::Bytes(_), _) => {
            reading.gap(GapKind::UnsupportedMediaType, root, None);
        }
    }
    if let Some(kind) = content.fault.filter(|_| !reading.is_halted) {
        reading.gap(kind, root, None);
    }
}

/// Reads `text` as one value.
fn read_text<S: Scan>(reading: &mut Reading<'_, S>, text: &str, root: NodeId) {
    if !reading.count_value(root) {
        return;
    }
    let layer = Layer::root(text);
    let value = Value {
        text,
        kind: ValueKind::String,
        around: Around::default(),
        layer: &layer,
        at: 0,
        depth_left: reading.plan.budget.depth as usize,
    };
    read_value(reading, &value, root, |_| Spot::of(root));
}

/// Looks through what codings carry beside the content. It is no part of the body that spans count in and a reduced body goes
/// without it, so what is found there is a gap.
fn read_aside<S: Scan>(reading: &mut Reading<'_, S>, aside: &Aside) {
    if aside.texts.is_empty() && !aside.is_opaque {
        return;
    }
    let root = reading.part(Part::Body, false);
    let first = reading.finds.len();
    for text in &aside.texts {
        // A name in letters other than ASCII may be a person's, and running text shows none.
        if !text.is_ascii() {
            reading.gap(GapKind::Opaque, root, None);
        }
        read_text(reading, text, root);
    }
    if aside.is_opaque || reading.finds.len() > first {
        reading.gap(GapKind::Opaque, root, None);
    }
    reading.finds.truncate(first);
}
