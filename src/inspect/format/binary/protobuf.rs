//! Protocol Buffers (`protobuf.dev/programming-guides/encoding`) without a schema.
//!
//! What is delimited by its length may be a message, a text or bytes; only the schema says. It is read as a message where all of it
//! is one, and as a text where it is text; as both where it may be both.

use std::ops::Range;

use super::{Outcome, bytes, double, gap, has_run, literal, number, string};
use crate::{
    inspect::format::{
        part::{Source, readable},
        reading::Scan,
        walk::Walk,
    },
    model::finding::GapKind,
};

/// Most fields of a message have a number up to here (`reserved`, 2^29 - 1).
const NUMBER_MAX: u64 = (1 << 29) - 1;

/// Numbers below have too few digits for an identifier; a list of them is not read number by number.
const IDENTIFIER_MIN: u64 = 100_000_000;

/// Fixed numbers from here on are no identifiers, but times in nanoseconds, hashes, or bits of a floating-point number.
const FIXED_MAX: u64 = 100_000_000_000_000_000;

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Payload {
    Delimited(Range<usize>),
    Fixed32,
    Fixed64(u64),
    GroupEnd,
    GroupStart,
    Varint(u64),
}

/// Reads a message that is all of `source`.
pub(super) fn read<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    source: &Source<'_>,
    levels: usize,
) -> Outcome {
    if walk.is_drawing() {
        // What has no names cannot be told by a filter.
        return Ok(());
    }
    walk.open_numbered(source.span.start);
    let end = members(walk, source, levels);
    walk.close(source.span.end);
    end
}

fn members<S: Scan>(walk: &mut Walk<'_, '_, S>, source: &Source<'_>, levels: usize) -> Outcome {
    let mut at = 0;
    let mut groups: Vec<u64> = Vec::new();
    while at < source.bytes.len() && !walk.is_halted() {
        let (tag, payload, next) = field(source.bytes, at).ok_or(GapKind::Malformed)?;
        walk.number(tag);
        let piece = source.slice(at..next);
        match payload {
            Payload::GroupStart => {
                groups.push(tag);
                if groups.len() > levels {
                    return Err(GapKind::DepthExceeded);
                }
                walk.open_numbered(piece.span.start);
            }
            Payload::GroupEnd => {
                if groups.pop() != Some(tag) {
                    return Err(GapKind::Malformed);
                }
                walk.close(piece.span.end);
            }
            Payload::Varint(value) => number(walk, i128::from(value.cast_signed()), &piece),
            Payload::Fixed64(bits) => fixed(walk, bits, &piece),
            Payload::Fixed32 => literal(walk, &piece),
            Payload::Delimited(range) => {
                let left = levels.saturating_sub(groups.len());
                delimited(walk, tag, &source.slice(range), left);
            }
        }
        at = next;
    }
    if groups.is_empty() || walk.is_halted() {
        Ok(())
    } else {
        Err(GapKind::Malformed)
    }
}

fn delimited<S: Scan>(walk: &mut Walk<'_, '_, S>, tag: u64, source: &Source<'_>, levels: usize) {
    let near = walk.node();
    if !walk.reading.spend(source.bytes.len() as u64, near) {
        return;
    }
    let first = walk.reading.finds.len();
    let is_message = is_message(source.bytes);
    let is_utf8 = std::str::from_utf8(source.bytes).is_ok();
    let is_readable = readable(source.bytes).is_some();
    if is_readable || is_utf8 && !is_message {
        // It is UTF-8, so it does not fail.
        let _read = string(walk, source);
        walk.number(tag);
    }
    if !is_message {
        return match packed(source.bytes) {
            _ if is_readable => {}
            Some(numbers) if is_utf8 || !has_run(source.bytes) => {
                list(walk, tag, &numbers, source);
            }
            _ if is_utf8 => {}
            _ => bytes(walk, source),
        };
    }
    if levels == 0 {
        return gap(walk, GapKind::DepthExceeded);
    }
    let mut said = walk.reading.said(first);
    let known = walk.reading.finds.len();
    // It is a message, so it does not fail but by what is inside, which says so.
    if let Err(kind) = read(walk, source, levels - 1) {
        walk.number(tag);
        gap(walk, kind);
    }
    walk.reading.drop_repeats(known, &mut said);
}

/// Reads the numbers of a packed field.
fn list<S: Scan>(walk: &mut Walk<'_, '_, S>, tag: u64, numbers: &[u64], source: &Source<'_>) {
    for value in numbers.iter().filter(|it| **it >= IDENTIFIER_MIN) {
        walk.number(tag);
        number(walk, i128::from(value.cast_signed()), source);
    }
}

