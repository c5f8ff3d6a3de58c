//! The pass over one document as a tree: names and values in; fields for the detectors, selected values, records and duplicate names
//! out.
//!
//! Readers of every structured format feed this one walk, so that selectors, key hints, pairs and places mean the same in all of them.
//! A reader says what it meets in the order of the tree: [`Walk::name`] before the value of a member, [`Walk::open`] and
//! [`Walk::close`] around what holds members or elements, [`Walk::leaf`] or [`Walk::text`] for a scalar. Formats without arrays have
//! repeated names instead: [`Walk::members`] makes a list of the values of one name.

mod beside;
mod place;
mod scalar;
mod table;

use std::ops::Range;

use super::{
    super::{
        detect::{Field, KeyHint, ValueKind},
        selector::{Child, Roles, Track},
    },
    drawing::Drawing,
    json::{Around, Document, Value, read_unveiled},
    keys::{KeyId, KeyTable},
    layer::{Escape, Layer},
    neighbours::Piece,
    pair::{Pair, PairRole},
    reading::{NodeId, Reading, Scan, Spot},
};
use crate::model::finding::{GapKind, Step};
use beside::Neighbour;
use place::{Frame, Place, Places};
use scalar::undo;
pub(crate) use scalar::{Entered, Leaf, read_rounds};
pub(crate) use table::{Late, passes};

/// The name of a member, with what it says of the value.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Key {
    /// As it is written: by this it is named in locations and known to selectors.
    pub(crate) name: KeyId,
    /// Without its namespace prefix: selectors know it by this too.
    pub(crate) local: KeyId,
    pub(crate) hint: KeyHint,
    /// Hint of what is written around the name in one word with it, as `customer` in `customer[email]`.
    pub(crate) around: Option<KeyHint>,
    pub(crate) pair: PairRole,
    /// The member is the text of the object itself, so what the object was selected for holds for it.
    pub(crate) is_own_text: bool,
}

impl Key {
    /// A name that is one word of the dictionary.
    pub(crate) fn plain(keys: &KeyTable, name: KeyId) -> Self {
        let (hint, pair) = keys.said(name);
        Self {
            name,
            local: name,
            hint,
            around: None,
            pair,
            is_own_text: false,
        }
    }

    /// Whether the member of a cell holds its value: `v`, and `f` for the same as it is shown.
    fn is_value_of_cell(&self) -> bool {
        self.hint.category.is_none() && matches!(self.pair, PairRole::Cells | PairRole::Value)
    }
}

/// What stands under a name that others may have too.
pub(crate) trait Member {
    fn key(&self) -> Key;
    /// Its bytes in the document.
    fn span(&self) -> Range<usize>;
}

/// One pass.
#[derive(Debug)]
pub(crate) struct Walk<'w, 'p, S> {
    pub(crate) reading: &'w mut Reading<'p, S>,
    document: &'w Document<'w>,
    track: Option<Track<'p>>,
    /// The tree, while only that is asked for and nothing is read.
    drawing: Option<Drawing>,
    frames: Vec<Frame>,
    /// Names of the members of the open objects, one object after another.
    names: Vec<KeyId>,
    /// Values of the open containers that may be pieces of a number, one container after another.
    pieces: Vec<Piece<Neighbour>>,
    /// Numbers of the open containers that may be codes of characters and stand in no text, one container after another.
    codes: String,
    /// The name whose value comes next.
    key: Key,
    /// The value that comes next is the only one of its name, where a format cannot tell one from a list of one.
    is_lone: bool,
    /// The scalar that was read last is not personal.
    is_exempt: bool,
    /// The record that is open, if any; a record inside a record is part of it.
    record: Option<usize>,
    text: String,
    /// Containers so far.
    opened: usize,
    /// What a pass before this one found of tables.
    pub(crate) known: Late,
    /// What another pass needs to know of them.
    late: Late,
}

