//! What bytes are, by how they begin: pictures, biometric templates, documents, archives, encrypted messages. None is read.

use super::{
    super::detect::{BY_KEY, Hit},
    json::Around,
    layer::Layer,
    reading::{Reading, Scan, Spot},
    sealed,
};
use crate::model::{
    Category,
    finding::{Confidence, GapKind},
};

/// Bytes at the start of a file that say what it is.
const HEAD: usize = 48;

/// Shortest base64 that is called a file by its first bytes: a token may begin so by chance.
pub(super) const ARMOURED_MIN: usize = 32;

/// Name of the detector that takes a content for what its first bytes and its key say.
const DETECTOR: &str = "magic";

/// What unreadable bytes are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Magic {
    /// A fingerprint, face or iris in a format made for that.
    Biometric,
    /// Compressed data of one piece, in a coding that bodies have too.
    Compressed(&'static str),
    /// A document, an archive, encrypted data.
    File,
    /// A picture; of whom or of what, only its key says.
    Picture,
    /// Sound.
    Sound,
}

/// Beginnings. ISO/IEC 19794 parts 2, 4, 5 and 6 name themselves by three letters and a zero; WSQ begins with its own marker.
const TABLE: &[(&[u8], Magic)] = &[
    (b"FMR\0", Magic::Biometric),
    (b"FIR\0", Magic::Biometric),
    (b"FAC\0", Magic::Biometric),
    (b"IIR\0", Magic::Biometric),
    (b"\xff\xa0\xff", Magic::Biometric),
    (b"\xff\xd8\xff", Magic::Picture),
    (b"\x89PNG\r\n\x1a\n", Magic::Picture),
    (b"GIF87a", Magic::Picture),
    (b"GIF89a", Magic::Picture),
    (b"II*\0", Magic::Picture),
    (b"MM\0*", Magic::Picture),
    (b"\0\0\0\x0cjP  ", Magic::Picture),
    (b"OggS", Magic::Sound),
    (b"ID3", Magic::Sound),
    (b"fLaC", Magic::Sound),
    (b"#!AMR", Magic::Sound),
    (b"%PDF-", Magic::File),
    (b"PK\x03\x04", Magic::File),
    (b"PK\x05\x06", Magic::File),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Magic::File),
    (b"\x1f\x8b\x08", Magic::Compressed("gzip")),
    (b"BZh", Magic::File),
    (b"\xfd7zXZ\0", Magic::File),
    (b"7z\xbc\xaf\x27\x1c", Magic::File),
    (b"Rar!\x1a\x07", Magic::File),
    (b"\x28\xb5\x2f\xfd", Magic::Compressed("zstd")),
    (b"SQLite format 3\0", Magic::File),
    (b"\0asm", Magic::File),
    (b"age-encryption.org/", Magic::File),
    (b"Salted__", Magic::File),
];

/// The object identifiers of encrypted contents in CMS: enveloped and encrypted data (RFC 5652 §6, §8).
const SEALED: &[&[u8]] = &[
    b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03",
    b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06",
];

