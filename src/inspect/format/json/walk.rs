//! The pass over one document: tokens in; fields for the detectors, selected values and duplicate names out.

use super::{
    super::{
        super::{
            claim,
            detect::{Field, KeyHint, ValueKind},
            selector::{Child, Roles, Track},
        },
        keys::KeyId,
        layer::{Escape, unescape_json},
        pair::{LABEL_MAX, Pair, PairRole, Unnamed},
        reading::{Claim, NodeId, NodeKind, Reading, Scan, Spot},
        veil,
    },
    Around, Document, Value, read_unveiled, read_value,
    token::{Fault, Lexeme, Token, Tokenizer},
};
use crate::model::finding::{GapKind, Step};

/// An open container.
#[derive(Debug)]
struct Frame {
    is_object: bool,
    /// The step to it; `None` for the root of the document.
    step: Option<Place>,
    /// Elements or members so far.
    len: u64,
    node: Option<NodeId>,
    /// Hint of the key under which it stands (an array's for its elements).
    own: KeyHint,
    /// Hint of the key of the object around it.
    outer: KeyHint,
    /// Where its member names start in [`Walk::names`].
    names_from: usize,
    /// The record that it is.
    opens: Option<usize>,
    /// What of it is a name and its value.
    pair: Pair,
}

/// A step that has not become a [`Step`] yet.
#[derive(Clone, Copy, Debug)]
enum Place {
    Index(u64),
    Name(KeyId),
}

/// One pass.
#[derive(Debug)]
pub(super) struct Walk<'w, 'p, S> {
    reading: &'w mut Reading<'p, S>,
    document: &'w Document<'w>,
    track: Option<&'w mut Track<'p>>,
    frames: Vec<Frame>,
    /// Names of the members of the open objects, one object after another.
    names: Vec<KeyId>,
    /// The name whose value comes next.
    name: KeyId,
    /// The record that is open, if any; a record inside a record is part of it.
    record: Option<usize>,
    text: String,
}

impl<'w, 'p, S: Scan> Walk<'w, 'p, S> {
    pub(super) fn new(
        reading: &'w mut Reading<'p, S>,
        document: &'w Document<'w>,
        track: Option<&'w mut Track<'p>>,
    ) -> Self {
        Self {
            reading,
            document,
            track,
            frames: Vec::with_capacity(16),
            names: Vec::new(),
            name: 0,
            record: document.record,
            text: String::new(),
        }
    }

    /// Reads to the end, the first fault, or the end of a budget.
    pub(super) fn run(mut self) -> Result<(), Fault> {
        let document = self.document;
        let mut tokens = Tokenizer::new(document.text, document.from, document.depth_max);
        while let Some(lexeme) = tokens.next()? {
            match lexeme.token {
                Token::Key => self.key(&lexeme),
                Token::ObjectStart | Token::ArrayStart => self.open(&lexeme),
                Token::ObjectEnd | Token::ArrayEnd => self.close(&lexeme),
                Token::String => self.scalar(&lexeme, ValueKind::String),
                Token::Number => self.scalar(&lexeme, ValueKind::Number),
                Token::Literal => self.scalar(&lexeme, ValueKind::Literal),
            }
            if self.reading.is_halted {
                break;
            }
        }
        Ok(())
    }