/// Walks a document in which a name may be repeated. `feed` says what is met, and is asked a second time when a selector needs a tree.
pub(crate) fn walk<'p, S: Scan>(
    reading: &mut Reading<'p, S>,
    document: &Document<'_>,
    feed: impl for<'w> Fn(&mut Walk<'w, 'p, S>),
) {
    let plan = reading.plan;
    let first_find = reading.finds.len();
    let mut track = None;
    if document.is_body && !plan.selectors.has_no_paths() {
        let mut in_tree = Vec::new();
        let cost = 4 * document.text.len() as u64;
        if plan.selectors.needs_tree() && reading.spend(cost, document.root) {
            let mut draft = Walk::new(reading, document, None);
            draft.drawing = Some(Drawing::default());
            feed(&mut draft);
            let tree = draft.drawing.map(Drawing::finish).unwrap_or_default();
            in_tree = plan.selectors.in_tree(&tree);
        }
        track = Some(Track::new(&plan.selectors, in_tree, plan.sections.len()));
    }
    if reading.is_halted {
        return;
    }
    passes(reading, track, |reading, track, known| {
        let mut walk = Walk::new(reading, document, track);
        walk.known = known;
        feed(&mut walk);
        (walk.finish(), ())
    });
    // The tree is walked list by list; what is said of the message goes by its bytes.
    if let Some(finds) = reading.finds.get_mut(first_find..) {
        finds.sort_by_key(|it| it.span.start);
    }
}

impl<'w, 'p, S: Scan> Walk<'w, 'p, S> {
    pub(crate) fn new(
        reading: &'w mut Reading<'p, S>,
        document: &'w Document<'w>,
        track: Option<Track<'p>>,
    ) -> Self {
        Self {
            reading,
            document,
            track,
            drawing: None,
            frames: Vec::with_capacity(16),
            names: Vec::new(),
            pieces: Vec::new(),
            codes: String::new(),
            key: Key::default(),
            is_lone: false,
            is_exempt: false,
            record: document.record,
            text: String::new(),
            opened: 0,
            known: Late::default(),
            late: Late::default(),
        }
    }

    /// Ends the pass: the sections that were met are met in the message. Gives what another pass needs.
    pub(crate) fn finish(self) -> Late {
        let met = self.track.map(|it| it.sections).unwrap_or_default();
        for (section, is_met) in self.reading.sections.iter_mut().zip(met) {
            *section |= is_met;
        }
        self.late
    }

    /// Whether a budget of the message ran out, so that nothing more is to be fed.
    pub(crate) const fn is_halted(&self) -> bool {
        self.reading.is_halted
    }

    /// Whether only the tree is asked for: names and gaps are not read then.
    pub(crate) const fn is_drawing(&self) -> bool {
        self.drawing.is_some()
    }

    /// Takes the name of the member whose value comes next.
    pub(crate) fn name(&mut self, key: Key) {
        self.key = key;
        self.names.push(key.name);
        if let Some(frame) = self.frames.last_mut() {
            frame.pair.meet(key.pair);
        }
    }

    /// Takes the name of the member whose value comes next, in a format whose members may share a name without being a list: each
    /// has the same place.
    pub(crate) const fn shared_name(&mut self, key: Key) {
        self.key = key;
    }

    /// Takes the number of the member whose value comes next, in an object whose members have no names; they may share it.
    pub(crate) fn number(&mut self, number: u64) {
        self.key = Key::default();
        if let Some(frame) = self.frames.last_mut() {
            frame.len = number;
        }
    }