/// What `bytes` are.
pub(crate) fn of(bytes: &[u8]) -> Option<Magic> {
    let known = TABLE.iter().find(|it| bytes.starts_with(it.0));
    if let Some((_, magic)) = known {
        return Some(*magic);
    }
    match (bytes.first(), bytes.get(4..8), bytes.get(8..12)) {
        (Some(b'R'), _, Some(b"WEBP")) => Some(Magic::Picture),
        (Some(b'R'), _, Some(b"WAVE")) => Some(Magic::Sound),
        (Some(b'R'), ..) if bytes.starts_with(b"RIFF") => Some(Magic::File),
        (_, Some(b"ftyp"), Some(b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1" | b"avif")) => {
            Some(Magic::Picture)
        }
        (_, Some(b"ftyp"), _) => Some(Magic::File),
        (Some(0x30), ..) => {
            let head = bytes.get(..HEAD.min(bytes.len())).unwrap_or_default();
            let is_sealed = |it: &&[u8]| memchr::memmem::find(head, it).is_some();
            SEALED.iter().any(is_sealed).then_some(Magic::File)
        }
        _ => None,
    }
}

/// First two characters of the base64 of what [`of`] knows: a look-up that most stretches do not pass.
const ARMOURED: &[&[u8; 2]] = &[
    b"Rk", b"Rl", b"RU", b"SU", b"/6", b"/9", b"iV", b"R0", b"TU", b"AA", b"T2", b"Zk", b"Iy",
    b"JV", b"UE", b"0M", b"H4", b"Ql", b"/T", b"N3", b"Um", b"KL", b"U1", b"AG", b"YW", b"U2",
    b"Uk", b"MI", b"MH", b"MD",
];

/// What the bytes are of which `raw` is the base64.
pub(crate) fn of_base64(raw: &str) -> Option<Magic> {
    let first = raw.as_bytes().first_chunk::<2>()?;
    if raw.len() < ARMOURED_MIN || !ARMOURED.contains(&first) {
        return None;
    }
    // Some writers break it into lines.
    let longest = raw.len().min(HEAD / 3 * 4);
    let head = raw.as_bytes().get(..longest)?;
    let line = memchr::memchr2(b'\r', b'\n', head).unwrap_or(longest);
    let length = line / 4 * 4;
    let mut space = [0; HEAD];
    let bytes = sealed::head(raw.get(..length)?, &mut space)?;
    of(bytes)
}

/// Notes that unreadable bytes stand at `spot`: a gap unless they are a template, and a finding where they, or their key, are of a person's body.
pub(crate) fn report<S: Scan>(
    reading: &mut Reading<'_, S>,
    magic: Magic,
    around: Around,
    spot: &Spot,
    layer: &Layer<'_>,
) {
    // A template is the data itself: nothing else is in it to be read.
    if magic != Magic::Biometric {
        reading.gap(GapKind::Opaque, spot.node, spot.leaf.as_ref());
    }
    find(reading, magic, around, spot, layer, usize::MAX);
}

/// The finding alone. What was found from `first_find` on is not found again.
pub(crate) fn find<S: Scan>(
    reading: &mut Reading<'_, S>,
    magic: Magic,
    around: Around,
    spot: &Spot,
    layer: &Layer<'_>,
    first_find: usize,
) {
    let named = match around.key.category {
        Some(_) => around.key,
        None => around.parent,
    };
    let own = named.category;
    let category = match (magic, own) {
        (Magic::Biometric, _) => Category::Biometric,
        (Magic::Picture, Some(it @ (Category::Biometric | Category::Photo)))
        | (
            Magic::File | Magic::Compressed(_),
            Some(it @ (Category::Biometric | Category::Photo | Category::Voice)),
        )
        | (Magic::Sound, Some(it @ (Category::Biometric | Category::Voice))) => it,
        _ => return,
    };
    let known = reading.finds.get(first_find..).unwrap_or_default();
    if known.iter().any(|it| it.category == category) {
        return;
    }
    let is_named = own == Some(category);
    let confidence =
        match is_named && matches!(magic, Magic::Biometric | Magic::Picture | Magic::Sound) {
            true => Confidence::Certain,
            false => Confidence::High,
        };
    let needs_person = is_named && named.needs_person && !around.parent.is_person;
    let hit = Hit {
        category,
        detector: if is_named { BY_KEY } else { DETECTOR },
        confidence: if needs_person {
            Confidence::Low
        } else {
            confidence
        },
        confidence_beside_person: confidence,
        range: 0..usize::MAX,
        identifier: None,
    };
    reading.note(hit, spot, layer);
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    use super::*;

    #[test]
    fn beginnings_are_known_in_bytes_and_in_base64() {
        let envelope = b"\x30\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0";
        let further: [(&[u8], Magic); 4] = [
            (b"RIFF\x10\0\0\0WEBPVP8 ", Magic::Picture),
            (b"\0\0\0\x18ftypheic", Magic::Picture),
            (b"\0\0\0\x1cftypisom", Magic::File),
            (envelope, Magic::File),
        ];
        for (start, magic) in TABLE.iter().copied().chain(further) {
            let bytes = [start, &[0; 64]].concat();
            assert_eq!(of(&bytes), Some(magic), "{start:?}");
            let armoured = BASE64_STANDARD.encode(&bytes);
            assert_eq!(of_base64(&armoured), Some(magic), "{start:?} {armoured}");
        }
    }

    #[test]
    fn what_begins_otherwise_is_nothing_known() {
        let certificate = b"\x30\x82\x01\x00\x30\x81\xb0\xa0\x03\x02\x01\x02";
        let texts: [&[u8]; 5] = [b"", b"hello, world", b"PKCS", b"{\"a\":1}", certificate];
        for bytes in texts {
            let bytes = [bytes, &[b' '; 64]].concat();
            assert_eq!(of(&bytes), None);
            assert_eq!(of_base64(&BASE64_STANDARD.encode(&bytes)), None);
        }
        let folded = BASE64_STANDARD.encode([b"GIF89a".as_slice(), &[0; 27]].concat());
        let folded = format!("{folded}\n{folded}");
        assert_eq!(of_base64(&folded), Some(Magic::Picture));
        assert_eq!(of_base64("/9j/4AAQSkZJRg"), None, "too short to be a file");
    }
}
