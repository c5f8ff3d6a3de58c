//! Multipart bodies: a part is what goes.

use std::ops::Range;

use super::{
    ReductionFailed,
    value::{Fate, Shape, Taking},
};
use crate::inspect::format::{layer::Layer, unit::Unit};

/// Takes the aims and the records with these spans out of `body`, whose parts are `units`. A part goes when its value goes, when its
/// name, its file name or another of its fields is aimed at, and when it is written in a way that has no way back byte for byte.
///
/// # Errors
/// Something stands outside the parts, or no part would be left.
pub(super) fn parts(
    taking: &mut Taking<'_>,
    body: &[u8],
    units: &[Unit],
    records: &[Range<usize>],
) -> Result<(), ReductionFailed> {
    let mut dropped = 0;
    let mut left = 0;
    for unit in units {
        let is_record = records.contains(&unit.value);
        dropped += usize::from(is_record);
        if is_record || part(taking, body, unit)? == Fate::Goes {
            taking.cut(unit.whole.clone());
        } else {
            left += 1;
        }
    }
    if dropped != records.len() {
        return Err(ReductionFailed("a record to drop is not one of its parts"));
    }
    if left == 0 {
        return Err(ReductionFailed("none of its parts would be left"));
    }
    Ok(())
}

fn part(taking: &mut Taking<'_>, body: &[u8], unit: &Unit) -> Result<Fate, ReductionFailed> {
    if taking.takes_whole(&unit.whole, &unit.value) {
        return Ok(Fate::Goes);
    }
    let bytes = body.get(unit.value.clone()).unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(text) => taking.value(text, &Layer::at(text, unit.value.start), Shape::Text),
        // Nothing is found in the bytes themselves of what is no text.
        Err(_) => Ok(Fate::Stays),
    }
}