    /// Takes the name of the member whose value comes next from the document, and reads it.
    pub(crate) fn written_name(&mut self, leaf: &Leaf) {
        let raw = self.raw(leaf);
        let scan = self.reading.scan;
        self.text.clear();
        // What cannot be undone is a name as it is written.
        let is_changed = undo(raw, leaf.escape, &mut self.text).unwrap_or_default();
        let name = if is_changed { &self.text } else { raw };
        let id = self.reading.keys.intern(name, |it| scan.lookup(it));
        self.name(Key::plain(&self.reading.keys, id));
        if self.is_clean_name(id) {
            return;
        }
        let escape = if is_changed {
            leaf.escape
        } else {
            Escape::None
        };
        let layer = self.document.layer.inside(raw, leaf.start, escape);
        self.read_name(id, &layer);
    }

    /// Reads the name that was taken last as a value: it is written as `id`, which is the text of `layer`.
    pub(crate) fn read_name(&mut self, id: KeyId, layer: &Layer<'_>) {
        if self.is_drawing() || self.is_clean_name(id) {
            return;
        }
        // A copy of its own, since most names hold nothing and need not be kept to be shared.
        let name = self.reading.keys.text(id).to_owned();
        let parent = self.around().parent;
        let field = Field::new(&name, ValueKind::Key, self.key.hint, parent);
        let Some((has_hits, unveiled)) = self.reading.detect_name(id, &field, self.document.root)
        else {
            return;
        };
        let first_find = self.reading.finds.len();
        let spot = Spot {
            in_key: true,
            ..self.spot(self.record)
        };
        if has_hits {
            self.reading.keep(&spot, layer, 0);
        }
        if let Some(unveiled) = unveiled {
            let value = Value {
                text: &name,
                kind: ValueKind::Key,
                around: Around::default(),
                layer,
                at: 0,
                depth_left: self.depth_left(),
            };
            read_unveiled(self.reading, &value, &unveiled, &spot, first_find);
        }
    }

    /// Whether the name that was taken last is known to hold nothing where it stands.
    fn is_clean_name(&mut self, id: KeyId) -> bool {
        let under = (self.key.hint, self.parent());
        self.reading.is_clean_name(id, under, self.document.root)
    }

    /// Feeds `items` as members of the open object, in groups of one name: each item's name, then its value with its position in the
    /// list. The items of one name are a list when there are several; one alone is a value, and to selectors the only element of a
    /// list as well.
    pub(crate) fn members<T: Member>(
        &mut self,
        items: &[T],
        read_name: impl FnMut(&mut Self, &T),
        read: impl FnMut(&mut Self, &T, Option<usize>),
    ) {
        self.grouped_members(&Groups::of(items), items, read_name, read);
    }

    /// As [`members`](Self::members), when it is known which of `items` share a name. Items at the end may be missing.
    pub(crate) fn grouped_members<T: Member>(
        &mut self,
        groups: &Groups,
        items: &[T],
        mut read_name: impl FnMut(&mut Self, &T),
        mut read: impl FnMut(&mut Self, &T, Option<usize>),
    ) {
        for group in &groups.0 {
            let members = || group.iter().filter_map(|it| items.get(*it));
            let (Some(first), Some(last)) = (members().next(), members().next_back()) else {
                continue;
            };
            self.name(first.key());
            for item in members() {
                read_name(self, item);
            }
            let is_list = group.len() > 1;
            if is_list {
                self.open_as(false, true, first.span().start);
            }
            for (index, item) in members().enumerate() {
                if self.is_halted() {
                    return;
                }
                self.is_lone = !is_list;
                read(self, item, is_list.then_some(index));
            }
            if is_list {
                self.close(last.span().end);
            }
        }
    }

    /// Enters an object or array that starts at byte `start`.
    pub(crate) fn open(&mut self, is_object: bool, start: usize) {
        self.open_as(is_object, false, start);
    }

    /// Enters an object whose members have numbers for names.
    pub(crate) fn open_numbered(&mut self, start: usize) {
        let before = self.frames.len();
        self.open_as(true, false, start);
        if let Some(frame) = self.frames.get_mut(before) {
            frame.is_numbered = true;
        }
    }

