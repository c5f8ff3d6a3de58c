//! Scalars of a walk: claimed where a selector points at them, named by their labels, and read.

use std::ops::Range;

use super::{
    super::{
        super::{
            claim,
            detect::{KeyHint, ValueKind},
            selector::Roles,
        },
        json::{Around, Value, read_value},
        layer::{Escape, Layer, Undecodable, unescape_json, unescape_percent},
        pair::{LABEL_MAX, PairRole, Unnamed, UnnamedValue},
        reading::{Claim, NodeId, NodeKind, Reading, Scan, Spot},
    },
    Walk,
    place::Places,
};
use crate::model::finding::Step;

/// A scalar as it stands in the text of the document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaf {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Bytes of quotes on either side, which belong to the value when it is a record.
    pub(crate) quotes: usize,
    pub(crate) escape: Escape,
    pub(crate) kind: ValueKind,
}

impl Leaf {
    pub(super) const fn span(&self) -> Range<usize> {
        self.start..self.end
    }

    pub(super) const fn outer(&self) -> Range<usize> {
        self.start.saturating_sub(self.quotes)..self.end + self.quotes
    }
}

/// A value that was entered and is read by the caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entered {
    pub(crate) roles: Roles,
    pub(crate) record: Option<usize>,
    pub(crate) around: Around,
    pub(crate) depth_left: usize,
}

impl<'w, 'p, S: Scan> Walk<'w, 'p, S> {
    /// Reads a scalar that a recipient may read in another form too, which is `text`, put together in `layer`.
    pub(crate) fn leaf_or(&mut self, leaf: &Leaf, text: &str, layer: &Layer<'_>) {
        let first = self.reading.finds.len();
        self.leaf(leaf);
        if self.is_drawing() || self.is_halted() || self.is_exempt {
            return;
        }
        let mut said = self.reading.said(first);
        let known = self.reading.finds.len();
        let record = self.record;
        self.read_text(text, leaf.kind, layer, 0, Roles::default(), record);
        self.reading.drop_repeats(known, &mut said);
    }

    /// Reads the value that was read last in another form too: `text`, put together in `layer`.
    pub(crate) fn also(&mut self, text: &str, layer: &Layer<'_>, first_find: usize) {
        if self.is_drawing() || self.is_halted() {
            return;
        }
        let mut said = self.reading.said(first_find);
        let known = self.reading.finds.len();
        let record = self.record;
        self.read_text(text, ValueKind::String, layer, 0, Roles::default(), record);
        self.reading.drop_repeats(known, &mut said);
    }

    /// Reads a scalar of the document.
    pub(crate) fn leaf(&mut self, leaf: &Leaf) {
        if self.is_drawing() {
            return self.draw(leaf);
        }
        let Some(roles) = self.enter() else { return };
        self.is_exempt = roles.is_not_personal;
        let record = self.record_of(roles, leaf.outer());
        if leaf.kind == ValueKind::Literal {
            if self.frames.last().is_some_and(|it| it.columns.is_noted()) {
                self.note_column(leaf, self.reading.finds.len());
            }
            // A word of the format is nobody's; it is counted as if it were read.
            if !roles.is_not_personal {
                self.reading
                    .pass_over(leaf.end - leaf.start, self.document.root);
            }
            return self.note_beside(leaf, record);
        }
        let first = self.reading.finds.len();
        let is_found = self.scan(leaf, roles, record);
        self.note_beside(leaf, record);
        if self.frames.last().is_some_and(|it| it.columns.is_noted()) {
            self.note_column(leaf, first);
        }
        if self.key.pair == PairRole::None {
            return;
        }
        let is_member = self.frames.last().is_some_and(|it| it.is_object);
        if !is_member {
            return;
        }
        match self.key.pair {
            PairRole::Label if leaf.kind == ValueKind::String => self.label(leaf, first),
            PairRole::Value if !is_found && !roles.is_not_personal => {
                self.note_unnamed(UnnamedValue::Leaf(*leaf));
            }
            PairRole::Cells
            | PairRole::Columns
            | PairRole::Label
            | PairRole::None
            | PairRole::Value => {}
        }
    }

    /// Takes note of a member that a label behind it may name.
    fn note_unnamed(&mut self, value: UnnamedValue) {
        let key = self.key;
        if let Some(frame) = self.frames.last_mut() {
            frame.pair.unnamed = Some(Unnamed { key, value });
        }
    }

    fn draw(&mut self, leaf: &Leaf) {
        let raw = self.raw(leaf);
        self.text.clear();
        let is_changed = undo(raw, leaf.escape, &mut self.text).unwrap_or_default();
        let text = if is_changed { self.text.as_str() } else { raw };
        if let Some(drawing) = &mut self.drawing {
            drawing.text(self.reading.keys.text(self.key.name), text);
        }
    }

