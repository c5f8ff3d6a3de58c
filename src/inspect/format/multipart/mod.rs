//! `multipart/form-data` (RFC 7578), `multipart/mixed`, `multipart/alternative` and `multipart/related` (RFC 2046, RFC 2387).
//!
//! To selectors and in locations a form is one object: each part under its name, or the list of them when the name is repeated; the
//! others are arrays. A part is read in the format and charset of its own label; a document in it is a document inside a value, as
//! in a JSON string. Its header fields and its file name are read as values, and named beside the path.

mod head;
pub(crate) mod split;

use std::ops::Range;

use http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};

use super::{
    super::{
        charset,
        detect::{Field as Scanned, KeyHint, ValueKind},
    },
    form::field_key,
    json::{Around, Document, Value, read_value},
    layer::{Escape, Layer},
    part::{self, Place, Source},
    reading::{NodeId, NodeKind, Reading, Scan, Spot, is_message_id},
    sealed,
    walk::{Key, Member, Walk, walk},
};
use crate::model::finding::{GapKind, Step};
use head::{Field, Parameter, Parameterised};
use split::{Lines, Section, is_boundary, split};

/// Reads a multipart `body` with this label.
pub(crate) fn read<S: Scan>(reading: &mut Reading<'_, S>, body: &[u8], label: &str, root: NodeId) {
    if !reading.spend(body.len() as u64, root) {
        return;
    }
    let (boundary, is_form) = match boundary_of(label) {
        Ok(it) => it,
        Err(kind) => {
            reading.gap(kind, root, None);
            return read_outside(reading, body, 0..body.len(), root);
        }
    };
    let most = usize::try_from(reading.plan.budget.values).unwrap_or(usize::MAX);
    let lines = Lines::of(body, &boundary, is_form);
    let split = split(body, &boundary, lines, most);
    if split.is_ambiguous {
        reading.gap(GapKind::Ambiguous, root, None);
    }
    if split.is_malformed {
        reading.gap(GapKind::Malformed, root, None);
    }
    for range in split.outside {
        read_outside(reading, body, range, root);
    }
    let sections = split.sections.into_iter();
    let parts: Vec<_> = sections
        .map(|it| Part::of(reading, body, it, lines, is_form))
        .collect();
    let layer = Layer::root("");
    let document = Document::body("", &layer, root, reading.plan.budget.depth);
    walk(reading, &document, |walk| {
        walk.open(is_form, 0);
        if is_form {
            walk.members(
                &parts,
                |walk, it| it.read_name(walk),
                |walk, it, _| {
                    it.read(walk, body);
                },
            );
        } else {
            for part in &parts {
                if walk.is_halted() {
                    break;
                }
                part.read(walk, body);
            }
        }
        walk.close(body.len());
    });
}

/// The boundary of a label, and whether its parts have names.
pub(crate) fn boundary_of(label: &str) -> Result<(String, bool), GapKind> {
    let label = Parameterised::parse(label)?;
    let is_form = match label.kind.as_str() {
        "multipart/form-data" => true,
        "multipart/alternative" | "multipart/mixed" | "multipart/related" => false,
        _ => return Err(GapKind::UnsupportedMediaType),
    };
    // Some recipients read every part in this charset, whatever the parts say.
    if let Some(charset) = label.one("charset")?
        && !charset::is_over_ascii(charset.raw)
    {
        return Err(GapKind::UnsupportedCharset);
    }
    match label.one("boundary")? {
        Some(it) if !it.is_extended && is_boundary(it.raw) => Ok((it.raw.to_owned(), is_form)),
        Some(_) => Err(GapKind::Ambiguous),
        None => Err(GapKind::Malformed),
    }
}

