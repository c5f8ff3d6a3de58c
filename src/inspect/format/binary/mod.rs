//! Bodies that are not text: Protocol Buffers (alone, or framed by gRPC, gRPC-Web and Connect), MessagePack, CBOR and BSON.
//!
//! Each feeds the one walk. Maps and documents are objects with names. A message of Protocol Buffers is read without its schema: an
//! object whose members have the numbers of its fields (`$[1][2]`); a repeated field has one place. None of them is reduced: lengths
//! stand before what they measure.

mod bson;
mod cbor;
mod frames;
mod message_pack;
mod protobuf;

use std::{cell::Cell, ops::Range};

use http::HeaderMap;

use super::{
    super::{detect::ValueKind, media_type::Binary},
    json::Document,
    layer::Layer,
    magic,
    part::{self, Place, Source},
    reading::{NodeId, Reading, Scan},
    walk::{Key, Walk, walk},
};
use crate::model::finding::GapKind;

/// Longest stretch of bytes that is taken for an id, a hash or a signature and not for a content that nobody can read.
pub(crate) const BYTES_MAX: usize = 64;

/// Fewest letters and digits in a row that bytes which are no text do not hold by chance.
const RUN_MIN: usize = 10;

/// Containers in one another, whatever the budget: each takes a place on the stack.
const LEVELS_MAX: usize = 100;

/// What ends the reading of a body.
type Outcome = Result<(), GapKind>;

/// Reads `source` in its `format`; `headers` are of the message, for the compression of frames.
pub(crate) fn read<S: Scan>(
    reading: &mut Reading<'_, S>,
    format: Binary,
    source: &Source<'_>,
    headers: &HeaderMap,
    document: &Document<'_>,
) {
    if !reading.spend(source.bytes.len() as u64, document.root) {
        return;
    }
    if document.is_body && reading.plan.selectors.needs_tree() {
        let cost = 4 * source.bytes.len() as u64;
        if !reading.spend(cost, document.root) {
            return;
        }
    }
    let end = Cell::new(Ok(()));
    walk(reading, document, |walk| {
        let levels = walk.depth_left().min(LEVELS_MAX);
        let it = match format {
            Binary::Bson => bson::read(walk, source, levels),
            Binary::Cbor => cbor::read(walk, source, levels),
            Binary::MessagePack => message_pack::read(walk, source, levels),
            Binary::Protobuf => protobuf::read(walk, source, levels),
            Binary::Frames(kind) => frames::read(walk, source, kind, headers, levels),
        };
        end.set(it);
    });
    let Err(kind) = end.get() else { return };
    if reading.is_halted {
        return;
    }
    reading.gap(kind, document.root, None);
    // Whoever goes by the bytes and not by the label may still read text.
    if kind == GapKind::Malformed {
        part::read_plainly(reading, &place(document.root, document), source);
    }
}

fn place(node: NodeId, document: &Document<'_>) -> Place {
    Place {
        node,
        around: document.around,
        record: document.record,
        is_person: false,
        depth_left: document.depth_max,
    }
}

/// Where a reader stands in its bytes.
struct Input<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Input<'b> {
    const fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    const fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The range of the next `count` bytes.
    fn take(&mut self, count: usize) -> Result<Range<usize>, GapKind> {
        let end = self.at.checked_add(count);
        let end = end
            .filter(|it| *it <= self.bytes.len())
            .ok_or(GapKind::Malformed)?;
        let range = self.at..end;
        self.at = end;
        Ok(range)
    }

    fn slice(&self, range: Range<usize>) -> &'b [u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    fn byte(&mut self) -> Result<u8, GapKind> {
        let range = self.take(1)?;
        self.slice(range).first().copied().ok_or(GapKind::Malformed)
    }

    /// A number of `count` bytes, the most significant first.
    fn big_endian(&mut self, count: usize) -> Result<u64, GapKind> {
        let range = self.take(count)?;
        let bytes = self.slice(range).iter();
        Ok(bytes.fold(0, |sum, it| sum << 8 | u64::from(*it)))
    }

    /// A number of `count` bytes, the least significant first.
    fn little_endian(&mut self, count: usize) -> Result<u64, GapKind> {
        let range = self.take(count)?;
        let bytes = self.slice(range).iter().rev();
        Ok(bytes.fold(0, |sum, it| sum << 8 | u64::from(*it)))
    }

    /// A length that must fit into memory.
    fn length(&mut self, count: usize) -> Result<usize, GapKind> {
        usize::try_from(self.big_endian(count)?).map_err(|_| GapKind::Malformed)
    }
}

