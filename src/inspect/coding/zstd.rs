//! Zstandard (RFC 8878) as a content coding: all frames, and no window above the 8 MiB of RFC 9659.

use ::zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation as _, OutBuffer};

use super::{Aside, PIECES_MAX, Sink};
use crate::model::finding::GapKind;

/// First bytes of a frame.
pub(super) const MAGIC: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();

/// Base-2 logarithm of the largest window, RFC 9659 §3.
const WINDOW_LOG_MAX: u32 = 23;

/// What the library says of a frame that asks for a larger one.
const WINDOW_TOO_LARGE: &str = "Frame requires too much memory for decoding";

/// Whether `bytes` begin as a skippable frame.
pub(super) fn is_skippable(bytes: &[u8]) -> bool {
    matches!(bytes, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Undoes `zstd`: all frames, and nothing after the last. Skippable frames are noted as opaque.
///
/// # Errors
/// `Malformed` when a frame is not what it should be (the output so far stands), `UnsupportedCoding` when its window is larger
/// than HTTP allows, or the gap of a cap.
pub(super) fn undo(input: &[u8], out: &mut Sink, aside: &mut Aside) -> Result<(), GapKind> {
    if !input.starts_with(&MAGIC) && !is_skippable(input) {
        return Err(GapKind::Ambiguous);
    }
    let mut decoder = decoder().ok_or(GapKind::InspectionFailed)?;
    let mut rest = input;
    for _ in 0..PIECES_MAX {
        rest = if is_skippable(rest) {
            aside.is_opaque = true;
            skip(rest).ok_or(GapKind::Malformed)?
        } else {
            frame(&mut decoder, rest, out)?
        };
        if rest.is_empty() {
            return Ok(());
        }
    }
    Err(GapKind::PartsExceeded)
}

/// `None` only when there is no memory for it.
fn decoder() -> Option<Decoder<'static>> {
    let mut decoder = Decoder::new().ok()?;
    decoder
        .set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))
        .ok()?;
    Some(decoder)
}

/// What follows the skippable frame at the start of `input`.
fn skip(input: &[u8]) -> Option<&[u8]> {
    let (length, rest) = input.get(4..)?.split_first_chunk::<4>()?;
    rest.get(usize::try_from(u32::from_le_bytes(*length)).ok()?..)
}

/// Undoes the frame at the start of `input`; what follows it.
fn frame<'a>(
    decoder: &mut Decoder<'_>,
    input: &'a [u8],
    out: &mut Sink,
) -> Result<&'a [u8], GapKind> {
    let mut source = InBuffer::around(input);
    loop {
        out.make_room()?;
        let before = (source.pos(), out.bytes.len());
        let from = out.bytes.len();
        let mut target = OutBuffer::around_pos(&mut out.bytes, from);
        let hint = decoder.run(&mut source, &mut target);
        out.check()?;
        match hint {
            Ok(0) => return Ok(input.get(source.pos()..).unwrap_or_default()),
            Ok(_) if (source.pos(), out.bytes.len()) != before => {}
            Err(error) if error.to_string() == WINDOW_TOO_LARGE => {
                return Err(GapKind::UnsupportedCoding);
            }
            Ok(_) | Err(_) => return Err(GapKind::Malformed),
        }
    }
}
