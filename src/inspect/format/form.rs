//! `application/x-www-form-urlencoded` bodies and queries (WHATWG URL §5.1), strictly: a bad escape is a gap.

use std::ops::Range;

use super::{
    super::{
        claim,
        detect::{Field, KeyHint, ValueKind},
        selector::Roles,
    },
    json::{Around, Document, Value, read_unveiled},
    keys::{KeyId, KeyTable},
    layer::{Escape, Layer, Undecodable, unescape_percent},
    neighbours::{self, Piece},
    reading::{Claim, NodeId, NodeKind, Reading, Scan, Spot},
    walk::{Key, Leaf, Member, Walk, read_rounds, walk},
};
use crate::model::finding::{Part, Step};

/// Times that percent escapes are undone in one value: senders double-encode to hide from gates.
const ROUNDS_MAX: usize = 3;

/// One `name=value`.
struct Pair {
    key: Key,
    raw_name: Range<usize>,
    name_escape: Escape,
    raw_value: Range<usize>,
}

impl Member for Pair {
    fn key(&self) -> Key {
        self.key
    }

    fn span(&self) -> Range<usize> {
        self.raw_name.start..self.raw_value.end
    }
}

/// Reads a body as one tree: each field, or the list of its values when it is repeated.
pub(crate) fn read<S: Scan>(reading: &mut Reading<'_, S>, document: &Document<'_>) {
    let document = Document {
        rounds: ROUNDS_MAX - 1,
        ..*document
    };
    let pairs = pairs(reading, document.text, document.root);
    walk(reading, &document, |walk| {
        walk.open(true, 0);
        walk.members(
            &pairs,
            |walk, pair| read_field_name(walk, &document, pair),
            |walk, pair, _| {
                walk.leaf(&Leaf {
                    start: pair.raw_value.start,
                    end: pair.raw_value.end,
                    quotes: 0,
                    escape: Escape::PercentPlus,
                    kind: ValueKind::String,
                });
            },
        );
        walk.close(document.text.len());
    });
}

fn read_field_name<S: Scan>(walk: &mut Walk<'_, '_, S>, document: &Document<'_>, pair: &Pair) {
    let raw = document.text.get(pair.raw_name.clone()).unwrap_or_default();
    let at = pair.raw_name.start;
    let layer = document.layer.inside(raw, at, pair.name_escape);
    walk.read_name(pair.key.name, &layer);
}

/// Reads a query, whose parameters are named beside the path.
pub(crate) fn read_query<S: Scan>(reading: &mut Reading<'_, S>, text: &str, root: NodeId) {
    let layer = Layer::root(text);
    let pairs = pairs(reading, text, root);
    for pair in &pairs {
        if !reading.count_value(root) {
            return;
        }
        let plan = reading.plan;
        let name = reading.keys.text(pair.key.name);
        let roles = plan
            .selectors
            .named(Part::Query, name, &mut reading.sections);
        let around = Around {
            key: pair.key.hint,
            parent: pair.key.around.unwrap_or_default(),
        };
        read_parameter_name(reading, text, &layer, pair, root);
        let raw = text.get(pair.raw_value.clone()).unwrap_or_default();
        let value = Escaped {
            raw,
            at: pair.raw_value.start,
            layer: &layer,
            escape: Escape::PercentPlus,
            around,
            root,
            roles,
        };
        let spot = |reading: &mut Reading<'_, S>| parameter(reading, pair, around, root);
        if let Err(why) = read_escaped(reading, &value, spot) {
            let spot = parameter(reading, pair, around, root);
            reading.gap(why.gap(), spot.node, spot.leaf.as_ref());
        }
    }
    let is_exempt = |reading: &mut Reading<'_, S>, pair: &Pair| {
        let plan = reading.plan;
        let name = reading.keys.text(pair.key.name);
        let roles = plan
            .selectors
            .named(Part::Query, name, &mut reading.sections);
        roles.is_not_personal
    };
    let pieces = pairs.iter().map(|pair| {
        let raw = text.get(pair.raw_value.clone()).unwrap_or_default();
        let piece = Piece::of(raw, ValueKind::String, pair.raw_value.clone(), pair)?;
        (!is_exempt(reading, pair)).then_some(piece)
    });
    let pieces: Vec<_> = pieces.collect();
    for row in pieces.split(Option::is_none) {
        let row: Vec<_> = row.iter().flatten().cloned().collect();
        neighbours::read(reading, &row, false, root, |reading, pair| {
            parameter(reading, pair, Around::default(), root)
        });
    }
}

/// The place of a parameter.
fn parameter<S: Scan>(
    reading: &mut Reading<'_, S>,
    pair: &Pair,
    around: Around,
    root: NodeId,
) -> Spot {
    let name = Step::Name(reading.keys.name(pair.key.name));
    Spot {
        node: reading.push(Some(root), NodeKind::Field, Some(name), false),
        leaf: None,
        in_key: false,
        record: None,
        is_person: around.key.is_person || around.parent.is_person,
    }
}

