//! Tells a tail that a crash has torn from a record that somebody has altered.
//!
//! A crash leaves, of the last group only, sectors that never arrived: they read as zeros, or the file ends before them. JSON text holds no
//! zero byte, and hashes can be computed again, so a missing sector can be told from a changed byte. Nothing of a later group can stand
//! behind a torn one, since a group is written only after the one before is on stable storage.

use memchr::memmem;

use super::format::{
    BODY_BYTES_MAX, BODY_START, HASHES_BYTES, Hash, LENGTH_BYTES, chain_hash, envelope, leaf_hash,
};

/// The smallest unit that a disk writes whole.
const SECTOR_BYTES: u64 = 512;

/// Whether `rest`, the bytes of the last segment from `offset` on, where the record `sequence` should follow from `previous`, is what a crash
/// can leave. Cost: one pass over `rest`.
pub(super) fn is_torn(rest: &[u8], offset: u64, sequence: u64, previous: &Hash) -> bool {
    if has_later_group(rest, sequence) || is_whole_under_another_length(rest) {
        return false;
    }
    let Some((field, after)) = rest.split_first_chunk::<LENGTH_BYTES>() else {
        return true;
    };
    let Some(length) = usize::try_from(u32::from_be_bytes(*field))
        .ok()
        .filter(|it| *it <= BODY_BYTES_MAX)
    else {
        return false;
    };
    if length == 0 {
        // Of the sector that holds the length nothing arrived, of later ones something did.
        return pieces(rest, offset).next().is_none_or(is_zero);
    }
    let Some((body, hashes)) = after
        .split_at_checked(length)
        .and_then(|(body, more)| Some((body, more.get(..HASHES_BYTES)?)))
    else {
        return true;
    };
    let body_offset = offset + LENGTH_BYTES as u64;
    if body.contains(&0) {
        return pieces(body, body_offset).all(|it| is_zero(it) || !it.contains(&0));
    }
    let leaf = leaf_hash(body);
    let expected = [leaf, chain_hash(previous, &leaf)].concat();
    let hashes_offset = body_offset + length as u64;
    pieces(hashes, hashes_offset)
        .zip(pieces(&expected, hashes_offset))
        .all(|(found, expected)| found == expected || is_zero(found))
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|it| *it == 0)
}

/// `bytes`, which stand at `offset`, cut at sector boundaries.
fn pieces(bytes: &[u8], offset: u64) -> impl Iterator<Item = &[u8]> {
    let to_boundary = usize::try_from(SECTOR_BYTES - offset % SECTOR_BYTES).unwrap_or(1);
    let (first, others) = bytes.split_at(to_boundary.min(bytes.len()));
    std::iter::once(first)
        .filter(|it| !it.is_empty())
        .chain(others.chunks(usize::try_from(SECTOR_BYTES).unwrap_or(1)))
}

/// Whether a whole record that was written after the group of `sequence` stands in `rest`.
fn has_later_group(rest: &[u8], sequence: u64) -> bool {
    memmem::find_iter(rest, BODY_START).any(|start| {
        let whole = start
            .checked_sub(LENGTH_BYTES)
            .and_then(|it| rest.get(it..))
            .and_then(whole_record);
        whole
            .and_then(envelope)
            .is_some_and(|(_, group)| group > sequence)
    })
}

/// The body of the record at the start of `bytes`, if its leaf hash holds.
fn whole_record(bytes: &[u8]) -> Option<&[u8]> {
    let (field, after) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u32::from_be_bytes(*field)).ok()?;
    let (body, hashes) = after.split_at_checked(length)?;
    hashes.starts_with(&leaf_hash(body)).then_some(body)
}

/// Whether a body with its leaf hash stands at the start of `rest` whose length is not the one before it: only the length was altered.
fn is_whole_under_another_length(rest: &[u8]) -> bool {
    let Some(after) = rest.get(LENGTH_BYTES..) else {
        return false;
    };
    let mut values =
        serde_json::Deserializer::from_slice(after).into_iter::<serde::de::IgnoredAny>();
    if !matches!(values.next(), Some(Ok(_))) {
        return false;
    }
    let Some((body, hashes)) = after.split_at_checked(values.byte_offset()) else {
        return false;
    };
    let stored = rest
        .first_chunk::<LENGTH_BYTES>()
        .map(|it| u32::from_be_bytes(*it));
    let is_other = stored.map(u64::from) != Some(body.len() as u64);
    is_other && hashes.starts_with(&leaf_hash(body))
}