    fn raw(&self, lexeme: &Lexeme) -> &'w str {
        self.document.text.get(lexeme.span()).unwrap_or_default()
    }

    fn key(&mut self, lexeme: &Lexeme) {
        let raw = self.raw(lexeme);
        let scan = self.reading.scan;
        let id = if lexeme.is_escaped {
            self.text.clear();
            unescape_json(raw, &mut self.text);
            self.reading.keys.intern(&self.text, |it| scan.lookup(it))
        } else {
            self.reading.keys.intern(raw, |it| scan.lookup(it))
        };
        self.name = id;
        self.names.push(id);
        let parent = self.around().parent;
        if self.reading.keys.is_clean(id, parent) {
            return;
        }
        let text = if lexeme.is_escaped { &self.text } else { raw };
        let field = Field {
            text,
            kind: ValueKind::Key,
            key: self.reading.keys.hint(id),
            parent,
        };
        let has_hits = self.reading.detect(&field, self.document.root);
        let unveiled = veil::lift(text);
        if !has_hits && unveiled.is_none() {
            self.reading.keys.mark_clean(id, parent);
            return;
        }
        let first_find = self.reading.finds.len();
        let spot = Spot {
            in_key: true,
            ..self.spot(self.record)
        };
        let escape = if lexeme.is_escaped {
            Escape::Json
        } else {
            Escape::None
        };
        let layer = self.document.layer.inside(raw, lexeme.start, escape);
        if has_hits {
            self.reading.keep(&spot, &layer, 0);
        }
        if let Some(unveiled) = unveiled {
            let value = Value {
                text: raw,
                kind: ValueKind::Key,
                around: Around::default(),
                layer: &layer,
                at: 0,
                depth_left: self.document.depth_max.saturating_sub(self.frames.len()),
            };
            read_unveiled(self.reading, &value, &unveiled, &spot, first_find);
        }
    }

    /// Hints for the value that comes next. For a member, the name has been read.
    fn around(&self) -> Around {
        match self.frames.last() {
            None => self.document.around,
            Some(frame) if frame.is_object => {
                let keys = &self.reading.keys;
                let role = keys.pair_role(self.name);
                Around {
                    key: frame.pair.hint(role, keys.hint(self.name)),
                    parent: frame.own,
                }
            }
            Some(frame) => Around {
                key: frame.own,
                parent: frame.outer,
            },
        }
    }

    /// The step to the value that stands now.
    fn place(&self) -> Option<Place> {
        self.frames.last().map(|frame| {
            if frame.is_object {
                Place::Name(self.name)
            } else {
                Place::Index(frame.len - 1)
            }
        })
    }

    /// Enters a value: counts it and asks the selectors.
    fn enter(&mut self) -> Option<Roles> {
        if !self.reading.count_value(self.document.root) {
            return None;
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.len += 1;
        }
        let place = self.place();
        let Some(track) = self.track.as_deref_mut() else {
            return Some(Roles::default());
        };
        let depth = self.frames.len().saturating_sub(1);
        Some(match place {
            None => track.root(),
            Some(Place::Index(at)) => track.child(depth, Child::Index(at)),
            Some(Place::Name(id)) => track.child(depth, Child::Name(self.reading.keys.text(id))),
        })
    }

    fn open(&mut self, lexeme: &Lexeme) {
        let around = self.around();
        let Some(roles) = self.enter() else { return };
        let mut opens = None;
        if roles.is_record && self.record.is_none() {
            opens = Some(self.reading.records.len());
            self.record = opens;
            self.reading.records.push(lexeme.span());
        }
        let step = self.place();
        self.frames.push(Frame {
            is_object: lexeme.token == Token::ObjectStart,
            step,
            len: 0,
            node: None,
            own: around.key,
            outer: around.parent,
            names_from: self.names.len(),
            opens,
            pair: Pair::default(),
        });
    }

    fn close(&mut self, lexeme: &Lexeme) {
        self.report_duplicate();
        let Some(frame) = self.frames.pop() else {
            return;
        };
        self.names.truncate(frame.names_from);
        if let Some(record) = frame.opens {
            self.record = None;
            if let Some(span) = self.reading.records.get_mut(record) {
                span.end = lexeme.end;
            }
        }
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

    fn scalar(&mut self, lexeme: &Lexeme, kind: ValueKind) {
        let Some(roles) = self.enter() else { return };
        let mut record = self.record;
        if roles.is_record && record.is_none() {
            record = Some(self.reading.records.len());
            self.reading.records.push(lexeme.outer_span());
        }
        let is_found = self.scan(lexeme, kind, roles, record);
        let is_member = self.frames.last().is_some_and(|it| it.is_object);
        if !is_member || kind == ValueKind::Literal {
            return;
        }
        match self.reading.keys.pair_role(self.name) {
            PairRole::Label if kind == ValueKind::String => self.label(lexeme),
            PairRole::Value if !is_found && !roles.is_not_personal => {
                let name = self.name;
                if let Some(frame) = self.frames.last_mut() {
                    frame.pair.unnamed = Some(Unnamed {
                        name,
                        lexeme: *lexeme,
                        kind,
                    });
                }
            }
            PairRole::Label | PairRole::None | PairRole::Value => {}
        }
    }

    /// A text that may name the value beside it. A value that stood before is read once more under its name.
    fn label(&mut self, lexeme: &Lexeme) {
        let raw = self.raw(lexeme);
        if raw.len() > LABEL_MAX {
            return;
        }
        let hint = if lexeme.is_escaped {
            self.text.clear();
            unescape_json(raw, &mut self.text);
            self.reading.scan.lookup(&self.text)
        } else {
            self.reading.scan.lookup(raw)
        };
        let Some(before) = self.frames.last_mut().and_then(|it| it.pair.name(hint)) else {
            return;
        };
        let name = std::mem::replace(&mut self.name, before.name);
        let record = self.record;
        self.scan(&before.lexeme, before.kind, Roles::default(), record);
        self.name = name;
    }

    /// Reads a scalar whose roles are known; whether anything was found in it.
    fn scan(
        &mut self,
        lexeme: &Lexeme,
        kind: ValueKind,
        roles: Roles,
        record: Option<usize>,
    ) -> bool {
        let around = self.around();
        let before = self.reading.finds.len();
        let raw = self.raw(lexeme);
        let mut text = std::mem::take(&mut self.text);
        let escaped;
        let (text_now, layer, at) = if lexeme.is_escaped {
            text.clear();
            unescape_json(raw, &mut text);
            escaped = self.document.layer.inside(raw, lexeme.start, Escape::Json);
            (text.as_str(), &escaped, 0)
        } else {
            (raw, self.document.layer, lexeme.start)
        };
        if roles.is_subject() && kind != ValueKind::Literal {
            self.claim(roles, text_now, record);
        }
        if !roles.is_not_personal {
            let value = Value {
                text: text_now,
                kind,
                around,
                layer,
                at,
                depth_left: self.document.depth_max.saturating_sub(self.frames.len()),
            };
            self.read(&value, record);
        }
        self.text = text;
        self.reading.finds.len() > before
    }

    /// Scans a scalar. The place is made only for a hit, and needs the frames, so the two steps of reading are taken apart here.
    fn read(&mut self, value: &Value<'_>, record: Option<usize>) {
        let root = self.document.root;
        let Self {
            reading,
            document,
            frames,
            name,
            ..
        } = self;
        let mut places = Places {
            frames,
            root: document.root,
            name: *name,
        };
        read_value(reading, value, root, |reading| Spot {
            is_person: value.around.key.is_person || value.around.parent.is_person,
            ..places.spot(reading, record)
        });
    }

    fn claim(&mut self, roles: Roles, text: &str, record: Option<usize>) {
        for kind in roles.subjects() {
            for identifier in claim::identifiers(kind, text) {
                let spot = self.spot(record);
                self.reading.claims.push(Claim { identifier, spot });
            }
        }
    }

    fn places(&mut self) -> (Places<'_>, &mut Reading<'p, S>) {
        let places = Places {
            frames: &mut self.frames,
            root: self.document.root,
            name: self.name,
        };
        (places, self.reading)
    }

    fn spot(&mut self, record: Option<usize>) -> Spot {
        let around = self.around();
        let (mut places, reading) = self.places();
        Spot {
            is_person: around.key.is_person || around.parent.is_person,
            ..places.spot(reading, record)
        }
    }

    fn node(&mut self) -> NodeId {
        let (mut places, reading) = self.places();
        places.node(reading)
    }
}

