//! DEFLATE (RFC 1951) in its three wrappings: gzip members, a zlib stream, and none.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::{Aside, PIECES_MAX, Sink};
use crate::model::finding::GapKind;

/// First bytes of a gzip member: magic and the one compression method there is.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// Flags of a gzip member, RFC 1952 §2.3.1.
mod flag {
    pub(super) const CRC: u8 = 1 << 1;
    pub(super) const EXTRA: u8 = 1 << 2;
    pub(super) const NAME: u8 = 1 << 3;
    pub(super) const COMMENT: u8 = 1 << 4;
    pub(super) const RESERVED: u8 = 0b1110_0000;
}

/// Undoes gzip: all members, and nothing after the last.
///
/// # Errors
/// `Malformed` when the stream is not what it should be (the output so far stands), or the gap of a cap.
pub(super) fn undo_gzip(input: &[u8], out: &mut Sink, aside: &mut Aside) -> Result<(), GapKind> {
    if !input.starts_with(&MAGIC) {
        return Err(GapKind::Ambiguous);
    }
    let mut stream = Decompress::new(false);
    let mut rest = input;
    for _ in 0..PIECES_MAX {
        rest = skip_header(rest, aside).ok_or(GapKind::Malformed)?;
        let from = out.bytes.len();
        stream.reset(false);
        let length = inflate(&mut stream, rest, out)?;
        rest = rest.get(length..).unwrap_or_default();
        let (end, after) = rest.split_first_chunk::<8>().ok_or(GapKind::Malformed)?;
        let mut sum = Crc::new();
        sum.update(out.bytes.get(from..).unwrap_or_default());
        let expected = [sum.sum().to_le_bytes(), sum.amount().to_le_bytes()];
        if *end != *expected.as_flattened() {
            return Err(GapKind::Malformed);
        }
        rest = after;
        if rest.is_empty() {
            return Ok(());
        }
    }
    Err(GapKind::PartsExceeded)
}

/// What follows the header of the member at the start of `member`. Names and comments are kept: some recipients store under them.
fn skip_header<'a>(member: &'a [u8], aside: &mut Aside) -> Option<&'a [u8]> {
    let (fixed, mut rest) = member.split_first_chunk::<10>()?;
    let flags = *fixed.get(3)?;
    if !fixed.starts_with(&MAGIC) || flags & flag::RESERVED != 0 {
        return None;
    }
    if flags & flag::EXTRA != 0 {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_le_bytes(*length));
        aside.is_opaque |= length > 0;
        rest = after.get(length..)?;
    }
    for text in [flag::NAME, flag::COMMENT] {
        if flags & text != 0 {
            let end = memchr::memchr(0, rest)?;
            let (text, after) = rest.split_at_checked(end)?;
            aside.texts.push(readable(text));
            rest = after.get(1..)?;
        }
    }
    if flags & flag::CRC != 0 {
        let mut sum = Crc::new();
        sum.update(member.get(..member.len() - rest.len())?);
        let (end, after) = rest.split_first_chunk::<2>()?;
        if !sum.sum().to_le_bytes().starts_with(end) {
            return None;
        }
        rest = after;
    }
    Some(rest)
}

/// ISO 8859-1 by RFC 1952, UTF-8 by custom.
fn readable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|it| char::from(*it)).collect(),
    }
}

/// Undoes `deflate`: a zlib stream when it begins as one, else a bare one.
///
/// # Errors
/// As [`undo_gzip`]; `Ambiguous` when it can be read as either, since recipients differ in which they try first.
pub(super) fn undo(input: &[u8], out: &mut Sink) -> Result<(), GapKind> {
    let is_zlib = is_zlib(input);
    let length = inflate(&mut Decompress::new(is_zlib), input, out)?;
    if length != input.len() {
        return Err(GapKind::Malformed);
    }
    let mut other = Sink::new(out.cap);
    if is_zlib && inflate(&mut Decompress::new(false), input, &mut other).is_ok() {
        return Err(GapKind::Ambiguous);
    }
    Ok(())
}

/// Whether the first two bytes are a zlib header (RFC 1950 §2.2).
fn is_zlib(input: &[u8]) -> bool {
    let Some([method, flags]) = input.first_chunk::<2>() else {
        return false;
    };
    method & 0x0f == 8
        && method >> 4 <= 7
        && u16::from_be_bytes([*method, *flags]).is_multiple_of(31)
}

/// Undoes the one stream at the start of `input`; its length.
fn inflate(stream: &mut Decompress, input: &[u8], out: &mut Sink) -> Result<usize, GapKind> {
    loop {
        out.make_room()?;
        let (read, written) = (stream.total_in(), out.bytes.len());
        let at = usize::try_from(read).unwrap_or(usize::MAX);
        let rest = input.get(at..).unwrap_or_default();
        let status = stream.decompress_vec(rest, &mut out.bytes, FlushDecompress::None);
        out.check()?;
        match status {
            Ok(Status::StreamEnd) => {
                return usize::try_from(stream.total_in()).map_err(|_| GapKind::Malformed);
            }
            Ok(Status::Ok | Status::BufError)
                if (stream.total_in(), out.bytes.len()) != (read, written) => {}
            Ok(Status::Ok | Status::BufError) | Err(_) => return Err(GapKind::Malformed),
        }
    }
}
