//! Values of a walk that say something together: pieces of a number, codes of characters.

use std::ops::Range;

use super::{
    super::{
        super::detect::ValueKind,
        codes,
        json::{Around, Value, read_value},
        keys::KeyId,
        layer::{Escape, Layer},
        neighbours::{self, PIECE_MAX, Piece, may_be_piece},
        reading::{Reading, Scan, Spot},
    },
    Leaf, Walk,
    place::Place,
    scalar::undo,
};
use crate::model::finding::Step;

/// Fewest numbers of an array that are read as the codes of characters.
const CODES_MIN: u64 = 9;

/// Longest string with escapes that may be a piece: each of its digits written as `\u0039`.
const ESCAPED_MAX: usize = 6 * PIECE_MAX;

/// Longest number that is such a code.
const CODE_MAX: usize = 3;

/// Where a piece stands in the container that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Neighbour {
    place: Option<Place>,
    record: Option<usize>,
}

impl<S: Scan> Walk<'_, '_, S> {
    /// Takes note of a scalar that was read. Costs a look at its length and its first byte, unless it is a piece.
    pub(super) fn note_beside(&mut self, leaf: &Leaf, record: Option<usize>) {
        let length = leaf.end - leaf.start;
        let first = self.document.text.as_bytes().get(leaf.start).copied();
        let is_code = leaf.kind == ValueKind::Number && length <= CODE_MAX;
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        frame.codes += u64::from(is_code);
        let pieces_from = frame.pieces_from;
        let is_escaped = leaf.escape == Escape::Json && length <= ESCAPED_MAX;
        if is_escaped && !self.is_exempt && self.raw(leaf).contains('\\') {
            self.note_escaped(leaf, record);
        } else if may_be_piece(length, first) && !self.is_exempt {
            let span = self.document.layer.outward(leaf.span());
            self.piece(self.raw(leaf), leaf.kind, span, record);
        } else if self.pieces.len() > pieces_from {
            self.end_pieces();
        }
    }

    /// The same for a string with escapes: `"\u0039\u0039"` is a piece too.
    fn note_escaped(&mut self, leaf: &Leaf, record: Option<usize>) {
        let mut text = String::new();
        undo(self.raw(leaf), leaf.escape, &mut text).unwrap_or_default();
        if may_be_piece(text.len(), text.bytes().next()) {
            let span = self.document.layer.outward(leaf.span());
            self.piece(&text, leaf.kind, span, record);
        } else {
            self.end_pieces();
        }
    }

    /// Takes note of a text that was read, which starts at `at` of the text of `layer`.
    pub(crate) fn note_text(
        &mut self,
        text: &str,
        layer: &Layer<'_>,
        at: usize,
        record: Option<usize>,
    ) {
        self.note_scalar(text, ValueKind::String, layer, at, record);
    }

    /// The same for a scalar of any kind. Members that have only numbers for names are measures more often than pieces.
    pub(super) fn note_scalar(
        &mut self,
        text: &str,
        kind: ValueKind,
        layer: &Layer<'_>,
        at: usize,
        record: Option<usize>,
    ) {
        if kind == ValueKind::Number && text.len() <= CODE_MAX {
            if let Some(frame) = self.frames.last_mut() {
                frame.codes += 1;
            }
            self.codes.extend([text, ","]);
        }
        let is_numbered =
            self.key.name == KeyId::default() && self.frames.last().is_some_and(|it| it.is_object);
        if may_be_piece(text.len(), text.bytes().next()) && !is_numbered {
            let span = layer.outward(at..at + text.len());
            self.piece(text, kind, span, record);
        } else {
            self.end_pieces();
        }
    }

    fn piece(&mut self, text: &str, kind: ValueKind, span: Range<usize>, record: Option<usize>) {
        if self.frames.is_empty() || self.is_drawing() {
            return;
        }
        let place = Neighbour {
            place: self.place(),
            record,
        };
        match Piece::of(text, kind, span, place) {
            Some(piece) => self.pieces.push(piece),
            None => self.end_pieces(),
        }
    }

    /// The innermost container has no further piece beside the last ones.
    pub(super) fn end_pieces(&mut self) {
        let Some(frame) = self.frames.last() else {
            return;
        };
        let (from, is_list) = (frame.pieces_from, !frame.is_object);
        if self.pieces.len() <= from {
            return;
        }
        let pieces = self.pieces.split_off(from);
        let is_whole = frame.len == pieces.len() as u64;
        if pieces.len() < 2 || (is_list && !is_whole) {
            return;
        }
        let around = self.around();
        let node = self.node();
        let near = self.document.root;
        neighbours::read(self.reading, &pieces, is_list, near, |reading, it| Spot {
            node,
            leaf: it.place.map(|it| match it {
                Place::Index(at) => Step::Index(at),
                Place::Name(id) => Step::Name(reading.keys.name(id)),
            }),
            in_key: false,
            record: it.record,
            is_person: around.key.is_person || around.parent.is_person,
        });
    }

    /// Reads the array that ends before byte `end` as the text whose characters its numbers are.
    pub(super) fn read_codes(&mut self, end: usize) {
        if let Some(start) = self.start_of_codes() {
            let raw = self.document.text.get(start..end).unwrap_or_default();
            let layer = self.document.layer.veiled(raw, start);
            self.read_code_text(raw, &layer);
        }
    }

    /// The same for an array of scalars that were put together elsewhere, before it is closed; `layer` covers it.
    pub(crate) fn read_noted_codes(&mut self, layer: &Layer<'_>) {
        if self.start_of_codes().is_some() {
            let from = self.frames.last().map_or(0, |it| it.codes_from);
            let codes = self.codes.split_off(from.min(self.codes.len()));
            self.read_code_text(codes.trim_end_matches(','), layer);
        }
    }

    /// Where the innermost container starts, if it is an array of nothing but codes of characters.
    fn start_of_codes(&self) -> Option<usize> {
        let frame = self.frames.last().filter(|_| !self.is_exempt)?;
        let is_codes = !frame.is_object && frame.codes >= CODES_MIN && frame.codes == frame.len;
        is_codes.then_some(frame.start)
    }

    fn read_code_text(&mut self, raw: &str, layer: &Layer<'_>) {
        let record = self.record;
        let root = self.document.root;
        if !self.reading.spend(raw.len() as u64, root) {
            return;
        }
        let Some(text) = codes::of_array(raw) else {
            return;
        };
        let around = self.around();
        let node = self.node();
        let value = Value {
            text: &text,
            kind: ValueKind::String,
            around: Around::default(),
            layer,
            at: 0,
            depth_left: self.depth_left(),
        };
        read_value(self.reading, &value, root, |_: &mut Reading<'_, S>| Spot {
            record,
            is_person: around.key.is_person || around.parent.is_person,
            ..Spot::of(node)
        });
    }
}
