//! Many JSON documents in one body: a document that is a record goes with what separates it from the one before.

use std::ops::Range;

use super::{
    ReductionFailed,
    edit::{Child, cuts},
    json,
    value::Taking,
};
use crate::inspect::format::layer::Layer;

/// Takes the aims and `records` (spans of `text`, in order) out of the documents that stand at `pieces` of `text`.
///
/// # Errors
/// One that is aimed at is not JSON, or a record is neither a document nor an element of an array.
pub(super) fn documents(
    taking: &mut Taking<'_>,
    text: &str,
    layer: &Layer<'_>,
    pieces: impl Iterator<Item = Range<usize>>,
    records: &[Range<usize>],
) -> Result<(), ReductionFailed> {
    let mut children = Vec::new();
    let mut dropped = 0;
    for span in pieces {
        let bare = bare(text, &span);
        let from = records.partition_point(|it| it.start < span.start);
        let own = records.get(from..).unwrap_or_default();
        let own = own.get(..own.partition_point(|it| it.start < span.end));
        let own = own.unwrap_or_default();
        let is_gone = own.contains(&bare);
        dropped += own.len();
        if !is_gone && (!own.is_empty() || taking.aims_at(&span)) {
            let upto = text.get(..span.end).unwrap_or_default();
            json::document(taking, upto, layer, span.start, own)?;
        }
        children.push(Child { span, is_gone });
    }
    if dropped != records.len() {
        return Err(ReductionFailed(
            "a record to drop is in none of its documents",
        ));
    }
    let mut ranges = Vec::new();
    cuts(&children, &mut ranges);
    for range in ranges {
        taking.cut(range);
    }
    Ok(())
}

/// `span` without the space around the document in it.
fn bare(text: &str, span: &Range<usize>) -> Range<usize> {
    let is_space = [' ', '\t', '\r', '\n'];
    let piece = text.get(span.clone()).unwrap_or_default();
    let start = span.end - piece.trim_start_matches(is_space).len();
    let end = span.start + piece.trim_end_matches(is_space).len();
    start..end
}
