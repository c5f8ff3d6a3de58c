//! `application/x-www-form-urlencoded` bodies and queries (WHATWG URL §5.1), strictly: a bad escape is a gap.

use std::{cell::Cell, ops::Range};

use super::{
    super::{
        claim,
        detect::{Field, KeyHint, ValueKind},
        selector::{Child, Roles, Track},
    },
    json::{Around, Value, read_unveiled, read_value},
    keys::{KeyId, KeyTable},
    layer::{Escape, Layer, Undecodable, unescape_percent},
    reading::{Claim, NodeId, NodeKind, Reading, Scan, Spot},
    veil,
};
use crate::model::finding::{GapKind, Part, Step};

/// Times that percent escapes are undone in one value: senders double-encode to hide from gates.
const ROUNDS_MAX: usize = 3;

/// One `name=value`.
struct Pair {
    name: KeyId,
    raw_name: Range<usize>,
    raw_value: Range<usize>,
}

/// Reads `text`, a whole form or query, whose root is `root`.
pub(crate) fn read<S: Scan>(reading: &mut Reading<'_, S>, text: &str, part: Part, root: NodeId) {
    let (pairs, counts) = pairs(reading, text, root);
    let layer = Layer::root(text);
    let mut track = (part == Part::Body).then(|| FormTrack::new(reading, text, &pairs, &counts));
    let mut met = vec![0_u64; counts.len()];
    let lists = vec![Cell::new(None); counts.len()];
    let unlisted = Cell::new(None);
    for pair in &pairs {
        if !reading.count_value(root) {
            return;
        }
        let at = pair.name as usize;
        let repeats = counts.get(at).copied().unwrap_or(1);
        let index = met.get(at).copied().unwrap_or_default();
        if let Some(met) = met.get_mut(at) {
            *met += 1;
        }
        let roles = match &mut track {
            Some(track) => track.roles(reading, pair.name, repeats, index),
            None => {
                let name = reading.keys.text(pair.name);
                let plan = reading.plan;
                plan.selectors.named(part, name, &mut reading.sections)
            }
        };
        let field = FormField {
            pair,
            index: (repeats > 1).then_some(index),
            list: lists.get(at).unwrap_or(&unlisted),
            part,
            root,
            roles,
        };
        read_pair(reading, text, &layer, &field);
    }
    if let Some(track) = track {
        track.finish(reading);
    }
}

/// Splits and names the pairs, and counts how often each name (by its number) occurs.
fn pairs<S: Scan>(reading: &mut Reading<'_, S>, text: &str, root: NodeId) -> (Vec<Pair>, Vec<u64>) {
    let mut pairs = Vec::new();
    let mut counts: Vec<u64> = Vec::new();
    let mut from = 0;
    for piece in text.split('&') {
        let (start, end) = (from, from + piece.len());
        from = end + 1;
        if piece.is_empty() {
            continue;
        }
        if pairs.len() as u64 > reading.plan.budget.values {
            // One more than may be read, so that reading them says so.
            break;
        }
        let name_end = piece.find('=').map_or(end, |it| start + it);
        let raw_name = start..name_end;
        let raw = text.get(raw_name.clone()).unwrap_or_default();
        let scan = reading.scan;
        let name = match unescape_percent(raw, Escape::PercentPlus) {
            Ok(decoded) => reading
                .keys
                .intern(decoded.as_deref().unwrap_or(raw), |it| scan.lookup(it)),
            Err(why) => {
                reading.gap(gap_of(why), root, None);
                reading.keys.intern(raw, |it| scan.lookup(it))
            }
        };
        let at = name as usize;
        if counts.len() <= at {
            counts.resize(at + 1, 0);
        }
        if let Some(count) = counts.get_mut(at) {
            *count += 1;
        }
        pairs.push(Pair {
            name,
            raw_name,
            raw_value: (name_end + 1).min(end)..end,
        });
    }
    (pairs, counts)
}

const fn gap_of(why: Undecodable) -> GapKind {
    match why {
        Undecodable::BadEscape => GapKind::Malformed,
        Undecodable::NotUtf8 => GapKind::UnsupportedCharset,
    }
}

/// The plan's selectors over a form as one tree: a field, or a list of its values when it is repeated. `$['a']` selects every value
/// of `a`, and `$['a'][0]` its first, however many there are.
struct FormTrack<'p> {
    track: Option<Track<'p>>,
    /// Number, in document order, of the value of each name.
    numbers: Vec<u64>,
}

