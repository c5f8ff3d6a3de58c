//! JSON bodies, and JSON documents that are the value of a string anywhere.

pub(crate) mod lines;
mod objects;
pub(crate) mod token;

use std::ops::Range;

use http::{HeaderMap, HeaderValue, header::CONTENT_ENCODING};

use super::{
    super::{
        coding,
        detect::{Field, KeyHint, Speaks, ValueKind},
        selector::Track,
        signs::{Signs, sign},
    },
    binary::BYTES_MAX,
    embedded::{self, Embedded},
    layer::{Escape, Layer},
    magic,
    reading::{NodeId, NodeKind, Reading, Scan, Spot},
    sealed::{self, Sealed},
    veil::{self, Unveiled},
    walk::{Leaf, Walk, passes},
};
use crate::model::finding::GapKind;
use token::{Fault, Lexeme, Token, Tokenizer};

/// Encodings around one another that are undone in a content; more are a gap. Those of a format, such as the transfer encodings of
/// mail, do not count, nor what is around a mail: each mail takes levels, and those are bounded.
const VEILS_MAX: usize = 3;

/// Longest number that is written out: no identifier has more digits (ISO/IEC 7812), and none fewer than one sign.
const DIGITS_MAX: usize = 20;

/// What stands around a value.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Around {
    /// Hint of its own key.
    pub(crate) key: KeyHint,
    /// Hint of the key of the object around it.
    pub(crate) parent: KeyHint,
}

impl Around {
    /// Hint for the members of a container here: what only says that it holds what the key around names is looked through.
    pub(crate) fn of_members(self) -> KeyHint {
        let is_seen_through = self.key.of_parent == Speaks::Whole
            && self.key.category.is_none()
            && !self.key.is_attribute_list;
        if is_seen_through {
            self.parent
        } else {
            self.key
        }
    }
}

/// A document to walk.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(crate) text: &'a str,
    /// The layer of which `text` is the text.
    pub(crate) layer: &'a Layer<'a>,
    /// Where reading starts: after a byte order mark.
    pub(crate) from: usize,
    pub(crate) root: NodeId,
    pub(crate) around: Around,
    pub(crate) record: Option<usize>,
    pub(crate) depth_max: usize,
    /// Times that percent escapes are undone in a value beyond the escapes of the format.
    pub(crate) rounds: usize,
    /// It is the body, into which selectors look; not a document inside a value.
    pub(crate) is_body: bool,
}

impl<'a> Document<'a> {
    /// The whole `text` of `layer`, as the body whose root is `root`.
    pub(crate) fn body(text: &'a str, layer: &'a Layer<'a>, root: NodeId, depth: u32) -> Self {
        Self {
            text,
            layer,
            from: 0,
            root,
            around: Around::default(),
            record: None,
            depth_max: depth as usize,
            rounds: 0,
            is_body: true,
        }
    }
}

/// Reads a document that is labelled JSON.
pub(crate) fn read<S: Scan>(reading: &mut Reading<'_, S>, document: &Document<'_>) {
    let root = document.root;
    let tree = || serde_json::from_str(document.text.get(document.from..)?).ok();
    let (track, is_tree) = track(reading, document, tree);
    let end = passes(reading, track, |reading, track, known| {
        let mut walk = Walk::new(reading, document, track);
        walk.known = known;
        let end = feed(&mut walk, document.text, document.from, document.depth_max);
        (walk.finish(), end)
    });
    match end {
        Err((fault, at)) => {
            reading.gap(fault.gap(), root, None);
            read_rest(reading, document, at..document.text.len());
        }
        Ok(()) if reading.is_halted || is_tree => {}
        Ok(()) => reading.gap(GapKind::Malformed, root, None),
    }
}

