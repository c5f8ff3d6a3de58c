//! CBOR (RFC 8949): one item, with strings of indefinite length put together, items in byte strings (tag 24) and big numbers read.

use super::{Input, Outcome, bytes, close, double, literal, name, number, string};
use crate::{
    inspect::format::{part::Source, reading::Scan, walk::Walk},
    model::finding::GapKind,
};

/// Tags that say what stands in a byte string.
mod tag {
    pub(super) const BIG: u64 = 2;
    pub(super) const BIG_NEGATIVE: u64 = 3;
    pub(super) const ITEM: u64 = 24;
}

/// The head of an item.
#[derive(Clone, Copy)]
struct Head {
    major: u8,
    /// The low five bits of its first byte.
    info: u8,
    argument: u64,
}

impl Head {
    fn read(input: &mut Input<'_>) -> Result<Self, GapKind> {
        let first = input.byte()?;
        let info = first & 0x1f;
        let argument = match info {
            0..=23 => u64::from(info),
            24..=27 => input.big_endian(1 << (info - 24))?,
            31 => 0,
            _ => return Err(GapKind::Malformed),
        };
        Ok(Self {
            major: first >> 5,
            info,
            argument,
        })
    }

    const fn is_indefinite(self) -> bool {
        self.info == 31
    }

    fn length(self) -> Result<usize, GapKind> {
        usize::try_from(self.argument).map_err(|_| GapKind::Malformed)
    }
}

/// Reads the one item that is all of `source`.
pub(super) fn read<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    source: &Source<'_>,
    levels: usize,
) -> Outcome {
    let mut input = Input::new(source.bytes);
    let head = Head::read(&mut input)?;
    item(walk, source, &mut input, head, levels)?;
    if input.is_at_end() || walk.is_halted() {
        Ok(())
    } else {
        Err(GapKind::Malformed)
    }
}

fn item<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    source: &Source<'_>,
    input: &mut Input<'_>,
    head: Head,
    levels: usize,
) -> Outcome {
    let (mut head, mut tag, start) = (head, None, input.at);
    // Tags stand before one another; the last one says what the item is.
    while head.major == 6 {
        if head.is_indefinite() {
            return Err(GapKind::Malformed);
        }
        tag = Some(head.argument);
        head = Head::read(input)?;
    }
    let here = |input: &Input<'_>| source.slice(start.saturating_sub(1)..input.at);
    match head.major {
        0 | 1 if head.is_indefinite() => return Err(GapKind::Malformed),
        0 => number(walk, i128::from(head.argument), &here(input)),
        1 => number(walk, -1 - i128::from(head.argument), &here(input)),
        2 | 3 if head.is_indefinite() => {
            let joined = chunks(input, head.major)?;
            let whole = here(input);
            let piece = whole.standing_for(&joined);
            delimited(walk, &piece, head.major == 3, tag, levels)?;
        }
        2 | 3 => {
            let range = input.take(head.length()?)?;
            let piece = source.slice(range);
            delimited(walk, &piece, head.major == 3, tag, levels)?;
        }
        4 | 5 => container(walk, source, input, head, levels)?,
        _ => match head.info {
            27 => double(walk, f64::from_bits(head.argument), &here(input)),
            31 => return Err(GapKind::Malformed),
            _ => literal(walk, &here(input)),
        },
    }
    Ok(())
}

fn delimited<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    piece: &Source<'_>,
    is_text: bool,
    tag: Option<u64>,
    levels: usize,
) -> Outcome {
    match tag {
        _ if is_text => string(walk, piece),
        Some(tag::BIG | tag::BIG_NEGATIVE) if piece.bytes.len() < 16 => {
            let value = piece
                .bytes
                .iter()
                .fold(0, |sum: i128, it| sum << 8 | i128::from(*it));
            let value = if tag == Some(tag::BIG) {
                value
            } else {
                -1 - value
            };
            number(walk, value, piece);
            Ok(())
        }
        Some(tag::ITEM) => {
            let levels = levels.checked_sub(1).ok_or(GapKind::DepthExceeded)?;
            read(walk, piece, levels)
        }
        _ => {
            bytes(walk, piece);
            Ok(())
        }
    }
}

/// The pieces of a string of indefinite length, put together.
fn chunks(input: &mut Input<'_>, major: u8) -> Result<Vec<u8>, GapKind> {
    let mut out = Vec::new();
    loop {
        let head = Head::read(input)?;
        if head.major == 7 && head.is_indefinite() {
            return Ok(out);
        }
        if head.major != major || head.is_indefinite() {
            return Err(GapKind::Malformed);
        }
        let range = input.take(head.length()?)?;
        out.extend_from_slice(input.slice(range));
    }
}

fn container<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    source: &Source<'_>,
    input: &mut Input<'_>,
    head: Head,
    levels: usize,
) -> Outcome {
    let levels = levels.checked_sub(1).ok_or(GapKind::DepthExceeded)?;
    let is_map = head.major == 5;
    let start = input.at;
    walk.open(is_map, source.slice(start..start).span.start);
    let mut left = head.argument;
    while (head.is_indefinite() || left > 0) && !walk.is_halted() {
        left = left.saturating_sub(1);
        let at = input.at;
        let next = Head::read(input)?;
        if head.is_indefinite() && next.major == 7 && next.is_indefinite() {
            break;
        }
        let next = if is_map {
            key(walk, source, input, next, at)?;
            Head::read(input)?
        } else {
            next
        };
        item(walk, source, input, next, levels)?;
    }
    close(walk, &source.slice(start..input.at));
    Ok(())
}

/// A key: text, or a number.
fn key<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    source: &Source<'_>,
    input: &mut Input<'_>,
    head: Head,
    start: usize,
) -> Outcome {
    let written = match head.major {
        _ if head.is_indefinite() => return Err(GapKind::UnsupportedMediaType),
        0 => i128::from(head.argument),
        1 => -1 - i128::from(head.argument),
        2 | 3 => {
            let piece = source.slice(input.take(head.length()?)?);
            let text = std::str::from_utf8(piece.bytes).map_err(|_| GapKind::Malformed)?;
            name(walk, text, &piece.layer(text, true));
            return Ok(());
        }
        _ => return Err(GapKind::UnsupportedMediaType),
    };
    let piece = source.slice(start..input.at);
    let text = written.to_string();
    name(walk, &text, &piece.layer(&text, false));
    Ok(())
}