impl<'p> FormTrack<'p> {
    fn new<S: Scan>(
        reading: &mut Reading<'p, S>,
        text: &str,
        pairs: &[Pair],
        counts: &[u64],
    ) -> Self {
        let plan = reading.plan;
        let mut numbers = vec![0; counts.len()];
        if plan.selectors.has_no_paths() {
            return Self {
                track: None,
                numbers,
            };
        }
        let mut next = 1;
        for pair in pairs {
            let at = pair.name as usize;
            let (Some(number), Some(count)) = (numbers.get_mut(at), counts.get(at)) else {
                continue;
            };
            if *number == 0 {
                *number = next;
                next += if *count > 1 { 1 + count } else { 1 };
            }
        }
        let in_tree = if plan.selectors.needs_tree() {
            plan.selectors.in_tree(&tree(reading, text, pairs, counts))
        } else {
            Vec::new()
        };
        let mut track = Track::new(&plan.selectors, in_tree, plan.sections.len());
        let _roles_of_the_whole_form = track.root();
        Self {
            track: Some(track),
            numbers,
        }
    }

    fn roles<S: Scan>(
        &mut self,
        reading: &Reading<'p, S>,
        name: KeyId,
        repeats: u64,
        index: u64,
    ) -> Roles {
        let Some(track) = &mut self.track else {
            return Roles::default();
        };
        let number = self.numbers.get(name as usize).copied().unwrap_or_default();
        let name = Child::Name(reading.keys.text(name));
        let whole = track.child_numbered(0, name, number);
        let number = if repeats > 1 {
            number + 1 + index
        } else {
            number
        };
        whole.union(track.child_numbered(1, Child::Index(index), number))
    }

    fn finish<S: Scan>(self, reading: &mut Reading<'p, S>) {
        let met = self.track.map(|it| it.sections).unwrap_or_default();
        for (section, is_met) in reading.sections.iter_mut().zip(met) {
            *section |= is_met;
        }
    }
}

/// The form as a tree, for selectors that need one. What does not decode stands as it is written.
fn tree<S: Scan>(
    reading: &Reading<'_, S>,
    text: &str,
    pairs: &[Pair],
    counts: &[u64],
) -> serde_json::Value {
    let mut members = serde_json::Map::new();
    for pair in pairs {
        let raw = text.get(pair.raw_value.clone()).unwrap_or_default();
        let decoded = unescape_percent(raw, Escape::PercentPlus).ok().flatten();
        let value = serde_json::Value::String(decoded.unwrap_or_else(|| raw.to_owned()));
        let name = reading.keys.text(pair.name);
        if counts.get(pair.name as usize).is_none_or(|it| *it < 2) {
            members.insert(name.to_owned(), value);
        } else if let Some(serde_json::Value::Array(values)) = members.get_mut(name) {
            values.push(value);
        } else {
            members.insert(name.to_owned(), vec![value].into());
        }
    }
    members.into()
}

/// A pair with what is known of it.
struct FormField<'f> {
    pair: &'f Pair,
    /// Which of several of one name.
    index: Option<u64>,
    /// The node of the list of its values, once made.
    list: &'f Cell<Option<NodeId>>,
    part: Part,
    root: NodeId,
    roles: Roles,
}

fn read_pair<S: Scan>(
    reading: &mut Reading<'_, S>,
    text: &str,
    layer: &Layer<'_>,
    field: &FormField<'_>,
) {
    let around = around(reading, field.pair.name);
    read_name(reading, text, layer, field, around);
    let range = field.pair.raw_value.clone();
    let raw = text.get(range.clone()).unwrap_or_default();
    let root = field.root;
    let is_read = read_escaped(
        reading,
        &Escaped {
            raw,
            at: range.start,
            layer,
            escape: Escape::PercentPlus,
            around,
            root,
            roles: field.roles,
        },
        |reading| field.spot(reading, around, false),
    );
    if let Err(why) = is_read {
        let spot = field.spot(reading, around, false);
        reading.gap(gap_of(why), spot.node, spot.leaf.as_ref());
    }
}