/// Reads what stands behind a fault as text: an operator may have opened the gap that the fault is.
pub(crate) fn read_rest<S: Scan>(
    reading: &mut Reading<'_, S>,
    document: &Document<'_>,
    range: Range<usize>,
) {
    let rest = document.text.get(range.clone()).unwrap_or_default();
    // What is open here is no document of its own.
    let text = rest.trim_start_matches(['[', '{', ' ', ',', ':']);
    if text.is_empty() || reading.is_halted {
        return;
    }
    let value = Value {
        text,
        kind: ValueKind::String,
        around: document.around,
        layer: document.layer,
        at: range.end - text.len(),
        depth_left: document.depth_max,
    };
    read_value(reading, &value, document.root, |_| Spot {
        record: document.record,
        is_person: document.around.key.is_person,
        ..Spot::of(document.root)
    });
}

/// Feeds the document in `text` from byte `from` to its end, the first fault, or the end of a budget. A fault comes with the end of
/// what was read before it.
fn feed<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    text: &str,
    from: usize,
    depth_max: usize,
) -> Result<(), (Fault, usize)> {
    let mut tokens = Tokenizer::new(text, from, depth_max);
    let mut at = from;
    while let Some(lexeme) = tokens.next().map_err(|it| (it, at))? {
        at = lexeme.outer_span().end;
        match lexeme.token {
            Token::Key => walk.written_name(&leaf(&lexeme, ValueKind::Key)),
            Token::ObjectStart | Token::ArrayStart => {
                walk.open(lexeme.token == Token::ObjectStart, lexeme.start);
            }
            Token::ObjectEnd | Token::ArrayEnd => walk.close(lexeme.end),
            Token::String => walk.leaf(&leaf(&lexeme, ValueKind::String)),
            Token::Number => walk.leaf(&leaf(&lexeme, ValueKind::Number)),
            Token::Literal => walk.leaf(&leaf(&lexeme, ValueKind::Literal)),
        }
        if walk.is_halted() {
            break;
        }
    }
    Ok(())
}

fn leaf(lexeme: &Lexeme, kind: ValueKind) -> Leaf {
    Leaf {
        start: lexeme.start,
        end: lexeme.end,
        quotes: usize::from(matches!(kind, ValueKind::Key | ValueKind::String)),
        escape: if lexeme.is_escaped {
            Escape::Json
        } else {
            Escape::None
        },
        kind,
    }
}

/// The run of the plan's selectors over a body, when some look into it, and whether what they need of a `tree` could be had: a number
/// beyond f64 or more than 128 levels are no fault of the grammar, but cannot be selected.
fn track<'p, S: Scan>(
    reading: &mut Reading<'p, S>,
    document: &Document<'_>,
    tree: impl FnOnce() -> Option<serde_json::Value>,
) -> (Option<Track<'p>>, bool) {
    let plan = reading.plan;
    if !document.is_body || plan.selectors.has_no_paths() {
        return (None, true);
    }
    let (mut in_tree, mut is_tree) = (Vec::new(), true);
    let cost = 4 * document.text.len() as u64;
    if plan.selectors.needs_tree() && reading.spend(cost, document.root) {
        match tree() {
            Some(value) => in_tree = plan.selectors.in_tree(&value),
            None => is_tree = false,
        }
    }
    let track = Track::new(&plan.selectors, in_tree, plan.sections.len());
    (Some(track), is_tree)
}

/// A string value: a document in itself, or text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a> {
    pub(crate) text: &'a str,
    pub(crate) kind: ValueKind,
    pub(crate) around: Around,
    /// The layer in whose text `text` starts at `at`.
    pub(crate) layer: &'a Layer<'a>,
    pub(crate) at: usize,
    pub(crate) depth_left: usize,
}