fn fixed<S: Scan>(walk: &mut Walk<'_, '_, S>, bits: u64, source: &Source<'_>) {
    let value = f64::from_bits(bits);
    if bits < FIXED_MAX {
        number(walk, i128::from(bits), source);
    } else if value.fract() == 0.0 && value.is_normal() {
        double(walk, value, source);
    } else {
        literal(walk, source);
    }
}

/// Whether `bytes` are a message through and through, as far as it shows without looking into its fields.
fn is_message(bytes: &[u8]) -> bool {
    let (mut at, mut groups) = (0, 0_usize);
    while at < bytes.len() {
        let Some((_, payload, next)) = field(bytes, at) else {
            return false;
        };
        match payload {
            Payload::GroupStart => groups += 1,
            Payload::GroupEnd => match groups.checked_sub(1) {
                Some(left) => groups = left,
                None => return false,
            },
            Payload::Delimited(_) | Payload::Fixed32 | Payload::Fixed64(_) | Payload::Varint(_) => {
            }
        }
        at = next;
    }
    groups == 0 && at > 0
}

/// The numbers of a packed field, when `bytes` look like one: mostly small numbers, or all of them large and of one size, which random
/// bytes are not.
fn packed(bytes: &[u8]) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let (value, next) = varint(bytes, at)?;
        numbers.push(value);
        at = next;
    }
    let is_small = numbers.len() * 3 > bytes.len() * 2;
    let mut large = numbers
        .iter()
        .map(|it| (*it >= IDENTIFIER_MIN).then(|| it.ilog2()));
    let first = large.next().flatten();
    let is_alike =
        first.is_some_and(|first| large.all(|it| it.is_some_and(|it| it.abs_diff(first) <= 4)));
    (is_small || is_alike).then_some(numbers)
}

/// The field that starts at `at`: its number, what it holds, and where the next one starts.
fn field(bytes: &[u8], at: usize) -> Option<(u64, Payload, usize)> {
    let (key, at) = varint(bytes, at)?;
    let tag = key >> 3;
    if tag == 0 || tag > NUMBER_MAX {
        return None;
    }
    let (payload, next) = match key & 7 {
        0 => {
            let (value, next) = varint(bytes, at)?;
            (Payload::Varint(value), next)
        }
        1 => {
            let raw = bytes.get(at..)?.first_chunk::<8>()?;
            (Payload::Fixed64(u64::from_le_bytes(*raw)), at + 8)
        }
        2 => {
            let (length, from) = varint(bytes, at)?;
            let end = from.checked_add(usize::try_from(length).ok()?)?;
            bytes.get(from..end)?;
            (Payload::Delimited(from..end), end)
        }
        3 => (Payload::GroupStart, at),
        4 => (Payload::GroupEnd, at),
        5 => {
            bytes.get(at..at + 4)?;
            (Payload::Fixed32, at + 4)
        }
        _ => return None,
    };
    Some((tag, payload, next))
}

/// The number that starts at `at`, seven bits a byte, and where it ends.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    for (place, byte) in bytes.get(at..)?.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * place).min(63);
        if byte & 0x80 == 0 {
            return Some((value, at + place + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_apart_or_refused() {
        assert_eq!(
            field(&[0x08, 0x96, 0x01], 0),
            Some((1, Payload::Varint(150), 3))
        );
        assert_eq!(
            field(b"\x12\x01a", 0),
            Some((2, Payload::Delimited(2..3), 3))
        );
        assert_eq!(
            field(&[0x0d, 0, 0, 0x80, 0x3f], 0),
            Some((1, Payload::Fixed32, 5))
        );
        for wrong in [
            &[0x00, 0x01][..],
            &[0x0e],
            &[0x0f],
            &[0x08],
            &[0x12, 0x02, b'a'],
            &[0x09, 1, 2, 3],
            &[0x80],
            &[0xff; 11],
        ] {
            assert_eq!(field(wrong, 0), None, "{wrong:?}");
        }
        assert!(is_message(b"\x0a\x03abc\x10\x01"));
        assert!(is_message(&[0x0b, 0x08, 0x01, 0x0c]));
        for wrong in [&b""[..], b"hello, world", &[0x0b, 0x08, 0x01], &[0x0c]] {
            assert!(!is_message(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn lists_of_numbers_are_told_from_random_bytes() {
        assert_eq!(packed(&[1, 2, 3, 0x96, 0x01]), Some(vec![1, 2, 3, 150]));
        assert_eq!(packed(&[0x80]), None);
        let random = [
            0x9c, 0x41, 0xe5, 0x07, 0xf3, 0xd8, 0x12, 0xaa, 0xb1, 0xc9, 0x8f, 0x33, 0x85, 0x6b,
        ];
        assert_eq!(packed(&random), None);
    }
}