/// Takes the name of the member that comes next, and reads it.
fn name<S: Scan>(walk: &mut Walk<'_, '_, S>, text: &str, layer: &Layer<'_>) {
    let scan = walk.reading.scan;
    let id = walk.reading.keys.intern(text, |it| scan.lookup(it));
    walk.name(Key::plain(&walk.reading.keys, id));
    walk.read_name(id, layer);
}

/// Reads a string, which must be UTF-8.
fn string<S: Scan>(walk: &mut Walk<'_, '_, S>, source: &Source<'_>) -> Outcome {
    let text = std::str::from_utf8(source.bytes).map_err(|_| GapKind::Malformed)?;
    walk.text(text, &source.layer(text, true), 0, source.span.clone());
    if is_wide(source.bytes) {
        gap(walk, GapKind::Opaque);
    }
    Ok(())
}

/// Reads a whole number.
fn number<S: Scan>(walk: &mut Walk<'_, '_, S>, value: i128, source: &Source<'_>) {
    let text = value.to_string();
    let layer = source.layer(&text, false);
    walk.scalar(&text, ValueKind::Number, &layer, 0, source.span.clone());
}

/// Reads a number of floating point, of which only a whole one can be an identifier.
fn double<S: Scan>(walk: &mut Walk<'_, '_, S>, value: f64, source: &Source<'_>) {
    let text = value.to_string();
    let layer = source.layer(&text, false);
    walk.scalar(&text, ValueKind::Number, &layer, 0, source.span.clone());
}

/// Ends the array or object whose bytes `source` are.
fn close<S: Scan>(walk: &mut Walk<'_, '_, S>, source: &Source<'_>) {
    if !walk.is_drawing() {
        walk.read_noted_codes(&source.layer("", false));
    }
    walk.close(source.span.end);
}

/// Reads a value that has no text: it counts, and no more.
fn literal<S: Scan>(walk: &mut Walk<'_, '_, S>, source: &Source<'_>) {
    let layer = source.layer("", false);
    walk.scalar("", ValueKind::Literal, &layer, 0, source.span.clone());
}

/// Reads bytes: as text where they are text; what is long and none is a gap.
fn bytes<S: Scan>(walk: &mut Walk<'_, '_, S>, source: &Source<'_>) {
    if std::str::from_utf8(source.bytes).is_ok() {
        // It is UTF-8, so it does not fail.
        let _read = string(walk, source);
        return;
    }
    let Some(entered) = walk.value(source.span.clone(), String::new) else {
        return;
    };
    if entered.roles.is_not_personal {
        return;
    }
    let around = entered.around;
    if let Some(kind) = magic::of(source.bytes) {
        let spot = walk.spot(entered.record);
        let layer = source.layer("", false);
        magic::report(walk.reading, kind, around, &spot, &layer);
    } else if source.bytes.len() > BYTES_MAX || has_run(source.bytes) {
        gap(walk, GapKind::Opaque);
    }
}

/// Whether every other byte is zero, as in text of sixteen bits a character.
fn is_wide(bytes: &[u8]) -> bool {
    let zeros = |from: usize| bytes.iter().skip(from).step_by(2).all(|it| *it == 0);
    bytes.len() >= RUN_MIN && bytes.contains(&0) && (zeros(0) || zeros(1))
}

/// Whether letters or digits stand in a row, so that there may be text among other bytes.
fn has_run(bytes: &[u8]) -> bool {
    let mut runs = bytes.split(|it| !it.is_ascii_graphic());
    runs.any(|it| it.len() >= RUN_MIN)
}

/// Notes a gap at the value that was read last.
fn gap<S: Scan>(walk: &mut Walk<'_, '_, S>, kind: GapKind) {
    if walk.is_drawing() || walk.is_halted() {
        return;
    }
    let spot = walk.spot(None);
    walk.reading.gap(kind, spot.node, spot.leaf.as_ref());
}