/// Scans `value`; `spot` gives its place, and is asked only when there is something to place.
pub(crate) fn read_value<S: Scan>(
    reading: &mut Reading<'_, S>,
    value: &Value<'_>,
    near: NodeId,
    mut spot: impl FnMut(&mut Reading<'_, S>) -> Spot,
) {
    let is_text = value.kind == ValueKind::String;
    let mut field = Field::new(
        value.text,
        value.kind,
        value.around.key,
        value.around.parent,
    );
    let signs = field.signs;
    if is_text
        && signs.has_any(sign::BRACE | sign::BRACKET)
        && matches!(first_byte(value.text), Some(b'{' | b'['))
        && read_whole(reading, value, near, &mut spot)
    {
        return;
    }
    if is_plain(&field) {
        if reading.detect(&field, near) {
            let spot = spot(reading);
            reading.keep(&spot, value.layer, value.at);
        }
        return;
    }
    let document = Embedded::of(value, signs);
    if let Some(document @ (Embedded::ContentLines | Embedded::Mail)) = document {
        let spot = spot(reading);
        return embedded::read(reading, value, document, &spot);
    }
    let mut placed = None;
    let first_find = reading.finds.len();
    let sealed = if is_text {
        sealed_in(value)
    } else {
        Vec::new()
    };
    let has_documents = !sealed.is_empty();
    if has_documents {
        let spot = placed.get_or_insert_with(|| spot(reading));
        read_sealed(reading, value, &sealed, spot);
    }
    let whole;
    if reading.detect(&field, near) {
        let spot = placed.get_or_insert_with(|| spot(reading));
        reading.keep(spot, value.layer, value.at);
    } else if value.kind == ValueKind::Number
        && let Some(digits) = integer(value.text)
    {
        whole = digits;
        field = Field::new(&whole, field.kind, field.key, field.parent);
        if reading.detect(&field, near) {
            let spot = placed.get_or_insert_with(|| spot(reading));
            let layer = value.layer.inside(value.text, value.at, Escape::Whole);
            reading.keep(spot, &layer, 0);
        }
    }
    if is_text && signs.has(sign::BRACE) {
        read_objects(reading, value, near, first_find, |reading| {
            placed.get_or_insert_with(|| spot(reading)).clone()
        });
    }
    if let Some(unveiled) = unveiled_in(value, signs, has_documents) {
        let spot = placed.get_or_insert_with(|| spot(reading));
        read_unveiled(reading, value, &unveiled, spot, first_find);
    }
    if let Some(document) = document {
        let spot = placed.get_or_insert_with(|| spot(reading));
        read_beside(reading, value, document, spot, first_find);
    }
}

/// The documents in base64 in `value`.
fn sealed_in<'v>(value: &Value<'v>) -> Vec<Sealed<'v>> {
    let mut sealed = sealed::documents(value.text);
    sealed.retain(|it| token::document_fault(&it.text, value.depth_left).is_none());
    sealed
}

/// What stands encoded in `value`, but for the documents in base64 when they were read. No number has so many digits as a text in
/// hexadecimal.
fn unveiled_in(value: &Value<'_>, signs: Signs, has_documents: bool) -> Option<Unveiled> {
    let is_digits = value.kind == ValueKind::Number && value.text.len() > DIGITS_MAX;
    if value.kind != ValueKind::String && !is_digits {
        return None;
    }
    let mut unveiled = veil::lift(value.text, signs)?;
    if has_documents {
        let texts = &mut unveiled.texts;
        texts.retain(|it| token::document_fault(it, value.depth_left).is_some());
    }
    Some(unveiled)
}

/// Whether the text is a short word without any sign of a document or an encoding.
fn is_plain(field: &Field<'_>) -> bool {
    const TELLING: u32 =
        sign::CANDIDATE | sign::SPACE | sign::ESCAPE | sign::BRACKET | sign::BRACE | sign::TAG;
    field.text.len() < veil::STRETCH_MIN && !field.signs.has_any(TELLING)
}

/// Reads `value` as the `document` that it is too: what its names say is said beside what the text said from `first_find` on.
fn read_beside<S: Scan>(
    reading: &mut Reading<'_, S>,
    value: &Value<'_>,
    document: Embedded,
    spot: &Spot,
    first_find: usize,
) {
    let mut said = reading.said(first_find);
    let known = reading.finds.len();
    embedded::read(reading, value, document, spot);
    reading.drop_repeats(known, &mut said);
    reading.drop_doubles(first_find, known);
}

/// The first byte of `text` behind white space.
pub(super) fn first_byte(text: &str) -> Option<u8> {
    match text.as_bytes().first()? {
        it @ b'!'..=b'~' => Some(*it),
        _ => text.trim_start().bytes().next(),
    }
}