    /// Reads a scalar whose text was put together elsewhere: it starts at `at` of the text of `layer`. `outer` are its bytes if it is
    /// a record.
    pub(crate) fn text(&mut self, text: &str, layer: &Layer<'_>, at: usize, outer: Range<usize>) {
        self.scalar(text, ValueKind::String, layer, at, outer);
    }

    /// The same for a scalar of any kind.
    pub(crate) fn scalar(
        &mut self,
        text: &str,
        kind: ValueKind,
        layer: &Layer<'_>,
        at: usize,
        outer: Range<usize>,
    ) {
        let Some(entered) = self.value(outer, || text.to_owned()) else {
            return;
        };
        let first = self.reading.finds.len();
        self.read_text(text, kind, layer, at, entered.roles, entered.record);
        if self.frames.last().is_some_and(|it| it.columns.is_noted()) {
            self.note_text_of_column(text, kind, first);
        }
        if entered.roles.is_not_personal {
            return self.name_pair(text);
        }
        self.note_scalar(text, kind, layer, at, entered.record);
        let is_member = self.frames.last().is_some_and(|it| it.is_named());
        let is_found = self.reading.finds.len() > first;
        if is_member && !is_found && self.key.pair == PairRole::Value {
            let span = layer.outward(at..at + text.len());
            let text = text.to_owned();
            self.note_unnamed(UnnamedValue::Text { text, kind, span });
        }
        self.name_pair(text);
    }

    /// Enters a scalar that the caller reads; `None` when it is not to be read. `text` is for the tree.
    pub(crate) fn value(
        &mut self,
        outer: Range<usize>,
        text: impl FnOnce() -> String,
    ) -> Option<Entered> {
        if let Some(drawing) = &mut self.drawing {
            drawing.text(self.reading.keys.text(self.key.name), &text());
            return None;
        }
        let roles = self.enter()?;
        Some(Entered {
            roles,
            record: self.record_of(roles, outer),
            around: self.around(),
            depth_left: self.depth_left(),
        })
    }

    /// Takes the text of the member that was read last for the name of a value, if it may be one.
    pub(crate) fn name_pair(&mut self, text: &str) {
        let is_member = self.frames.last().is_some_and(|it| it.is_object);
        if is_member && self.key.pair == PairRole::Label && text.len() <= LABEL_MAX {
            let hint = self.reading.scan.lookup(text);
            self.name_value(hint);
        }
    }

    /// Takes `hint` for what a label says. A value that stood before it is read once more under that name.
    fn name_value(&mut self, hint: KeyHint) {
        let Some(before) = self.frames.last_mut().and_then(|it| it.pair.name(hint)) else {
            return;
        };
        let key = std::mem::replace(&mut self.key, before.key);
        let record = self.record;
        match before.value {
            UnnamedValue::Leaf(leaf) => {
                self.scan(&leaf, Roles::default(), record);
            }
            UnnamedValue::Text { text, kind, span } => {
                let layer = Layer::covering(span);
                self.read_text(&text, kind, &layer, 0, Roles::default(), record);
            }
        }
        self.key = key;
    }