impl FormField<'_> {
    /// The place of the pair. A query's parameter is named beside the path, a form's field in it.
    fn spot<S: Scan>(&self, reading: &mut Reading<'_, S>, around: Around, in_key: bool) -> Spot {
        let name = Step::Name(reading.keys.name(self.pair.name));
        let (node, leaf) = match (self.part, self.index) {
            (Part::Body, None) => (self.root, Some(name)),
            (Part::Body, Some(_)) if in_key => (self.root, Some(name)),
            (Part::Body, Some(at)) => {
                let is_person = around.key.is_person;
                let list = self.list.get().unwrap_or_else(|| {
                    reading.push(Some(self.root), NodeKind::Array, Some(name), is_person)
                });
                self.list.set(Some(list));
                let step = Some(Step::Index(at));
                let element = reading.push(Some(list), NodeKind::Scalar, step, is_person);
                (element, None)
            }
            (Part::Header | Part::Path | Part::Query | Part::Trailer, _) => {
                let field = reading.push(Some(self.root), NodeKind::Field, Some(name), false);
                (field, None)
            }
        };
        Spot {
            node,
            leaf,
            in_key,
            record: None,
            is_person: around.key.is_person || around.parent.is_person,
        }
    }
}

fn read_name<S: Scan>(
    reading: &mut Reading<'_, S>,
    text: &str,
    layer: &Layer<'_>,
    field: &FormField<'_>,
    around: Around,
) {
    let id = field.pair.name;
    if reading.keys.is_clean(id, around.parent) {
        return;
    }
    let name = reading.keys.name(id);
    let scanned = Field {
        text: &name,
        kind: ValueKind::Key,
        key: around.key,
        parent: around.parent,
    };
    let has_hits = reading.detect(&scanned, field.root);
    let unveiled = veil::lift(&name);
    if !has_hits && unveiled.is_none() {
        reading.keys.mark_clean(id, around.parent);
        return;
    }
    let range = field.pair.raw_name.clone();
    let raw = text.get(range.clone()).unwrap_or_default();
    let first_find = reading.finds.len();
    let spot = field.spot(reading, around, true);
    let decoded = unescape_percent(raw, Escape::PercentPlus);
    let escape = match decoded {
        Ok(Some(_)) => Escape::PercentPlus,
        Ok(None) | Err(_) => Escape::None,
    };
    let layer = layer.inside(raw, range.start, escape);
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

/// Hints for `customer[email]`: the last word, and the word around it.
fn around<S: Scan>(reading: &mut Reading<'_, S>, name: KeyId) -> Around {
    let text = reading.keys.text(name);
    if !text.contains('[') {
        return Around {
            key: reading.keys.hint(name),
            parent: KeyHint::default(),
        };
    }
    let text = reading.keys.name(name);
    let mut words = text
        .rsplit(['[', ']'])
        .filter(|it| !it.is_empty() && !it.bytes().all(|byte| byte.is_ascii_digit()));
    let scan = reading.scan;
    let keys = &mut reading.keys;
    let mut hint =
        |word: Option<&str>| word.map_or_else(KeyHint::default, |it| hint_of(keys, scan, it));
    Around {
        key: hint(words.next()),
        parent: hint(words.next()),
    }
}

fn hint_of<S: Scan>(keys: &mut KeyTable, scan: &S, word: &str) -> KeyHint {
    let id = keys.intern(word, |it| scan.lookup(it));
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
    read_round(reading, value, &layer, text, ROUNDS_MAX - 1, spot);
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

/// Each round is shorter than the one before, and there are at most [`ROUNDS_MAX`].
fn read_round<S: Scan>(
    reading: &mut Reading<'_, S>,
    value: &Escaped<'_>,
    layer: &Layer<'_>,
    text: &str,
    rounds: usize,
    spot: impl FnMut(&mut Reading<'_, S>) -> Spot,
) {
    if rounds > 0
        && let Ok(Some(again)) = unescape_percent(text, Escape::Percent)
    {
        let inner = layer.inside(text, 0, Escape::Percent);
        return read_round(reading, value, &inner, &again, rounds - 1, spot);
    }
    let value_now = Value {
        text,
        kind: ValueKind::String,
        around: value.around,
        layer,
        at: 0,
        depth_left: reading.plan.budget.depth.saturating_sub(1) as usize,
    };
    read_value(reading, &value_now, value.root, spot);
}
