//! A content of its own inside a body: a part of a multipart body, of a mail or of a batch, read in the format, coding and charset of
//! its own label. A document in it is a document inside a value, as in a JSON string.

use std::{borrow::Cow, ops::Range};

use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

use super::{
    super::{
        charset::Text,
        content::{self, Content, Matter},
        detect::ValueKind,
        media_type::{Binary, Format, MediaType},
    },
    binary, body,
    json::{Around, Document, Value, read_value},
    layer::Layer,
    magic, mail,
    reading::{NodeId, NodeKind, Reading, Scan, Spot},
    walk::{Entered, Walk},
};
use crate::model::finding::GapKind;

/// Bytes with the place where they are written.
#[derive(Debug, Clone)]
pub(crate) struct Source<'b> {
    pub(crate) bytes: &'b [u8],
    /// The layer in whose text they are written; `None` in a body itself.
    pub(crate) within: Option<&'b Layer<'b>>,
    pub(crate) span: Range<usize>,
    /// The bytes are those that are written there, one for one.
    pub(crate) is_written: bool,
}

impl<'b> Source<'b> {
    /// All of a body.
    pub(crate) const fn body(bytes: &'b [u8]) -> Self {
        Self {
            bytes,
            within: None,
            span: 0..bytes.len(),
            is_written: true,
        }
    }

    /// Other bytes that stand for the same.
    pub(crate) fn standing_for<'c>(&'c self, bytes: &'c [u8]) -> Source<'c> {
        Source {
            bytes,
            within: self.within,
            span: self.span.clone(),
            is_written: false,
        }
    }

    /// The bytes `range` of these.
    pub(crate) fn slice(&self, range: Range<usize>) -> Source<'_> {
        Source {
            bytes: self.bytes.get(range.clone()).unwrap_or_default(),
            within: self.within,
            span: self.written(&range),
            is_written: self.is_written,
        }
    }

    /// Where `range` of these bytes is written.
    pub(crate) const fn written(&self, range: &Range<usize>) -> Range<usize> {
        if self.is_written {
            self.span.start + range.start..self.span.start + range.end
        } else {
            self.span.start..self.span.end
        }
    }

    /// The layer of `text`, which is these bytes or what they stand for.
    pub(crate) fn layer<'t>(&'t self, text: &'t str, is_written: bool) -> Layer<'t> {
        match self.within {
            None if is_written && self.is_written => Layer::at(text, self.span.start),
            None => Layer::covering(self.span.clone()),
            Some(layer) if is_written && self.is_written => layer.written(text, self.span.start),
            Some(layer) => layer.over(self.span.clone()),
        }
    }
}

/// `bytes` as text that people or programs write.
pub(crate) fn readable(bytes: &[u8]) -> Option<&str> {
    let is_written = |it: char| !it.is_control() || matches!(it, '\t' | '\n' | '\r');
    let text = std::str::from_utf8(bytes).ok()?;
    text.chars().all(is_written).then_some(text)
}

/// Reads `source` as its `headers` say.
pub(crate) fn read<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    place: &Place,
    entered: &Entered,
    headers: &HeaderMap,
    source: &Source<'_>,
) {
    let opened = content::open_part(headers, source.bytes, &walk.reading.plan.budget);
    if !walk.reading.spend(opened.work, place.node) {
        return;
    }
    if let Ok(content) = &opened.content
        && let Matter::Text(text) = &content.matter
    {
        walk.claim(entered.roles, &text.text, entered.record);
        walk.name_pair(&text.text);
    }
    if entered.roles.is_not_personal {
        return;
    }
    body::read_aside(walk.reading, &opened.aside, |_| place.node);
    let fault = match opened.content {
        Ok(Content {
            media_type,
            matter: Matter::Text(text),
            fault,
        }) => {
            let layer = source.layer(&text.text, matches!(text.text, Cow::Borrowed(_)));
            place.read_format(walk.reading, &media_type, &text, &layer);
            walk.note_text(&text.text, &layer, 0, entered.record);
            fault
        }
        Ok(Content {
            media_type,
            matter: Matter::Bytes(bytes),
            fault,
        }) if let Format::Binary(format) = media_type.format => {
            match &bytes {
                Cow::Borrowed(_) => place.read_binary(walk.reading, format, source),
                Cow::Owned(bytes) => {
                    let plain = source.standing_for(bytes);
                    place.read_binary(walk.reading, format, &plain);
                }
            }
            fault
        }
        Ok(Content {
            media_type,
            matter: Matter::Bytes(bytes),
            fault,
        }) => {
            let format = media_type.format;
            match &bytes {
                Cow::Borrowed(_) => place.read_messages(walk.reading, format, headers, source),
                Cow::Owned(bytes) => {
                    let plain = source.standing_for(bytes);
                    place.read_messages(walk.reading, format, headers, &plain);
                }
            }
            fault
        }
        Err(GapKind::Opaque) if mail::begins(source.bytes) && is_any_file(headers) => {
            // What says for itself that it is a mail is read as one.
            place.read_messages(walk.reading, Format::Mail, headers, source);
            None
        }
        Err(kind) => return read_unread(walk, place, source, kind),
    };
    if let Some(kind) = fault.filter(|_| !walk.reading.is_halted) {
        walk.reading.gap(kind, place.node, None);
    }
}