/// Reads what is no part, or a part that is not what its label says, where it is text.
fn read_outside<S: Scan>(
    reading: &mut Reading<'_, S>,
    body: &[u8],
    range: Range<usize>,
    root: NodeId,
) {
    let place = Place {
        node: root,
        around: Around::default(),
        record: None,
        is_person: false,
        depth_left: reading.plan.budget.depth as usize,
    };
    part::read_plainly(reading, &place, &Source::body(body).slice(range));
}

/// How the content of a part is written (RFC 2045 §6). Forms do without, and some recipients do not undo it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Transfer {
    Base64,
    Plain,
    QuotedPrintable,
}

/// One part.
#[derive(Debug)]
struct Part<'b> {
    section: Section,
    fields: Vec<Field<'b>>,
    key: Key,
    /// Where the name is written, and whether it has escapes.
    name: Option<(&'b str, usize, bool)>,
    /// The fields that say how the content is read.
    headers: HeaderMap,
    transfer: Transfer,
    faults: Vec<GapKind>,
}

impl Member for Part<'_> {
    fn key(&self) -> Key {
        self.key
    }

    fn span(&self) -> Range<usize> {
        self.section.content.clone()
    }
}

impl<'b> Part<'b> {
    fn of<S: Scan>(
        reading: &mut Reading<'_, S>,
        body: &'b [u8],
        section: Section,
        lines: Lines,
        is_form: bool,
    ) -> Self {
        let head = body.get(section.head.clone()).unwrap_or_default();
        let (fields, fault) = match head::fields(head, section.head.start, lines.end()) {
            Ok(fields) => (fields, None),
            Err(fault) => (Vec::new(), Some(fault)),
        };
        let mut it = Self {
            section,
            fields,
            key: Key::default(),
            name: None,
            headers: HeaderMap::new(),
            transfer: Transfer::Plain,
            faults: fault.into_iter().collect(),
        };
        if let Err(fault) = it.take_headers() {
            it.faults.push(fault);
        }
        if is_form {
            let name = it.take_name().unwrap_or_else(|fault| {
                it.faults.push(fault);
                String::new()
            });
            it.check_charset(body, &name);
            it.key = field_key(reading, &name);
        }
        it
    }