    /// A list that stands for a repeated name is no record: its elements are.
    fn open_as(&mut self, is_object: bool, is_repetition: bool, start: usize) {
        if let Some(drawing) = &mut self.drawing {
            return drawing.open(self.reading.keys.text(self.key.name), is_object);
        }
        let around = self.around();
        let Some(roles) = self.enter() else { return };
        let mut opens = None;
        if roles.is_record && self.record.is_none() && !is_repetition {
            opens = Some(self.reading.records.len());
            self.record = opens;
            self.reading.records.push(start..start + 1);
        }
        let step = self.place();
        let columns = self.columns(is_object);
        let own = self.said_of_column().unwrap_or(around.of_members());
        self.frames.push(Frame {
            is_object,
            is_numbered: false,
            is_repetition,
            step,
            len: 0,
            node: None,
            own,
            outer: around.parent,
            names_from: self.names.len(),
            start,
            pieces_from: self.pieces.len(),
            codes: 0,
            codes_from: self.codes.len(),
            opens,
            pair: Pair::default(),
            columns,
            roles,
        });
    }

    /// Leaves the innermost container, which ends before byte `end`.
    pub(crate) fn close(&mut self, end: usize) {
        if let Some(drawing) = &mut self.drawing {
            return drawing.close();
        }
        self.report_duplicate();
        self.end_pieces();
        self.read_codes(end);
        let Some(frame) = self.frames.pop() else {
            return;
        };
        self.names.truncate(frame.names_from);
        self.codes.truncate(frame.codes_from);
        if let (true, Some(node)) = (frame.is_named_attribute(), frame.node) {
            self.reading.drop_names(node);
        }
        if let Some(record) = frame.opens {
            self.record = None;
            if let Some(span) = self.reading.records.get_mut(record) {
                span.end = end;
            }
        }
        self.leave_columns(frame);
    }

    /// Hints of the innermost container: its own key's, and that of the object around it.
    pub(crate) fn holder_hints(&self) -> Around {
        self.frames
            .last()
            .map_or(self.document.around, |it| Around {
                key: it.own,
                parent: it.outer,
            })
    }

    /// Gives up element `place` of the outermost list, whose rest up to byte `end` cannot be read, and says so. The next element may
    /// follow.
    pub(crate) fn break_off(&mut self, kind: GapKind, place: u64, end: usize) {
        while self.frames.len() > 1 {
            self.close(end);
        }
        if let Some(list) = self.frames.first_mut() {
            list.len = place + 1;
        }
        let node = self.node();
        self.reading.gap(kind, node, Some(&Step::Index(place)));
    }

    /// Levels that may still be opened.
    pub(crate) fn depth_left(&self) -> usize {
        self.document.depth_max.saturating_sub(self.frames.len())
    }

    /// Hints for the value that comes next. For a member, the name has been read.
    pub(crate) fn around(&self) -> Around {
        match self.frames.last() {
            None => self.document.around,
            Some(frame) if frame.columns.is_cell() && self.key.is_value_of_cell() => Around {
                key: frame.own,
                parent: frame.outer,
            },
            Some(frame) if frame.is_object => Around {
                key: frame
                    .pair
                    .hint(self.key.pair, self.key.hint, frame.own.is_criteria),
                parent: self.key.around.unwrap_or(frame.own),
            },
            Some(frame) => match frame.columns.said(frame.len) {
                Some(key) => Around {
                    key,
                    parent: frame.own,
                },
                None => Around {
                    key: frame.own,
                    parent: frame.outer,
                },
            },
        }
    }

    /// Of [`around`](Self::around), the hint of the key of the object around.
    fn parent(&self) -> KeyHint {
        match self.frames.last() {
            None => self.document.around.parent,
            Some(frame) if frame.is_object => self.key.around.unwrap_or(frame.own),
            Some(frame) => frame.outer,
        }
    }