/// Whether the label says nothing of the content but that it is bytes.
fn is_any_file(headers: &HeaderMap) -> bool {
    let label = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let label = label.and_then(|it| it.get(.."application/octet-stream".len()));
    label.is_some_and(|it| it.eq_ignore_ascii_case(b"application/octet-stream"))
}

/// Notes the gap of a content that is not read by its label. Whoever goes by the bytes and not by the label may still read text.
fn read_unread<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    place: &Place,
    source: &Source<'_>,
    kind: GapKind,
) {
    walk.reading.gap(kind, place.node, None);
    if let Some(magic) = magic::of(source.bytes) {
        let (spot, layer) = (place.spot(place.node), source.layer("", false));
        let first = walk.reading.finds.len();
        return magic::find(walk.reading, magic, place.around, &spot, &layer, first);
    }
    read_plainly(walk.reading, place, source);
}

/// Reads `source` as one text, where it is text.
pub(crate) fn read_plainly<S: Scan>(
    reading: &mut Reading<'_, S>,
    place: &Place,
    source: &Source<'_>,
) {
    if let Some(text) = readable(source.bytes) {
        place.read_text(reading, text, &source.layer(text, true));
    }
}

/// Where a part stands.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) node: NodeId,
    pub(crate) around: Around,
    pub(crate) record: Option<usize>,
    pub(crate) is_person: bool,
    pub(crate) depth_left: usize,
}

impl Place {
    /// The place of the value that was entered last, with a node of its own.
    pub(crate) fn of<S: Scan>(walk: &mut Walk<'_, '_, S>, entered: &Entered) -> Self {
        let spot = walk.spot(entered.record);
        let node = match spot.leaf {
            None => spot.node,
            leaf => walk
                .reading
                .push(Some(spot.node), NodeKind::Scalar, leaf, false),
        };
        Self {
            node,
            around: entered.around,
            record: entered.record,
            is_person: spot.is_person,
            depth_left: entered.depth_left,
        }
    }

    pub(crate) fn spot(&self, node: NodeId) -> Spot {
        Spot {
            record: self.record,
            is_person: self.is_person,
            ..Spot::of(node)
        }
    }

    /// Reads the text of `layer` as one value.
    pub(crate) fn read_text<S: Scan>(
        &self,
        reading: &mut Reading<'_, S>,
        text: &str,
        layer: &Layer<'_>,
    ) {
        let value = Value {
            text,
            kind: ValueKind::String,
            around: self.around,
            layer,
            at: 0,
            depth_left: self.depth_left,
        };
        read_value(reading, &value, self.node, |_| self.spot(self.node));
    }

    /// Reads the text of `layer` in its format. A document that has members is one inside a value.
    fn read_format<S: Scan>(
        &self,
        reading: &mut Reading<'_, S>,
        media_type: &MediaType,
        text: &Text<'_>,
        layer: &Layer<'_>,
    ) {
        let root = if media_type.format == Format::Text {
            self.node
        } else {
            reading.push(Some(self.node), NodeKind::Inner, None, self.is_person)
        };
        let document = Document {
            from: text.start(),
            ..self.document(&text.text, layer, root)
        };
        body::read_text(reading, media_type, text, &document);
    }

    fn read_binary<S: Scan>(
        &self,
        reading: &mut Reading<'_, S>,
        format: Binary,
        source: &Source<'_>,
    ) {
        let root = reading.push(Some(self.node), NodeKind::Inner, None, self.is_person);
        let layer = Layer::root("");
        let document = self.document("", &layer, root);
        binary::read(reading, format, source, &HeaderMap::new(), &document);
    }

    /// Reads what holds messages: a mail, parts, a request of a batch.
    fn read_messages<S: Scan>(
        &self,
        reading: &mut Reading<'_, S>,
        format: Format,
        headers: &HeaderMap,
        source: &Source<'_>,
    ) {
        let root = reading.push(Some(self.node), NodeKind::Inner, None, self.is_person);
        let layer = Layer::root("");
        let document = self.document("", &layer, root);
        if format == Format::Http {
            mail::http::read(reading, &document, source);
        } else if format == Format::Mail {
            mail::read(reading, &document, source);
        } else {
            let label = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
            let label = label.unwrap_or_default();
            mail::read_multipart(reading, &document, source, label);
        }
    }

    fn document<'a>(&self, text: &'a str, layer: &'a Layer<'a>, root: NodeId) -> Document<'a> {
        Document {
            around: self.around,
            record: self.record,
            depth_max: self.depth_left,
            is_body: false,
            ..Document::body(text, layer, root, 0)
        }
    }
}
