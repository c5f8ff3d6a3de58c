//! Brotli (RFC 7932), strictly: the streams with larger windows, which convenience decoders take, are not of the standard.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::{Aside, STEP, Sink};
use crate::model::finding::GapKind;

/// Input is given in pieces of this many bytes, so that a metadata block is seen before the decoder has gone past it.
const PIECE: usize = 8;

/// Undoes `br`.
///
/// # Errors
/// `Malformed` when the stream is not what it should be (the output so far stands), or the gap of a cap.
pub(super) fn undo(input: &[u8], out: &mut Sink, aside: &mut Aside) -> Result<(), GapKind> {
    let alloc = StandardAlloc::default();
    let mut state = BrotliState::new_strict(alloc, alloc, alloc);
    let mut space = vec![0; STEP];
    let (mut at, mut total) = (0, 0);
    loop {
        let end = (at + PIECE).min(input.len());
        let (mut left, mut room, mut written) = (end - at, space.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut at,
            input,
            &mut room,
            &mut written,
            &mut space,
            &mut total,
            &mut state,
        );
        out.bytes
            .extend_from_slice(space.get(..written).unwrap_or_default());
        out.check()?;
        // Metadata is for whoever reads the stream itself; an empty block only aligns it to a byte.
        aside.is_opaque |= state.is_metadata != 0 && state.meta_block_remaining_len > 0;
        match result {
            BrotliResult::ResultSuccess if at == input.len() => return Ok(()),
            BrotliResult::NeedsMoreInput if at < input.len() => {}
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::ResultSuccess
            | BrotliResult::NeedsMoreInput
            | BrotliResult::ResultFailure => return Err(GapKind::Malformed),
        }
    }
}
