//! Documents whose values are literals in fixed places: cards, calendars, operations. What is taken out leaves its property or its
//! quotes empty.

use std::ops::Range;

use super::{
    ReductionFailed,
    value::{Fate, Shape, Taking},
};
use crate::inspect::format::layer::Layer;

/// Takes the aims out of `text`, of which `units` are what may be written over, in order.
///
/// # Errors
/// A value cannot be taken out of what it stands in.
pub(super) fn texts(
    taking: &mut Taking<'_>,
    text: &str,
    units: Vec<Range<usize>>,
) -> Result<(), ReductionFailed> {
    values(
        taking,
        text,
        units.into_iter().map(|it| (it, false)).collect(),
    )
}

/// The same where some of `units` are numbers: a number gives way to `null` or a string.
///
/// # Errors
/// A value cannot be taken out of what it stands in.
pub(super) fn values(
    taking: &mut Taking<'_>,
    text: &str,
    units: Vec<(Range<usize>, bool)>,
) -> Result<(), ReductionFailed> {
    let root = Layer::root(text);
    for (range, is_number) in units {
        let raw = text.get(range.clone()).unwrap_or_default();
        let layer = root.written(raw, range.start);
        let shape = if is_number { Shape::Bare } else { Shape::Text };
        match (taking.value(raw, &layer, shape)?, is_number) {
            (Fate::Goes, true) => taking.put(range, "null".to_owned()),
            (Fate::Goes, false) => taking.cut(range),
            (Fate::Stays, _) => {}
        }
    }
    Ok(())
}
