//! XML: an element or attribute goes whole when nothing else is in it; of what has more in it, the text goes.

use std::ops::Range;

use super::{
    ReductionFailed,
    value::{Fate, Shape, Taking},
};
use crate::inspect::format::{layer::Layer, unit::Unit};

const CDATA: &str = "![CDATA[";
const COMMENT: &str = "!--";

/// Takes the aims and the records with these spans out of `text`, of which `units` are the elements and attributes, outer ones first.
///
/// # Errors
/// A record is no element.
pub(super) fn elements(
    taking: &mut Taking<'_>,
    text: &str,
    units: &[Unit],
    records: &[Range<usize>],
) -> Result<(), ReductionFailed> {
    let mut dropped = 0;
    // Inner ones first, so that each text is taken from the unit next to it.
    for unit in units.iter().rev() {
        if records.contains(&unit.whole) {
            dropped += 1;
            taking.cut(unit.whole.clone());
        } else if taking.takes_name(&unit.whole) || inside(taking, text, unit)? == Fate::Goes {
            taking.cut(unit.whole.clone());
        }
    }
    if dropped == records.len() {
        Ok(())
    } else {
        Err(ReductionFailed("a record to drop is none of its elements"))
    }
}

/// What becomes of a unit whose text is taken out, stretch by stretch.
fn inside(taking: &mut Taking<'_>, text: &str, unit: &Unit) -> Result<Fate, ReductionFailed> {
    let mut upto = unit.value.start;
    for span in taking.unmet(&unit.value) {
        if span.start < upto {
            continue;
        }
        let run = run(text, &unit.value, &span);
        let raw = text.get(run.clone()).unwrap_or_default();
        let shape = if raw.contains('&') {
            Shape::Sealed
        } else {
            Shape::Text
        };
        let fate = taking.value(raw, &Layer::at(raw, run.start), shape)?;
        upto = run.end.max(upto);
        if fate == Fate::Goes && is_alone(text, &unit.value, &run) {
            return Ok(Fate::Goes);
        }
        if fate == Fate::Goes {
            taking.cut(run);
        }
    }
    Ok(Fate::Stays)
}

/// The stretch of text around `span`, without marks: in an element up to the next tag, in a CDATA section or comment what is in it.
fn run(text: &str, value: &Range<usize>, span: &Range<usize>) -> Range<usize> {
    const TAGS: [char; 2] = ['<', '>'];
    let before = text.get(value.start..span.start).unwrap_or_default();
    let after = text.get(span.end..value.end).unwrap_or_default();
    let start = before
        .rfind(TAGS)
        .map_or(value.start, |it| value.start + it + 1);
    let end = after.find(TAGS).map_or(value.end, |it| span.end + it);
    let raw = text.get(start..end).unwrap_or_default();
    let mut run = start..end;
    for (open, close) in [(CDATA, "]]"), (COMMENT, "--")] {
        if raw.starts_with(open) {
            run.start = (start + open.len()).min(span.start);
        }
        if raw.ends_with(close) && text.get(end..).is_some_and(|it| it.starts_with('>')) {
            run.end = (end - close.len()).max(span.end);
        }
    }
    run
}

/// Whether nothing but space and the marks of a CDATA section stands beside `run` in `value`.
fn is_alone(text: &str, value: &Range<usize>, run: &Range<usize>) -> bool {
    let before = text.get(value.start..run.start).unwrap_or_default().trim();
    let after = text.get(run.end..value.end).unwrap_or_default().trim();
    let is_marked = before.strip_prefix('<') == Some(CDATA) && after == "]]>";
    is_marked || before.is_empty() && after.is_empty()
}
