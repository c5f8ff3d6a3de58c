//! Messages in frames: gRPC (`grpc/doc/PROTOCOL-HTTP2.md`), gRPC-Web (`PROTOCOL-WEB.md`) and the streams of Connect
//! (`connectrpc.com/docs/protocol`). A body is an array of messages; each may be compressed by itself.

use http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};

use super::{Input, Outcome, gap, protobuf, string};
use crate::{
    inspect::{
        coding,
        format::{
            part::{self, Place, Source},
            reading::Scan,
            sealed,
            walk::Walk,
        },
        media_type::Framed,
    },
    model::finding::GapKind,
};

/// Fields that name the compression of frames.
const ENCODINGS: [&str; 2] = ["grpc-encoding", "connect-content-encoding"];

/// Bits of a frame's first byte.
mod flag {
    pub(super) const COMPRESSED: u8 = 1;
    /// The end of a Connect stream, in JSON.
    pub(super) const END: u8 = 2;
    /// Trailers of gRPC-Web, as header fields.
    pub(super) const TRAILERS: u8 = 0x80;
}

/// Reads the frames in `source`.
pub(super) fn read<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    source: &Source<'_>,
    kind: Framed,
    headers: &HeaderMap,
    levels: usize,
) -> Outcome {
    if walk.is_drawing() {
        return Ok(());
    }
    if kind == Framed::ProtobufInBase64 {
        let decoded = unarmoured(source.bytes).ok_or(GapKind::Malformed)?;
        let near = walk.node();
        if !walk.reading.spend(decoded.len() as u64, near) {
            return Ok(());
        }
        let plain = source.standing_for(&decoded);
        return frames(walk, &plain, Framed::Protobuf, headers, levels);
    }
    frames(walk, source, kind, headers, levels)
}

fn frames<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    source: &Source<'_>,
    kind: Framed,
    headers: &HeaderMap,
    levels: usize,
) -> Outcome {
    let mut input = Input::new(source.bytes);
    walk.open(false, source.span.start);
    while !input.is_at_end() && !walk.is_halted() {
        let flags = input.byte()?;
        let length = input.length(4)?;
        let message = source.slice(input.take(length)?);
        if flags & flag::COMPRESSED == 0 {
            frame(walk, &message, flags, kind, levels)?;
            continue;
        }
        let mut named = HeaderMap::new();
        for value in ENCODINGS.iter().flat_map(|it| headers.get_all(*it)) {
            named.append(CONTENT_ENCODING, value.clone());
        }
        let bare = coding::undo(&named, message.bytes, &walk.reading.plan.budget);
        let near = walk.node();
        if !walk.reading.spend(bare.work, near) {
            break;
        }
        if named.is_empty() {
            return Err(GapKind::UnsupportedCoding);
        }
        let plain = message.standing_for(&bare.bytes);
        if bare.fault.is_none_or(|_| !bare.bytes.is_empty()) {
            frame(walk, &plain, flags, kind, levels)?;
        }
        if let Some(fault) = bare.fault {
            return Err(fault);
        }
        if bare.aside.is_opaque || !bare.aside.texts.is_empty() {
            gap(walk, GapKind::Opaque);
        }
    }
    walk.close(source.span.end);
    Ok(())
}

fn frame<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    message: &Source<'_>,
    flags: u8,
    kind: Framed,
    levels: usize,
) -> Outcome {
    if flags & flag::TRAILERS != 0 {
        return string(walk, message);
    }
    if kind != Framed::Json && flags & flag::END == 0 {
        return protobuf::read(walk, message, levels.saturating_sub(1));
    }
    let Some(entered) = walk.value(message.span.clone(), String::new) else {
        return Ok(());
    };
    let place = Place::of(walk, &entered);
    let mut label = HeaderMap::new();
    label.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    part::read(walk, &place, &entered, &label, message);
    Ok(())
}

/// The bytes of which `text` is the base64; each piece may be padded by itself.
fn unarmoured(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        let padding = rest.iter().position(|it| *it == b'=');
        let end = padding.map_or(rest.len(), |at| {
            let after = rest.get(at..).unwrap_or_default();
            at + after.iter().take_while(|it| **it == b'=').count()
        });
        let (piece, after) = rest.split_at_checked(end)?;
        out.extend(sealed::decode_folded(piece)?);
        rest = after;
    }
    Some(out)
}
