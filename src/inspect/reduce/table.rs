//! Tables: a row goes with its line break, a cell is emptied, so that every row keeps its columns.

use std::ops::Range;

use super::{
    ReductionFailed,
    value::{Fate, Shape, Taking},
};
use crate::inspect::format::{
    layer::{Escape, Layer},
    unit::{Unit, UnitKind},
};

/// Takes the aims and the records with these spans out of `text`, a table of which `units` are the rows, each before its cells.
///
/// # Errors
/// A record is no row.
pub(super) fn rows(
    taking: &mut Taking<'_>,
    text: &str,
    units: &[Unit],
    records: &[Range<usize>],
) -> Result<(), ReductionFailed> {
    let layer = Layer::root(text);
    let mut dropped = 0;
    let mut row: Range<usize> = 0..0;
    let mut is_gone = false;
    for unit in units {
        if unit.kind == UnitKind::Row {
            row = unit.value.clone();
            is_gone = records
                .binary_search_by_key(&row.start, |it| it.start)
                .is_ok();
            if is_gone {
                dropped += 1;
                taking.cut(unit.whole.clone());
            }
        } else if !is_gone
            && taking.aims_at(&unit.value)
            && cell(taking, text, &layer, unit)? == Fate::Goes
        {
            if unit.whole == row {
                // An empty line is no row.
                taking.put(unit.whole.clone(), "\"\"".to_owned());
            } else {
                taking.cut(unit.whole.clone());
            }
        }
    }
    if dropped == records.len() {
        Ok(())
    } else {
        Err(ReductionFailed("a record to drop is none of its rows"))
    }
}

fn cell(
    taking: &mut Taking<'_>,
    text: &str,
    layer: &Layer<'_>,
    unit: &Unit,
) -> Result<Fate, ReductionFailed> {
    let raw = text.get(unit.value.clone()).unwrap_or_default();
    if unit.whole != unit.value && raw.contains('"') {
        let plain = raw.replace("\"\"", "\"");
        let layer = layer.inside(raw, unit.value.start, Escape::Quotes);
        taking.value(&plain, &layer, Shape::Text)
    } else {
        let layer = layer.inside(raw, unit.value.start, Escape::None);
        taking.value(raw, &layer, Shape::Text)
    }
}
