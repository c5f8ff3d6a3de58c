//! MessagePack (`github.com/msgpack/msgpack/blob/master/spec.md`).

use super::{Input, Outcome, bytes, close, double, literal, name, number, string};
use crate::{
    inspect::format::{part::Source, reading::Scan, walk::Walk},
    model::finding::GapKind,
};

/// Reads the one value that is all of `source`.
pub(super) fn read<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    source: &Source<'_>,
    levels: usize,
) -> Outcome {
    let mut input = Input::new(source.bytes);
    value(walk, source, &mut input, levels)?;
    if input.is_at_end() || walk.is_halted() {
        Ok(())
    } else {
        Err(GapKind::Malformed)
    }
}

fn value<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    source: &Source<'_>,
    input: &mut Input<'_>,
    levels: usize,
) -> Outcome {
    let start = input.at;
    let here = |input: &Input<'_>| source.slice(start..input.at);
    let first = input.byte()?;
    match first {
        0x00..=0x7f => number(walk, i128::from(first), &here(input)),
        0xe0..=0xff => number(walk, i128::from(first.cast_signed()), &here(input)),
        0x80..=0x8f => map(walk, source, input, usize::from(first & 0x0f), levels)?,
        0xde => {
            let count = input.length(2)?;
            map(walk, source, input, count, levels)?;
        }
        0xdf => {
            let count = input.length(4)?;
            map(walk, source, input, count, levels)?;
        }
        0x90..=0x9f => array(walk, source, input, usize::from(first & 0x0f), levels)?,
        0xdc => {
            let count = input.length(2)?;
            array(walk, source, input, count, levels)?;
        }
        0xdd => {
            let count = input.length(4)?;
            array(walk, source, input, count, levels)?;
        }
        0xa0..=0xbf | 0xd9..=0xdb => {
            let length = string_length(input, first)?;
            let range = input.take(length)?;
            string(walk, &source.slice(range))?;
        }
        0xc4..=0xc6 => {
            let length = input.length(1 << (first - 0xc4))?;
            let range = input.take(length)?;
            bytes(walk, &source.slice(range));
        }
        0xc7..=0xc9 => {
            let length = input.length(1 << (first - 0xc7))?;
            let range = input.take(length.checked_add(1).ok_or(GapKind::Malformed)?)?;
            bytes(walk, &source.slice(range.start + 1..range.end));
        }
        0xd4..=0xd8 => {
            let range = input.take((1 << (first - 0xd4)) + 1)?;
            bytes(walk, &source.slice(range.start + 1..range.end));
        }
        0xc0 | 0xc2 | 0xc3 => literal(walk, &here(input)),
        0xca => {
            input.take(4)?;
            literal(walk, &here(input));
        }
        0xcb => {
            let bits = input.big_endian(8)?;
            double(walk, f64::from_bits(bits), &here(input));
        }
        0xcc..=0xcf => {
            let it = input.big_endian(1 << (first - 0xcc))?;
            number(walk, i128::from(it), &here(input));
        }
        0xd0..=0xd3 => {
            let it = signed(input, first)?;
            number(walk, i128::from(it), &here(input));
        }
        0xc1 => return Err(GapKind::Malformed),
    }
    Ok(())
}

fn signed(input: &mut Input<'_>, first: u8) -> Result<i64, GapKind> {
    let count = 1_usize << first.saturating_sub(0xd0).min(3);
    let bits = input.big_endian(count)?;
    let unused = 64 - 8 * u32::try_from(count).unwrap_or(8);
    Ok((bits << unused).cast_signed() >> unused)
}

fn string_length(input: &mut Input<'_>, first: u8) -> Result<usize, GapKind> {
    match first {
        0xd9..=0xdb => input.length(1 << (first - 0xd9)),
        _ => Ok(usize::from(first & 0x1f)),
    }
}

fn array<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    source: &Source<'_>,
    input: &mut Input<'_>,
    count: usize,
    levels: usize,
) -> Outcome {
    let levels = levels.checked_sub(1).ok_or(GapKind::DepthExceeded)?;
    let start = input.at;
    walk.open(false, source.slice(start..start).span.start);
    for _ in 0..count {
        if walk.is_halted() {
            return Ok(());
        }
        value(walk, source, input, levels)?;
    }
    close(walk, &source.slice(start..input.at));
    Ok(())
}

fn map<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    source: &Source<'_>,
    input: &mut Input<'_>,
    count: usize,
    levels: usize,
) -> Outcome {
    let levels = levels.checked_sub(1).ok_or(GapKind::DepthExceeded)?;
    walk.open(true, source.slice(input.at..input.at).span.start);
    for _ in 0..count {
        if walk.is_halted() {
            return Ok(());
        }
        key(walk, source, input)?;
        value(walk, source, input, levels)?;
    }
    walk.close(source.slice(input.at..input.at).span.end);
    Ok(())
}

/// A key: text, or a number.
fn key<S: Scan>(walk: &mut Walk<'_, '_, S>, source: &Source<'_>, input: &mut Input<'_>) -> Outcome {
    let start = input.at;
    let first = input.byte()?;
    let written = match first {
        0xa0..=0xbf | 0xd9..=0xdb => {
            let length = string_length(input, first)?;
            let piece = source.slice(input.take(length)?);
            let text = std::str::from_utf8(piece.bytes).map_err(|_| GapKind::Malformed)?;
            name(walk, text, &piece.layer(text, true));
            return Ok(());
        }
        0x00..=0x7f => i128::from(first),
        0xe0..=0xff => i128::from(first.cast_signed()),
        0xcc..=0xcf => i128::from(input.big_endian(1 << (first - 0xcc))?),
        0xd0..=0xd3 => i128::from(signed(input, first)?),
        _ => return Err(GapKind::UnsupportedMediaType),
    };
    let piece = source.slice(start..input.at);
    let text = written.to_string();
    name(walk, &text, &piece.layer(&text, false));
    Ok(())
}