    /// The step to the value that stands now.
    fn place(&self) -> Option<Place> {
        self.frames.last().map(|frame| {
            if frame.is_named() {
                Place::Name(self.key.name)
            } else {
                Place::Index(frame.len.saturating_sub(1))
            }
        })
    }

    /// Enters a value: counts it and asks the selectors.
    fn enter(&mut self) -> Option<Roles> {
        if !self.reading.count_value(self.document.root) {
            return None;
        }
        let mut of_holder = Roles::default();
        if let Some(frame) = self.frames.last_mut() {
            frame.len += 1;
            if frame.is_repetition {
                of_holder = frame.roles;
            } else if frame.is_object && self.key.is_own_text {
                of_holder = frame.roles.without_record();
            }
        }
        let is_repeated = self.frames.last().is_some_and(|it| it.is_repetition);
        let is_lone = std::mem::take(&mut self.is_lone);
        let place = self.place();
        let Some(track) = &mut self.track else {
            return Some(of_holder);
        };
        let depth = self.frames.len().saturating_sub(1);
        let roles = match place {
            None => track.root(),
            Some(Place::Index(at)) => {
                let roles = track.child(depth, Child::Index(at));
                if is_repeated {
                    track.repeated(depth);
                }
                roles
            }
            Some(Place::Name(_)) => {
                let name = self.reading.keys.text(self.key.name);
                let local = self.reading.keys.text(self.key.local);
                let roles = track.child(depth, Child::Name { name, local });
                if is_lone {
                    roles.union(track.lone(depth))
                } else {
                    roles
                }
            }
        };
        Some(roles.union(of_holder))
    }

    /// Two members of one name are two readings: whoever reads the document next may keep the other.
    fn report_duplicate(&mut self) {
        let from = self.frames.last().map_or(0, |it| it.names_from);
        let names = self.names.get_mut(from..).unwrap_or_default();
        if names.len() < 2 {
            return;
        }
        names.sort_unstable();
        let duplicate = names
            .windows(2)
            .find_map(|it| (it.first() == it.last()).then(|| it.first().copied()))
            .flatten();
        if let Some(id) = duplicate {
            let node = self.node();
            let leaf = Step::Name(self.reading.keys.name(id));
            self.reading.gap(GapKind::Ambiguous, node, Some(&leaf));
        }
    }

    fn places(&mut self) -> (Places<'_>, &mut Reading<'p, S>) {
        let places = Places {
            frames: &mut self.frames,
            root: self.document.root,
            name: self.key.name,
        };
        (places, self.reading)
    }

    /// The place of the scalar that stands now.
    pub(crate) fn spot(&mut self, record: Option<usize>) -> Spot {
        let around = self.around();
        let (mut places, reading) = self.places();
        Spot {
            is_person: around.key.is_person || around.parent.is_person,
            ..places.spot(reading, record)
        }
    }

    /// The node of the innermost open container.
    pub(crate) fn node(&mut self) -> NodeId {
        let (mut places, reading) = self.places();
        places.node(reading)
    }
}

/// The positions of items in groups of one name. Groups stand in the order of their first items, but labels before the rest, so that a
/// label is known when its value is read.
#[derive(Debug, Default)]
pub(crate) struct Groups(Vec<Vec<usize>>);

impl Groups {
    pub(crate) fn of<T: Member>(items: &[T]) -> Self {
        let mut named: Vec<(KeyId, usize)> =
            items.iter().map(|it| it.key().name).zip(0..).collect();
        named.sort_unstable();
        let mut groups: Vec<Vec<usize>> = named
            .chunk_by(|one, next| one.0 == next.0)
            .map(|it| it.iter().map(|it| it.1).collect())
            .collect();
        groups.sort_unstable_by_key(|group| {
            let first = group.first().copied().unwrap_or_default();
            let is_label = items
                .get(first)
                .is_some_and(|it| it.key().pair == PairRole::Label);
            (!is_label, first)
        });
        Self(groups)
    }
}