    /// The one field called `name`.
    fn field(&self, name: &str) -> Result<Option<&Field<'b>>, GapKind> {
        let mut all = self.fields.iter().filter(|it| it.is(name));
        match (all.next(), all.next()) {
            (first, None) => Ok(first),
            (_, Some(_)) => Err(GapKind::Ambiguous),
        }
    }

    fn take_headers(&mut self) -> Result<(), GapKind> {
        let header =
            |field: &Field<'_>| HeaderValue::from_str(field.value).map_err(|_| GapKind::Ambiguous);
        let label = match self.field("content-type")? {
            Some(label) => header(label)?,
            None => HeaderValue::from_static("text/plain"),
        };
        self.headers.insert(CONTENT_TYPE, label);
        if let Some(coding) = self.field("content-encoding")? {
            let coding = header(coding)?;
            self.headers.insert(CONTENT_ENCODING, coding);
        }
        let transfer = self.field("content-transfer-encoding")?;
        let transfer = transfer.map(|it| it.value.to_ascii_lowercase());
        self.transfer = match transfer.as_deref() {
            None | Some("7bit" | "8bit" | "binary") => Transfer::Plain,
            Some("base64") => Transfer::Base64,
            Some("quoted-printable") => Transfer::QuotedPrintable,
            Some(_) => return Err(GapKind::UnsupportedCoding),
        };
        Ok(())
    }

    /// The name under which a form knows the part.
    fn take_name(&mut self) -> Result<String, GapKind> {
        let field = self.field("content-disposition")?;
        let (value, at) = field
            .map(|it| (it.value, it.at))
            .ok_or(GapKind::Malformed)?;
        let disposition = Parameterised::parse(value)?;
        if disposition.kind != "form-data" {
            return Err(GapKind::Ambiguous);
        }
        let name = disposition.one("name")?.ok_or(GapKind::Malformed)?;
        // Some take a backslash for an escape, and some for itself.
        if name.raw.contains('\\') {
            return Err(GapKind::Ambiguous);
        }
        self.name = Some((name.raw, at + name.at, name.is_extended));
        Ok(name.text()?.into_owned())
    }

    /// RFC 7578 §4.6: a field of this name says in what charset the others are.
    fn check_charset(&mut self, body: &[u8], name: &str) {
        let content = body.get(self.section.content.clone()).unwrap_or_default();
        if name == "_charset_" && !content.eq_ignore_ascii_case(b"utf-8") {
            self.faults.push(GapKind::UnsupportedCharset);
        }
    }

    fn read_name<S: Scan>(&self, walk: &mut Walk<'_, '_, S>) {
        let Some((raw, at, is_extended)) = self.name else {
            return;
        };
        let layer = Layer::at(raw, at);
        if is_extended {
            walk.read_name(self.key.name, &layer.inside(raw, 0, Escape::Whole));
        } else {
            walk.read_name(self.key.name, &layer);
        }
    }

    fn read<S: Scan>(&self, walk: &mut Walk<'_, '_, S>, body: &[u8]) {
        let bytes = body.get(self.section.content.clone()).unwrap_or_default();
        let text = || String::from_utf8_lossy(bytes).into_owned();
        let Some(entered) = walk.value(self.section.content.clone(), text) else {
            return;
        };
        let place = Place::of(walk, &entered);
        for fault in &self.faults {
            walk.reading.gap(*fault, place.node, None);
        }
        for field in &self.fields {
            if !walk.reading.count_value(place.node) {
                return;
            }
            place.read_field(walk.reading, field, self.name.is_some());
        }
        let whole = Source::body(body);
        let source = whole.slice(self.section.content.clone());
        if self.transfer == Transfer::Plain {
            return part::read(walk, &place, &entered, &self.headers, &source);
        }
        let first = walk.reading.finds.len();
        if !entered.roles.is_not_personal {
            part::read_plainly(walk.reading, &place, &source);
        }
        let decoded = match self.transfer {
            Transfer::Base64 => sealed::decode_folded(bytes),
            Transfer::Plain | Transfer::QuotedPrintable => quoted_printable(bytes),
        };
        let Some(decoded) = decoded else {
            return walk.reading.gap(GapKind::Malformed, place.node, None);
        };
        let mut said = walk.reading.said(first);
        let known = walk.reading.finds.len();
        let content = source.standing_for(&decoded);
        part::read(walk, &place, &entered, &self.headers, &content);
        walk.reading.drop_repeats(known, &mut said);
    }
}

/// Undoes quoted-printable (RFC 2045 §6.7); `None` when it is not.
pub(crate) fn quoted_printable(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'=' {
            out.push(*byte);
        } else if let Some(after) = rest.strip_prefix(b"\r\n").or(rest.strip_prefix(b"\n")) {
            rest = after;
        } else {
            let (digits, after) = rest.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok()?;
            out.push(
                u8::from_str_radix(digits, 16)
                    .ok()
                    .filter(|_| !digits.starts_with('+'))?,
            );
            rest = after;
        }
    }
    Some(out)
}

impl Place {
    /// Reads a header field of the part. The name of a part that has one is read as the name of its member.
    fn read_field<S: Scan>(&self, reading: &mut Reading<'_, S>, field: &Field<'_>, has_name: bool) {
        let name = field.name.to_ascii_lowercase();
        let hint = hint(reading, &name);
        let scanned = Scanned::new(field.name, ValueKind::Key, hint, KeyHint::default());
        if reading.detect(&scanned, self.node) {
            let spot = Spot {
                in_key: true,
                ..self.spot(self.named(reading, &name))
            };
            reading.keep(&spot, &Layer::at(field.name, field.name_at), 0);
        }
        if !field.is("content-disposition") {
            let layer = Layer::at(field.value, field.at);
            let first = reading.finds.len();
            self.read_named(reading, &name, hint, field.value, &layer);
            if is_message_id(&name) {
                reading.drop_message_ids(first, field.value, field.at);
            }
            return;
        }
        match Parameterised::parse(field.value) {
            Ok(it) => {
                let kind = field.value.split(';').next().unwrap_or_default();
                let layer = Layer::at(kind, field.at);
                self.read_named(reading, &name, KeyHint::default(), kind, &layer);
                self.read_parameters(reading, field, &it, has_name);
            }
            // What is doubtful is read as it stands.
            Err(_) => {
                let layer = Layer::at(field.value, field.at);
                self.read_named(reading, &name, KeyHint::default(), field.value, &layer);
            }
        }
    }

