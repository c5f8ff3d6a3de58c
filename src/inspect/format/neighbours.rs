//! Numbers split over neighbouring values: `{"a": "991231", "b": "100010"}`, an array of digits, two parameters, two cookies.
//!
//! Pieces are digits and nothing else, and only what a check digit confirms is taken for a number, so columns of numbers stay columns.

use std::ops::Range;

use super::{
    super::detect::{Field, KeyHint, ValueKind},
    reading::{NodeId, Reading, Scan, Spot},
};
use crate::model::finding::Step;

/// Most digits of a piece: more would be most of the number.
pub(crate) const PIECE_MAX: usize = 8;

/// Fewest digits of a piece beside numbers that are none.
const LONE_MIN: usize = 3;

/// Most pieces that are looked at together.
const PIECES_MAX: usize = 64;

/// A value of a few digits, at a place of kind `P`.
#[derive(Clone, Debug)]
pub(crate) struct Piece<P> {
    digits: [u8; PIECE_MAX],
    count: usize,
    kind: ValueKind,
    /// Its bytes in the part of the message.
    span: Range<usize>,
    place: P,
}

/// Whether a value of `length` bytes that begins with `first` may be a piece.
pub(crate) const fn may_be_piece(length: usize, first: Option<u8>) -> bool {
    length <= PIECE_MAX && matches!(first, Some(b'0'..=b'9'))
}

impl<P> Piece<P> {
    /// The piece that `text` is, whose bytes in the part are `span`.
    pub(crate) fn of(text: &str, kind: ValueKind, span: Range<usize>, place: P) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut digits = [0; PIECE_MAX];
        digits.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let is_number = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
        is_number.then_some(Self {
            digits,
            count: bytes.len(),
            kind,
            span,
            place,
        })
    }

    fn text(&self) -> &str {
        let digits = self.digits.get(..self.count).unwrap_or_default();
        std::str::from_utf8(digits).unwrap_or_default()
    }
}

/// Reads what neighbours are together. Those of a list are one number or none, others may stand beside further numbers; single digits
/// and pairs of them are everywhere, so they must be all there is.
pub(crate) fn read<S: Scan, P>(
    reading: &mut Reading<'_, S>,
    pieces: &[Piece<P>],
    is_list: bool,
    near: NodeId,
    mut spot: impl FnMut(&mut Reading<'_, S>, &P) -> Spot,
) {
    if pieces.len() < 2 || pieces.len() > PIECES_MAX {
        return;
    }
    if read_window(reading, pieces, near, &mut spot) || is_list {
        return;
    }
    for row in pieces.split(|it| it.count < LONE_MIN) {
        let mut from = 0;
        while from < row.len() {
            let rest = row.get(from..).unwrap_or_default();
            let taken = [2, 3, 4].into_iter().find(|it| {
                rest.get(..*it)
                    .is_some_and(|window| read_window(reading, window, near, &mut spot))
            });
            from += taken.unwrap_or(1);
        }
    }
}

/// Whether all of `pieces` were one number.
fn read_window<S: Scan, P>(
    reading: &mut Reading<'_, S>,
    pieces: &[Piece<P>],
    near: NodeId,
    spot: &mut impl FnMut(&mut Reading<'_, S>, &P) -> Spot,
) -> bool {
    let is_card = || {
        let is_of_four = |it: &Piece<P>| it.count == 4 && it.kind == ValueKind::String;
        pieces.iter().all(is_of_four)
    };
    match pieces.iter().map(|it| it.count).sum::<usize>() {
        12 => {}
        16 if is_card() => {}
        _ => return false,
    }
    // In groups, because groups may also be the time of day that their digits show; of two pieces, wherever they part.
    let texts: Vec<&str> = pieces.iter().map(Piece::text).collect();
    let is_in_groups = is_number(reading, &texts.join("-"), near);
    let is_parted = !is_in_groups && pieces.len() == 2 && is_number(reading, &texts.concat(), near);
    if !is_in_groups && !is_parted {
        return false;
    }
    let mut places = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let spot = spot(reading, &piece.place);
        places.push((spot, piece.span.clone(), reading.line));
    }
    // Two dates and serials beside one another are no chance; among more groups, only names of one kind are.
    let names: Vec<Option<&str>> = places.iter().map(|it| name_of(reading, &it.0)).collect();
    let is_row = names
        .windows(2)
        .all(|it| matches!(it, [one, next] if one.map(stem) == next.map(stem)));
    if (is_parted || pieces.len() > 2) && !is_row {
        return false;
    }
    reading.keep_split(places);
    true
}

/// Whether the whole `text` is a number that counts.
fn is_number<S: Scan>(reading: &mut Reading<'_, S>, text: &str, near: NodeId) -> bool {
    let none = KeyHint::default();
    let field = Field::new(text, ValueKind::String, none, none);
    reading.detect(&field, near) && reading.is_number(text.len())
}

/// The name under which a piece stands; elements have none.
fn name_of<'r, S: Scan>(reading: &'r Reading<'_, S>, spot: &'r Spot) -> Option<&'r str> {
    let of_node = reading.nodes.get(spot.node).and_then(|it| it.step.as_ref());
    match spot.leaf.as_ref().or(of_node) {
        Some(Step::Name(name)) => Some(name),
        _ => None,
    }
}

/// What the names of a row have in common: all but a number or one letter at the end.
fn stem(name: &str) -> &str {
    let is_digit = |it: char| it.is_ascii_digit();
    match name.trim_end_matches(is_digit) {
        bare if bare.len() < name.len() => bare,
        _ => name.strip_suffix(|_: char| true).unwrap_or(name),
    }
}
