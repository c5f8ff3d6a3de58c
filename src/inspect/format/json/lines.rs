//! Many JSON documents in one body, read as one array of them: a document a line, or after each record separator (RFC 7464).

use std::ops::Range;

use serde_json::Value;

use super::{
    super::{
        reading::{Reading, Scan},
        walk::{Walk, passes},
    },
    Document, feed, read_rest, track,
};
use crate::model::finding::GapKind;

/// What stands before each document of a sequence.
const SEPARATOR: char = '\u{1e}';

/// The lines of `text` that are not blank.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    pieces(text, '\n')
}

/// The documents of a JSON text sequence, and what stands before the first separator if it is not blank.
pub(crate) fn sequence(text: &str) -> impl Iterator<Item = Range<usize>> {
    pieces(text, SEPARATOR)
}

fn pieces(text: &str, separator: char) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    text.split(separator).filter_map(move |piece| {
        let start = from;
        from += piece.len() + separator.len_utf8();
        let is_blank = piece.trim_matches([' ', '\t', '\r', '\n']).is_empty();
        (!is_blank).then_some(start..start + piece.len())
    })
}

/// Reads the documents of `document` that `pieces` finds. One that is no JSON is a gap at its place, and the rest is read.
pub(crate) fn read<'t, S: Scan, I: Iterator<Item = Range<usize>>>(
    reading: &mut Reading<'_, S>,
    document: &Document<'t>,
    pieces: impl Fn(&'t str) -> I,
) {
    let (text, from) = (document.text, document.from);
    let documents = || {
        let bare = text.get(from..).unwrap_or_default();
        pieces(bare).map(|it| it.start + from..it.end + from)
    };
    let tree = || {
        let values = documents().map(|it| serde_json::from_str(text.get(it)?).ok());
        values.collect::<Option<_>>().map(Value::Array)
    };
    let (track, is_tree) = track(reading, document, tree);
    let has_fault = passes(reading, track, |reading, track, known| {
        let mut walk = Walk::new(reading, document, track);
        walk.known = known;
        walk.open(false, from);
        let mut has_fault = false;
        for (place, it) in (0..).zip(documents()) {
            if walk.is_halted() {
                break;
            }
            let upto = text.get(..it.end).unwrap_or_default();
            if let Err((fault, at)) = feed(&mut walk, upto, it.start, document.depth_max) {
                has_fault = true;
                walk.break_off(fault.gap(), place, it.end);
                read_rest(walk.reading, document, at..it.end);
            }
        }
        walk.close(text.len());
        (walk.finish(), has_fault)
    });
    if !is_tree && !has_fault && !reading.is_halted {
        reading.gap(GapKind::Malformed, document.root, None);
    }
}