    fn read_parameters<S: Scan>(
        &self,
        reading: &mut Reading<'_, S>,
        field: &Field<'_>,
        disposition: &Parameterised<'_>,
        has_name: bool,
    ) {
        let is_read = |it: &Parameter<'_>| has_name && it.name == "name";
        let mut pieces = String::new();
        for it in disposition.parameters.iter().filter(|it| !is_read(it)) {
            if it.is_piece {
                pieces.push_str(it.raw);
                continue;
            }
            let layer = Layer::at(it.raw, field.at + it.at);
            let hint = hint(reading, &it.name);
            match it.text() {
                Ok(text) if it.is_extended => {
                    let layer = layer.inside(it.raw, 0, Escape::Whole);
                    self.read_named(reading, &it.name, hint, &text, &layer);
                }
                Ok(text) => self.read_named(reading, &it.name, hint, &text, &layer),
                Err(kind) => {
                    let node = self.named(reading, &it.name);
                    reading.gap(kind, node, None);
                    self.read_named(reading, &it.name, hint, it.raw, &layer);
                }
            }
        }
        if disposition.parameters.iter().any(|it| it.is_piece) {
            reading.gap(GapKind::Ambiguous, self.node, None);
            let layer = Layer::covering(field.at..field.at + field.value.len());
            self.read_named(reading, "filename", KeyHint::default(), &pieces, &layer);
        }
    }

    /// Reads a text that is named `name` beside the path of the part.
    fn read_named<S: Scan>(
        &self,
        reading: &mut Reading<'_, S>,
        name: &str,
        hint: KeyHint,
        text: &str,
        layer: &Layer<'_>,
    ) {
        let value = Value {
            text,
            kind: ValueKind::String,
            around: Around {
                key: hint,
                parent: KeyHint::default(),
            },
            layer,
            at: 0,
            depth_left: self.depth_left,
        };
        read_value(reading, &value, self.node, |reading| {
            self.spot(self.named(reading, name))
        });
    }

    fn named<S: Scan>(&self, reading: &mut Reading<'_, S>, name: &str) -> NodeId {
        let step = Some(Step::Name(name.into()));
        reading.push(Some(self.node), NodeKind::Field, step, false)
    }
}

fn hint<S: Scan>(reading: &mut Reading<'_, S>, name: &str) -> KeyHint {
    let scan = reading.scan;
    let id = reading.keys.intern(name, |it| scan.lookup(it));
    reading.keys.hint(id)
}

/// The names of the parts of a form, for tests; a part without one has an empty name.
#[cfg(test)]
pub(crate) fn names(body: &[u8], boundary: &str) -> Vec<String> {
    let split = split(body, boundary, Lines::CrLf, usize::MAX - 1);
    let sections = split.sections.into_iter();
    sections
        .map(|it| {
            let head = body.get(it.head).unwrap_or_default();
            let fields = head::fields(head, 0, Lines::CrLf.end()).unwrap_or_default();
            let value = fields.iter().find(|it| it.is("content-disposition"))?.value;
            let it = Parameterised::parse(value).ok()?;
            Some(it.one("name").ok()??.text().ok()?.into_owned())
        })
        .map(Option::unwrap_or_default)
        .collect()
}
