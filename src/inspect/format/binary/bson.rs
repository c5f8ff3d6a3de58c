//! BSON (`bsonspec.org`): one document.

use std::ops::Range;

use super::{Input, Outcome, bytes, close, double, literal, name, number, string};
use crate::{
    inspect::format::{part::Source, reading::Scan, walk::Walk},
    model::finding::GapKind,
};

/// Reads the one document that is all of `source`.
pub(super) fn read<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    source: &Source<'_>,
    levels: usize,
) -> Outcome {
    let mut input = Input::new(source.bytes);
    document(walk, source, &mut input, true, levels)?;
    if input.is_at_end() || walk.is_halted() {
        Ok(())
    } else {
        Err(GapKind::Malformed)
    }
}

fn document<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    source: &Source<'_>,
    input: &mut Input<'_>,
    is_object: bool,
    levels: usize,
) -> Outcome {
    let levels = levels.checked_sub(1).ok_or(GapKind::DepthExceeded)?;
    let start = input.at;
    let length = length(input)?;
    walk.open(is_object, source.slice(start..start).span.start);
    loop {
        if walk.is_halted() {
            return Ok(());
        }
        let kind = input.byte()?;
        if kind == 0 {
            break;
        }
        let range = c_string(input)?;
        if is_object {
            let piece = source.slice(range);
            let text = std::str::from_utf8(piece.bytes).map_err(|_| GapKind::Malformed)?;
            name(walk, text, &piece.layer(text, true));
        }
        element(walk, source, input, kind, levels)?;
    }
    if input.at.checked_sub(start) != Some(length) {
        return Err(GapKind::Malformed);
    }
    close(walk, &source.slice(start..input.at));
    Ok(())
}

fn element<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    source: &Source<'_>,
    input: &mut Input<'_>,
    kind: u8,
    levels: usize,
) -> Outcome {
    let start = input.at;
    match kind {
        0x01 => {
            let bits = input.little_endian(8)?;
            double(walk, f64::from_bits(bits), &source.slice(start..input.at));
        }
        // String, code, symbol.
        0x02 | 0x0d | 0x0e => {
            let range = counted(input)?;
            string(walk, &source.slice(range))?;
        }
        0x03 => document(walk, source, input, true, levels)?,
        0x04 => document(walk, source, input, false, levels)?,
        0x05 => {
            let length = length(input)?;
            input.byte()?;
            let range = input.take(length)?;
            bytes(walk, &source.slice(range));
        }
        // Regular expression: pattern and options.
        0x0b => {
            let range = c_string(input)?;
            c_string(input)?;
            string(walk, &source.slice(range))?;
        }
        0x10 | 0x12 => {
            let it = match kind {
                0x10 => i128::from(input.little_endian(4)?.cast_signed() << 32 >> 32),
                _ => i128::from(input.little_endian(8)?.cast_signed()),
            };
            number(walk, it, &source.slice(start..input.at));
        }
        // Undefined, null, least and greatest; object id; boolean; time.
        0x06 | 0x0a | 0x7f | 0xff | 0x07 | 0x08 | 0x09 | 0x11 => {
            input.take(match kind {
                0x07 => 12,
                0x08 => 1,
                0x09 | 0x11 => 8,
                _ => 0,
            })?;
            literal(walk, &source.slice(start..input.at));
        }
        // A decimal number, a pointer, code with its scope: what they hold is not read.
        _ => return Err(GapKind::UnsupportedMediaType),
    }
    Ok(())
}

fn length(input: &mut Input<'_>) -> Result<usize, GapKind> {
    usize::try_from(input.little_endian(4)?).map_err(|_| GapKind::Malformed)
}

/// A string after its length, with a zero at its end that counts.
fn counted(input: &mut Input<'_>) -> Result<Range<usize>, GapKind> {
    let length = length(input)?.checked_sub(1).ok_or(GapKind::Malformed)?;
    let range = input.take(length)?;
    match input.byte()? {
        0 => Ok(range),
        _ => Err(GapKind::Malformed),
    }
}

/// A string up to a zero.
fn c_string(input: &mut Input<'_>) -> Result<Range<usize>, GapKind> {
    let rest = input.bytes.get(input.at..).unwrap_or_default();
    let length = memchr::memchr(0, rest).ok_or(GapKind::Malformed)?;
    let range = input.take(length)?;
    input.byte()?;
    Ok(range)
}