/// Walks `value` if it is one document; whether there is no more to read in it.
fn read_whole<S: Scan>(
    reading: &mut Reading<'_, S>,
    value: &Value<'_>,
    near: NodeId,
    spot: &mut impl FnMut(&mut Reading<'_, S>) -> Spot,
) -> bool {
    if !reading.spend(value.text.len() as u64, near) {
        return true;
    }
    let fault = token::document_fault(value.text, value.depth_left);
    if fault == Some(Fault::Malformed) {
        return false;
    }
    let spot = spot(reading);
    if fault.is_none() {
        read_inner(reading, value, &spot);
    } else {
        reading.gap(GapKind::DepthExceeded, spot.node, spot.leaf.as_ref());
    }
    true
}

/// Walks the documents that stand inside the text of `value`. What was found before, from `first_find` on, is not found again.
fn read_objects<S: Scan>(
    reading: &mut Reading<'_, S>,
    value: &Value<'_>,
    near: NodeId,
    first_find: usize,
    mut spot: impl FnMut(&mut Reading<'_, S>) -> Spot,
) {
    let (mut from, mut placed) = (0, None);
    while let Some(look) = objects::look(value.text, from, value.depth_left) {
        if !reading.spend(look.cost as u64, near) {
            return;
        }
        from = look.next;
        if look.is_too_deep {
            let spot = spot(reading);
            reading.gap(GapKind::DepthExceeded, spot.node, spot.leaf.as_ref());
        }
        let Some((range, text)) = look
            .found
            .and_then(|it| Some((it.clone(), value.text.get(it)?)))
        else {
            continue;
        };
        let placed = placed.get_or_insert_with(|| reading.placed(first_find));
        let known = reading.finds.len();
        let spot = spot(reading);
        let inner = Value {
            text,
            at: value.at + range.start,
            ..*value
        };
        read_inner(reading, &inner, &spot);
        reading.keep_surest(known, placed);
    }
}

/// Reads what stood encoded in `value`, each text as a value of its own. What was found before, from `first_find` on, is not
/// found again.
pub(crate) fn read_unveiled<S: Scan>(
    reading: &mut Reading<'_, S>,
    value: &Value<'_>,
    unveiled: &Unveiled,
    spot: &Spot,
    first_find: usize,
) {
    if unveiled.is_opaque {
        reading.gap(GapKind::Opaque, spot.node, spot.leaf.as_ref());
    }
    let layer = value.layer.veiled(value.text, value.at);
    if let Some(magic) = unveiled.magic.filter(|_| value.kind == ValueKind::String) {
        magic::find(reading, magic, value.around, spot, &layer, first_find);
    }
    if !unveiled.is_bare() && layer.veils() > VEILS_MAX {
        return reading.gap(GapKind::DepthExceeded, spot.node, spot.leaf.as_ref());
    }
    let mut said = reading.said(first_find);
    let mut unpacked = Vec::new();
    for (bytes, coding) in &unveiled.compressed {
        unpacked.extend(unpack(reading, bytes, coding, spot));
    }
    let inner = |text| Value {
        text,
        kind: ValueKind::String,
        around: value.around,
        layer: &layer,
        at: 0,
        depth_left: value.depth_left,
    };
    for text in unveiled.texts.iter().chain(&unpacked) {
        if !reading.spend(text.len() as u64, spot.node) {
            return;
        }
        let known = reading.finds.len();
        read_value(reading, &inner(text), spot.node, |_| spot.clone());
        reading.drop_repeats(known, &mut said);
    }
    for bytes in &unveiled.mails {
        let known = reading.finds.len();
        embedded::read_mail(reading, &inner(""), bytes, spot);
        reading.drop_repeats(known, &mut said);
    }
}

/// The text of compressed `bytes`; what is none of it is a gap, but for what is as short as an id.
fn unpack<S: Scan>(
    reading: &mut Reading<'_, S>,
    bytes: &[u8],
    coding: &'static str,
    spot: &Spot,
) -> Option<String> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    let bare = coding::undo(&headers, bytes, &reading.plan.budget);
    if !reading.spend(bare.work, spot.node) {
        return None;
    }
    let mut gap = bare.fault;
    if bare.aside.is_opaque || !bare.aside.texts.is_empty() {
        gap = Some(GapKind::Opaque);
    }
    let text = match String::from_utf8(bare.bytes.into_owned()) {
        Ok(text) => text,
        Err(error) => {
            if error.as_bytes().len() > BYTES_MAX {
                gap = gap.or(Some(GapKind::Opaque));
            }
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        }
    };
    if let Some(kind) = gap {
        reading.gap(kind, spot.node, spot.leaf.as_ref());
    }
    (!text.is_empty()).then_some(text)
}

/// The digits of a number that is written with a fraction of zeros or an exponent, when it is whole: JSON has one kind of number,
/// and receivers read `9.9e2`, `0.99e3`, `99000e-2` and `990.0` as 990.
pub(crate) fn integer(text: &str) -> Option<String> {
    let has_exponent = || text.bytes().any(|it| matches!(it, b'e' | b'E'));
    if !text.ends_with('0') && !has_exponent() {
        // The fraction, if there is one, is not of zeros.
        return None;
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.len() == text.len() {
        return None;
    }
    let (sign, whole) = match whole.strip_prefix('-') {
        Some(whole) => ("-", whole),
        None => ("", whole),
    };
    let exponent: i64 = exponent.parse().ok()?;
    let digits = format!("{whole}{fraction}");
    let places = i64::try_from(fraction.len()).ok()?;
    let kept = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - kept.len()).ok()? - places;
    let zeros = usize::try_from(exponent.checked_add(zeros)?).ok()?;
    let kept = kept.trim_start_matches('0');
    if kept.is_empty() || kept.len().checked_add(zeros)? > DIGITS_MAX {
        return None;
    }
    Some(format!("{sign}{kept}{}", "0".repeat(zeros)))
}

/// Walks the documents that are in base64 in a string.
fn read_sealed<S: Scan>(
    reading: &mut Reading<'_, S>,
    value: &Value<'_>,
    sealed: &[Sealed<'_>],
    spot: &Spot,
) {
    for it in sealed {
        if !reading.spend(it.raw.len() as u64, spot.node) {
            return;
        }
        let at = value.at + it.at;
        let layer = value.layer.veiled(it.raw, at);
        let document = Value {
            text: &it.text,
            kind: ValueKind::String,
            around: value.around,
            layer: &layer,
            at: 0,
            depth_left: value.depth_left,
        };
        read_inner(reading, &document, spot);
    }
}

/// Walks a document that is the value of a string. Each level doubles its backslashes, so levels are few whatever the budget.
fn read_inner<S: Scan>(reading: &mut Reading<'_, S>, value: &Value<'_>, spot: &Spot) {
    within(reading, value, spot, |reading, document| {
        // The document was read to its end before, so only a budget can stop the walk, and that says so itself.
        passes(reading, None, |reading, track, known| {
            let mut walk = Walk::new(reading, document, track);
            walk.known = known;
            let _read_before = feed(&mut walk, value.text, 0, value.depth_left);
            (walk.finish(), ())
        });
    });
}

/// Lets `read` read `value` as a document inside a value. Nothing stays of it where nothing is found.
pub(crate) fn within<'p, S: Scan>(
    reading: &mut Reading<'p, S>,
    value: &Value<'_>,
    spot: &Spot,
    read: impl FnOnce(&mut Reading<'p, S>, &Document<'_>),
) {
    let before = (reading.nodes.len(), reading.finds.len(), reading.gaps.len());
    let holder = match spot.leaf.clone() {
        None => spot.node,
        leaf => reading.push(Some(spot.node), NodeKind::Scalar, leaf, false),
    };
    let is_person = value.around.key.is_person;
    let root = reading.push(Some(holder), NodeKind::Inner, None, is_person);
    let layer = value.layer.inside(value.text, value.at, Escape::None);
    let document = Document {
        around: value.around,
        record: spot.record,
        depth_max: value.depth_left,
        is_body: false,
        ..Document::body(value.text, &layer, root, 0)
    };
    read(reading, &document);
    if (reading.finds.len(), reading.gaps.len()) == (before.1, before.2) {
        reading.nodes.truncate(before.0);
    }
}