fn read_parameter_name<S: Scan>(
    reading: &mut Reading<'_, S>,
    text: &str,
    layer: &Layer<'_>,
    pair: &Pair,
    root: NodeId,
) {
    let around = Around {
        key: pair.key.hint,
        parent: pair.key.around.unwrap_or_default(),
    };
    let id = pair.key.name;
    if reading.is_clean_name(id, (around.key, around.parent), root) {
        return;
    }
    let name = reading.keys.name(id);
    let scanned = Field::new(&name, ValueKind::Key, around.key, around.parent);
    let Some((has_hits, unveiled)) = reading.detect_name(id, &scanned, root) else {
        return;
    };
    let raw = text.get(pair.raw_name.clone()).unwrap_or_default();
    let first_find = reading.finds.len();
    let spot = Spot {
        in_key: true,
        ..parameter(reading, pair, around, root)
    };
    let layer = layer.inside(raw, pair.raw_name.start, pair.name_escape);
    if has_hits {
        reading.keep(&spot, &layer, 0);
    }
    if let Some(unveiled) = unveiled {
        let value = Value {
            text: &name,
            kind: ValueKind::Key,
            around: Around::default(),
            layer: &layer,
            at: 0,
            depth_left: reading.plan.budget.depth.saturating_sub(1) as usize,
        };
        read_unveiled(reading, &value, &unveiled, &spot, first_find);
    }
}

/// What stands between the ampersands of `text`: name and value of each pair.
fn pieces(text: &str) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    let mut from = 0;
    text.split('&')
        .map(move |piece| {
            let (start, end) = (from, from + piece.len());
            from = end + 1;
            let name_end = piece.find('=').map_or(end, |it| start + it);
            (start..name_end, (name_end + 1).min(end)..end)
        })
        .filter(|(name, value)| name.start < value.end)
}

/// Splits and names the pairs.
fn pairs<S: Scan>(reading: &mut Reading<'_, S>, text: &str, root: NodeId) -> Vec<Pair> {
    // One more than may be read, so that reading them says so.
    let most = usize::try_from(reading.plan.budget.values).unwrap_or(usize::MAX);
    let mut pairs = Vec::new();
    for (raw_name, raw_value) in pieces(text).take(most.saturating_add(1)) {
        let raw = text.get(raw_name.clone()).unwrap_or_default();
        let decoded = unescape_percent(raw, Escape::PercentPlus).unwrap_or_else(|why| {
            reading.gap(why.gap(), root, None);
            None
        });
        pairs.push(Pair {
            key: field_key(reading, decoded.as_deref().unwrap_or(raw)),
            raw_name,
            name_escape: decoded.map_or(Escape::None, |_| Escape::PercentPlus),
            raw_value,
        });
    }
    pairs
}

/// The name of a form's field. Frameworks write names as `customer[email]`: the last word says what it is, and the word around it of
/// whom.
pub(crate) fn field_key<S: Scan>(reading: &mut Reading<'_, S>, name: &str) -> Key {
    let scan = reading.scan;
    let keys = &mut reading.keys;
    let id = keys.intern(name, |it| scan.lookup(it));
    let key = Key::plain(keys, id);
    if !name.contains('[') {
        return key;
    }
    let mut words = name
        .rsplit(['[', ']'])
        .filter(|it| !it.is_empty() && !it.bytes().all(|byte| byte.is_ascii_digit()));
    let mut hint =
        |word: Option<&str>| word.map_or_else(KeyHint::default, |it| hint_of(keys, scan, it));
    Key {
        hint: hint(words.next()),
        around: Some(hint(words.next())),
        ..key
    }
}

fn hint_of<S: Scan>(keys: &mut KeyTable, scan: &S, word: &str) -> KeyHint {
    let id: KeyId = keys.intern(word, |it| scan.lookup(it));
    keys.hint(id)
}

/// A value that may hold escapes.
pub(crate) struct Escaped<'a> {
    pub(crate) raw: &'a str,
    /// Where `raw` starts in the text of `layer`.
    pub(crate) at: usize,
    pub(crate) layer: &'a Layer<'a>,
    pub(crate) escape: Escape,
    pub(crate) around: Around,
    pub(crate) root: NodeId,
    pub(crate) roles: Roles,
}

/// Undoes the escapes of a value, repeatedly where they were doubled, and reads what remains.
///
/// # Errors
/// The first round of escapes cannot be undone; nothing was read.
pub(crate) fn read_escaped<S: Scan>(
    reading: &mut Reading<'_, S>,
    value: &Escaped<'_>,
    spot: impl FnMut(&mut Reading<'_, S>) -> Spot,
) -> Result<(), Undecodable> {
    let decoded = unescape_percent(value.raw, value.escape)?;
    let (text, escape) = match &decoded {
        Some(text) => (text.as_str(), value.escape),
        None => (value.raw, Escape::None),
    };
    for kind in value.roles.subjects() {
        for identifier in claim::identifiers(kind, text) {
            let spot = claim_spot(value);
            reading.claims.push(Claim { identifier, spot });
        }
    }
    if value.roles.is_not_personal {
        return Ok(());
    }
    let layer = value.layer.inside(value.raw, value.at, escape);
    let value_now = Value {
        text,
        kind: ValueKind::String,
        around: value.around,
        layer: &layer,
        at: 0,
        depth_left: reading.plan.budget.depth.saturating_sub(1) as usize,
    };
    read_rounds(reading, &value_now, value.root, ROUNDS_MAX - 1, spot);
    Ok(())
}

/// An identifier that was pointed at needs only a person, not a path.
const fn claim_spot(value: &Escaped<'_>) -> Spot {
    Spot {
        node: value.root,
        leaf: None,
        in_key: false,
        record: None,
        is_person: true,
    }
}