/// Makes nodes for the open containers, when something is found in them.
struct Places<'f> {
    frames: &'f mut [Frame],
    root: NodeId,
    name: KeyId,
}

impl Places<'_> {
    /// The node of the innermost open container.
    fn node<S: Scan>(&mut self, reading: &mut Reading<'_, S>) -> NodeId {
        let known = self.frames.iter().rposition(|it| it.node.is_some());
        let mut parent = known
            .and_then(|at| self.frames.get(at)?.node)
            .unwrap_or(self.root);
        for frame in self.frames.iter_mut().skip(known.map_or(0, |it| it + 1)) {
            let step = frame.step.map(|it| match it {
                Place::Index(at) => Step::Index(at),
                Place::Name(id) => Step::Name(reading.keys.name(id)),
            });
            let kind = if frame.is_object {
                NodeKind::Object
            } else {
                NodeKind::Array
            };
            parent = reading.push(Some(parent), kind, step, frame.own.is_person);
            frame.node = Some(parent);
        }
        parent
    }

    /// The place of the scalar (or member name) that stands now. An element gets a node of its own: it may be a person.
    fn spot<S: Scan>(&mut self, reading: &mut Reading<'_, S>, record: Option<usize>) -> Spot {
        let node = self.node(reading);
        let (node, leaf) = match self.frames.last() {
            None => (node, None),
            Some(frame) if frame.is_object => {
                (node, Some(Step::Name(reading.keys.name(self.name))))
            }
            Some(frame) => {
                let step = Some(Step::Index(frame.len.saturating_sub(1)));
                let element = reading.push(Some(node), NodeKind::Scalar, step, frame.own.is_person);
                (element, None)
            }
        };
        Spot {
            node,
            leaf,
            in_key: false,
            record,
            is_person: false,
        }
    }
}