    /// The bytes of `leaf`.
    pub(super) fn raw(&self, leaf: &Leaf) -> &'w str {
        self.document.text.get(leaf.span()).unwrap_or_default()
    }

    /// The record to which a scalar with these roles belongs.
    fn record_of(&mut self, roles: Roles, outer: Range<usize>) -> Option<usize> {
        if roles.is_record && self.record.is_none() {
            self.reading.records.push(outer);
            return Some(self.reading.records.len() - 1);
        }
        self.record
    }

    /// A text that may name the value beside it. What names a value is no name of a person, so that of the finds from `first` on is
    /// dropped.
    fn label(&mut self, leaf: &Leaf, first: usize) {
        let raw = self.raw(leaf);
        if raw.len() > LABEL_MAX {
            return;
        }
        self.text.clear();
        let is_changed = undo(raw, leaf.escape, &mut self.text).unwrap_or_default();
        let text = if is_changed { &self.text } else { raw };
        let hint = self.reading.scan.lookup(text);
        if hint.category.is_some() {
            self.reading.drop_names_from(first);
        }
        self.name_value(hint);
    }

    /// Reads a scalar whose roles are known; whether anything was found in it.
    fn scan(&mut self, leaf: &Leaf, roles: Roles, record: Option<usize>) -> bool {
        let before = self.reading.finds.len();
        let raw = self.raw(leaf);
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        match undo(raw, leaf.escape, &mut text) {
            Ok(true) => {
                let layer = self.document.layer.inside(raw, leaf.start, leaf.escape);
                self.read_text(&text, leaf.kind, &layer, 0, roles, record);
            }
            Ok(false) => {
                self.read_text(
                    raw,
                    leaf.kind,
                    self.document.layer,
                    leaf.start,
                    roles,
                    record,
                );
            }
            Err(why) => {
                let spot = self.spot(record);
                self.reading.gap(why.gap(), spot.node, spot.leaf.as_ref());
            }
        }
        self.text = text;
        self.reading.finds.len() > before
    }

    fn read_text(
        &mut self,
        text: &str,
        kind: ValueKind,
        layer: &Layer<'_>,
        at: usize,
        roles: Roles,
        record: Option<usize>,
    ) {
        if roles.is_subject() && kind != ValueKind::Literal {
            self.claim(roles, text, record);
        }
        if roles.is_not_personal {
            return;
        }
        let value = Value {
            text,
            kind,
            around: self.around(),
            layer,
            at,
            depth_left: self.depth_left(),
        };
        self.read(&value, record);
    }

    /// Scans a scalar. The place is made only for a hit, and needs the frames, so the two steps of reading are taken apart here.
    fn read(&mut self, value: &Value<'_>, record: Option<usize>) {
        let root = self.document.root;
        let rounds = self.document.rounds;
        let Self {
            reading,
            document,
            frames,
            key,
            ..
        } = self;
        let mut places = Places {
            frames,
            root: document.root,
            name: key.name,
        };
        let spot = |reading: &mut Reading<'_, S>| Spot {
            is_person: value.around.key.is_person || value.around.parent.is_person,
            ..places.spot(reading, record)
        };
        if rounds == 0 {
            read_value(reading, value, root, spot);
        } else {
            read_rounds(reading, value, root, rounds, spot);
        }
    }

    /// Takes `text` for the identifiers that the value was selected as.
    pub(crate) fn claim(&mut self, roles: Roles, text: &str, record: Option<usize>) {
        for kind in roles.subjects() {
            for identifier in claim::identifiers(kind, text) {
                let spot = self.spot(record);
                self.reading.claims.push(Claim { identifier, spot });
            }
        }
    }

    /// Reads a text that stands in the innermost container but is no member of it, such as a comment. It is named `name` beside the
    /// path.
    pub(crate) fn aside(&mut self, name: &str, text: &str, layer: &Layer<'_>, at: usize) {
        if self.is_drawing() || !self.reading.count_value(self.document.root) {
            return;
        }
        let record = self.record;
        let node = self.node();
        let value = Value {
            text,
            kind: ValueKind::String,
            around: Around::default(),
            layer,
            at,
            depth_left: self.depth_left(),
        };
        read_value(self.reading, &value, node, |reading| Spot {
            node: reading.push(
                Some(node),
                NodeKind::Field,
                Some(Step::Name(name.into())),
                false,
            ),
            leaf: None,
            in_key: false,
            record,
            is_person: false,
        });
    }
}

/// Appends `raw` without its escapes to `out`; whether there were any.
#[inline]
pub(super) fn undo(raw: &str, escape: Escape, out: &mut String) -> Result<bool, Undecodable> {
    if escape == Escape::None {
        Ok(false)
    } else {
        undo_some(raw, escape, out)
    }
}

fn undo_some(raw: &str, escape: Escape, out: &mut String) -> Result<bool, Undecodable> {
    match escape {
        Escape::Json => {
            unescape_json(raw, out);
            Ok(true)
        }
        Escape::Percent | Escape::PercentPlus => match unescape_percent(raw, escape)? {
            Some(text) => {
                out.push_str(&text);
                Ok(true)
            }
            None => Ok(false),
        },
        Escape::Quotes => {
            out.push_str(&raw.replace("\"\"", "\""));
            Ok(true)
        }
        Escape::Joined | Escape::None | Escape::Whole => Ok(false),
    }
}

/// Reads a value of which percent escapes may be doubled. Each round is shorter than the one before.
pub(crate) fn read_rounds<S: Scan>(
    reading: &mut Reading<'_, S>,
    value: &Value<'_>,
    near: NodeId,
    rounds: usize,
    spot: impl FnMut(&mut Reading<'_, S>) -> Spot,
) {
    if rounds > 0
        && let Ok(Some(again)) = unescape_percent(value.text, Escape::Percent)
    {
        let inner = value.layer.inside(value.text, value.at, Escape::Percent);
        let again = Value {
            text: &again,
            layer: &inner,
            at: 0,
            ..*value
        };
        return read_rounds(reading, &again, near, rounds - 1, spot);
    }
    read_value(reading, value, near, spot);
}
