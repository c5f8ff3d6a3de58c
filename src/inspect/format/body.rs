//! The body: which reader its label names, and what is a gap.

use super::{
    super::{
        coding,
        media_type::{self, Format},
    },
    form,
    json::{self, Document},
    layer::Layer,
    reading::{Reading, Scan},
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
    let body = match coding::decoded(&message.headers, &message.body) {
        Ok(body) => body,
        Err(kind) => return unread(reading, kind),
    };
    match media_type::format_of(&message.headers) {
        Ok(Format::Json) => {
            let root = reading.part(Part::Body, true);
            json::read_body(reading, body, root);
        }
        Ok(Format::Form) => read_form(reading, body),
        Ok(Format::Text) => json::read_text(reading, body),
        Err(kind) => unread(reading, kind),
    }
}

fn unread<S: Scan>(reading: &mut Reading<'_, S>, kind: GapKind) {
    let root = reading.part(Part::Body, false);
    reading.gap(kind, root, None);
}

fn read_form<S: Scan>(reading: &mut Reading<'_, S>, body: &[u8]) {
    match std::str::from_utf8(body) {
        Ok(text) => {
            let root = reading.part(Part::Body, true);
            let layer = Layer::root(text);
            let depth = reading.plan.budget.depth;
            form::read(reading, &Document::body(text, &layer, root, depth));
        }
        Err(_) => unread(reading, GapKind::UnsupportedCharset),
    }
}
