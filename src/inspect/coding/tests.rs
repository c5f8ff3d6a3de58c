//! Streams of every coding: honest ones, cut ones, and those that hold more than they show.

use std::io::Write as _;

use flate2::{
    Compression, GzBuilder,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use http::HeaderValue;
use proptest::prelude::*;

use super::*;

const CLEAN: &[u8] = br#"{"note":"ok"}"#;
const PERSONAL: &[u8] = br#"{"iin":"991231100010"}"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut it = GzEncoder::new(Vec::new(), Compression::default());
    it.write_all(bytes).unwrap();
    it.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut it = ZlibEncoder::new(Vec::new(), Compression::default());
    it.write_all(bytes).unwrap();
    it.finish().unwrap()
}

fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut it = DeflateEncoder::new(Vec::new(), Compression::default());
    it.write_all(bytes).unwrap();
    it.finish().unwrap()
}

fn br(bytes: &[u8]) -> Vec<u8> {
    brotli_with(bytes, 22, false)
}

fn brotli_with(bytes: &[u8], lgwin: i32, large_window: bool) -> Vec<u8> {
    let params = ::brotli::enc::BrotliEncoderParams {
        quality: 5,
        lgwin,
        large_window,
        ..Default::default()
    };
    let mut out = Vec::new();
    ::brotli::BrotliCompress(&mut &*bytes, &mut out, &params).unwrap();
    out
}

fn zstandard(bytes: &[u8]) -> Vec<u8> {
    zstd_with(bytes, 20)
}

/// A frame with a window of this logarithm, of content whose size the frame does not say.
fn zstd_with(bytes: &[u8], window_log: u32) -> Vec<u8> {
    let mut it = ::zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    it.window_log(window_log).unwrap();
    it.include_checksum(true).unwrap();
    it.write_all(bytes).unwrap();
    it.finish().unwrap()
}

fn skippable(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    [&[0x50, 0x2a, 0x4d, 0x18], &length[..], bytes].concat()
}

/// Writes a coding in the honest way.
type Encode = fn(&[u8]) -> Vec<u8>;

/// Every coding by a name it goes by.
const ALL: [(&str, Encode); 6] = [
    ("gzip", gzip),
    ("x-gzip", gzip),
    ("deflate", zlib),
    ("deflate", raw_deflate),
    ("br", br),
    ("zstd", zstandard),
];

fn headers(lists: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for list in lists {
        headers.append(CONTENT_ENCODING, HeaderValue::from_str(list).unwrap());
    }
    headers
}

fn undone<'b>(lists: &[&str], body: &'b [u8]) -> Bare<'b> {
    undo(&headers(lists), body, &Budget::default())
}

#[track_caller]
fn gives(lists: &[&str], body: &[u8], expected: &[u8]) {
    let bare = undone(lists, body);
    assert_eq!(bare.fault, None, "{lists:?}");
    assert!(&*bare.bytes == expected, "{lists:?}");
}

#[track_caller]
fn fails(lists: &[&str], body: &[u8], expected: GapKind) {
    assert_eq!(undone(lists, body).fault, Some(expected), "{lists:?}");
}

#[test]
fn every_coding_is_undone() {
    let long = PERSONAL.repeat(10_000);
    for (name, encode) in ALL {
        for content in [CLEAN, PERSONAL, &long] {
            gives(&[name], &encode(content), content);
        }
        let upper = format!("\t{} ", name.to_ascii_uppercase());
        gives(&[&upper], &encode(CLEAN), CLEAN);
    }
    for none in ["", "identity", "Identity, identity", ","] {
        let bare = undone(&[none], PERSONAL);
        assert!(matches!(bare.bytes, Cow::Borrowed(PERSONAL)), "{none}");
        assert_eq!((bare.fault, bare.work), (None, 0));
    }
}

#[test]
fn codings_are_undone_from_the_last() {
    gives(&["gzip, br"], &br(&gzip(CLEAN)), CLEAN);
    gives(&["gzip", "br"], &br(&gzip(CLEAN)), CLEAN);
    gives(&["gzip, gzip"], &gzip(&gzip(CLEAN)), CLEAN);
    gives(&["identity", "gzip , identity,"], &gzip(CLEAN), CLEAN);
    fails(&["br, gzip"], &br(&gzip(CLEAN)), GapKind::Ambiguous);
    let six = (0..6).fold(CLEAN.to_vec(), |it, _| gzip(&it));
    fails(
        &["gzip, gzip, gzip, gzip, gzip, gzip"],
        &six,
        GapKind::UnsupportedCoding,
    );
    for name in [
        "compress",
        "exi",
        "aws-chunked",
        "dcb",
        "gzip;q=1",
        "gz\tip",
        "gzi",
    ] {
        fails(&[name], &gzip(CLEAN), GapKind::UnsupportedCoding);
    }
}

#[test]
fn labels_and_bytes_must_agree() {
    for (name, encode) in ALL {
        fails(&[name], PERSONAL, GapKind::Ambiguous);
        let twice = gzip(&encode(PERSONAL));
        let inner = undone(&["gzip"], &twice);
        let shows = matches!(name, "gzip" | "x-gzip" | "zstd");
        assert_eq!(inner.fault.is_some(), shows, "{name} inside, not declared");
    }
    for body in [gzip(CLEAN), zstandard(CLEAN), skippable(CLEAN)] {
        fails(&[], &body, GapKind::Ambiguous);
        fails(&["identity"], &body, GapKind::Ambiguous);
    }
}

/// A stream that is zlib and bare DEFLATE at once: two recipients read two contents.
#[test]
fn deflate_that_can_be_read_in_two_ways_is_ambiguous() {
    // 0x7801 is a header; the next byte, the high byte of the length, begins the zlib data: a stored block, not the last.
    let mut both = vec![0x78, 0x01, 0x00];
    // Bare: LEN = 0x0001, NLEN follows; zlib: LEN = NLEN field of the other, its complement next.
    both.extend_from_slice(&[0xfe, 0xff, 0x01, 0x00]);
    // Bare reading goes on after one byte of content (0x01) with the block that begins at 0x00: stored, length next.
    let mut content = Vec::new();
    let length = u16::try_from(PERSONAL.len()).unwrap();
    content.extend_from_slice(&length.to_le_bytes());
    content.extend_from_slice(&(!length).to_le_bytes());
    content.extend_from_slice(PERSONAL);
    content.extend_from_slice(&[0x01, 0x00, 0x00, 0xff, 0xff]);
    content.resize(0xfffe, b' ');
    both.extend_from_slice(&content);
    both.extend_from_slice(&[0x01, 0x00, 0x00, 0xff, 0xff]);
    let sum = adler32(&content);
    both.extend_from_slice(&sum.to_be_bytes());
    fails(&["deflate"], &both, GapKind::Ambiguous);
}

fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1_u32, 0_u32), |(a, b), it| {
        let a = (a + u32::from(*it)) % 65_521;
        (a, (a + b) % 65_521)
    });
    b << 16 | a
}

#[test]
fn what_is_cut_or_goes_on_is_malformed_and_the_rest_of_it_is_kept() {
    let long: Vec<u8> = (0..60_000_u32)
        .flat_map(|it| it.to_string().into_bytes())
        .collect();
    for (name, encode) in ALL {
        let whole = encode(&long);
        let cut = &whole[..whole.len() - 1];
        let bare = undone(&[name], cut);
        assert_eq!(bare.fault, Some(GapKind::Malformed), "{name}");
        assert!(long.starts_with(&bare.bytes), "{name}");
        assert!(bare.bytes.len() > long.len() / 2, "{name}");
        let trailing = [&whole, PERSONAL].concat();
        fails(&[name], &trailing, GapKind::Malformed);
        let zeros = [&whole[..], &[0; 8]].concat();
        fails(&[name], &zeros, GapKind::Malformed);
        // One byte is not even a magic, or may be text.
        let has_magic = matches!(name, "gzip" | "x-gzip" | "zstd");
        let expected = if has_magic || is_plain(&whole[..1]) {
            GapKind::Ambiguous
        } else {
            GapKind::Malformed
        };
        fails(&[name], &whole[..1], expected);
    }
}

#[test]
fn checksums_are_checked() {
    let gzip = gzip(PERSONAL);
    for at in [gzip.len() - 1, gzip.len() - 8] {
        let mut bad = gzip.clone();
        bad[at] ^= 1;
        fails(&["gzip"], &bad, GapKind::Malformed);
    }
    for (name, mut body) in [("deflate", zlib(PERSONAL)), ("zstd", zstandard(PERSONAL))] {
        *body.last_mut().unwrap() ^= 1;
        fails(&[name], &body, GapKind::Malformed);
    }
}

#[test]
fn trap_1_all_gzip_members_and_zstd_frames_are_read() {
    let both = [CLEAN, PERSONAL].concat();
    gives(&["gzip"], &[gzip(CLEAN), gzip(PERSONAL)].concat(), &both);
    gives(
        &["zstd"],
        &[zstandard(CLEAN), zstandard(PERSONAL)].concat(),
        &both,
    );
    let nested = gzip(&[gzip(CLEAN), gzip(PERSONAL)].concat());
    gives(&["gzip, gzip"], &nested, &both);
    let many = gzip(b"").repeat(PIECES_MAX + 1);
    fails(&["gzip"], &many, GapKind::PartsExceeded);
    let many = zstandard(b"").repeat(PIECES_MAX + 1);
    fails(&["zstd"], &many, GapKind::PartsExceeded);
}

#[test]
fn trap_2_brotli_with_a_large_window_is_no_br() {
    let content = PERSONAL.repeat(1000);
    gives(&["br"], &brotli_with(&content, 24, false), &content);
    fails(
        &["br"],
        &brotli_with(&content, 28, true),
        GapKind::Malformed,
    );
}

#[test]
fn trap_3_zstd_windows_above_8_mib_are_refused() {
    let content = PERSONAL.repeat(1000);
    gives(&["zstd"], &zstd_with(&content, 23), &content);
    fails(
        &["zstd"],
        &zstd_with(&content, 24),
        GapKind::UnsupportedCoding,
    );
    fails(
        &["zstd"],
        &zstd_with(&content, 27),
        GapKind::UnsupportedCoding,
    );
}

/// Limits stand while decoding, so a bomb costs no more than its cap.
#[test]
fn bombs_end_at_their_cap() {
    let zeros = vec![0; 4 << 20];
    let noise: Vec<u8> = (0..2_000_000_u32)
        .map(|it| it.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    for (name, encode) in ALL {
        let bomb = encode(&zeros);
        let bare = undone(&[name], &bomb);
        assert_eq!(bare.fault, Some(GapKind::RatioExceeded), "{name}");
        assert!(bare.bytes.is_empty());
        assert!(
            bare.work <= RATIO_FLOOR + STEP as u64,
            "{name}: {}",
            bare.work
        );
        let small = Budget {
            decoded_bytes: 1_000_000,
            ..Budget::default()
        };
        let body = encode(&noise);
        let bare = undo(&headers(&[name]), &body, &small);
        assert_eq!(bare.fault, Some(GapKind::DecodedTooLarge), "{name}");
        assert!(
            bare.work <= 1_000_000 + STEP as u64,
            "{name}: {}",
            bare.work
        );
        let exact = Budget {
            decoded_bytes: 2_000_000,
            ..Budget::default()
        };
        let bare = undo(&headers(&[name]), &body, &exact);
        assert_eq!(bare.fault, None, "{name}: the cap itself is within it");
    }
    let nested = gzip(&gzip(&vec![0; 64 << 20]));
    fails(&["gzip, gzip"], &nested, GapKind::RatioExceeded);
    // Honest: a list of equal rows, small.
    gives(&["br"], &br(&zeros[..1 << 20]), &zeros[..1 << 20]);
}

#[test]
fn what_stands_beside_the_content_is_told() {
    let mut named = GzBuilder::new()
        .filename("991231100010.txt")
        .comment("caf\u{e9}")
        .write(Vec::new(), Compression::default());
    named.write_all(CLEAN).unwrap();
    let named = named.finish().unwrap();
    let second = [gzip(CLEAN), named.clone()].concat();
    for body in [named, second] {
        let bare = undone(&["gzip"], &body);
        assert_eq!(bare.fault, None);
        assert_eq!(bare.aside.texts, ["991231100010.txt", "caf\u{e9}"]);
        assert!(!bare.aside.is_opaque);
    }
    let mut extra = GzBuilder::new()
        .extra(PERSONAL)
        .write(Vec::new(), Compression::default());
    extra.write_all(CLEAN).unwrap();
    let framed = [skippable(PERSONAL), zstandard(CLEAN)].concat();
    for (name, body) in [
        ("gzip", extra.finish().unwrap()),
        ("zstd", framed),
        ("br", with_metadata(PERSONAL)),
    ] {
        let bare = undone(&[name], &body);
        assert!(bare.aside.is_opaque, "{name}");
        assert_eq!(bare.fault, None, "{name}");
        assert_eq!(&*bare.bytes, if name == "br" { b"" } else { CLEAN });
    }
    fails(&["zstd"], &skippable(PERSONAL)[..20], GapKind::Malformed);
}

/// A brotli stream of one metadata block and no content (RFC 7932 §9.2).
fn with_metadata(bytes: &[u8]) -> Vec<u8> {
    // Bits from the least: window 16 (0), not last (0), nibbles 11, reserved 0, one byte of length 01, length less one.
    let length = u32::try_from(bytes.len() - 1).unwrap();
    let bits: u32 = 0b11 << 2 | 0b01 << 5 | length << 7;
    let head = bits.to_le_bytes();
    [&head[..2], bytes, &[0b11]].concat()
}

#[test]
fn gzip_headers_are_strict() {
    let body = gzip(CLEAN);
    let with = |at: usize, byte: u8| {
        let mut body = body.clone();
        body[at] = byte;
        body
    };
    fails(&["gzip"], &with(3, 0x20), GapKind::Malformed);
    fails(&["gzip"], &with(2, 7), GapKind::Ambiguous);
    // Header checksums: a right one and a wrong one.
    let mut head = body[..10].to_vec();
    head[3] = 1 << 1;
    let mut sum = flate2::Crc::new();
    sum.update(&head);
    let right = u16::try_from(sum.sum() & 0xffff).unwrap();
    for (sum, expected) in [(right, None), (right ^ 1, Some(GapKind::Malformed))] {
        let whole = [&head[..], &sum.to_le_bytes(), &body[10..]].concat();
        assert_eq!(undone(&["gzip"], &whole).fault, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_make_a_decoder_panic_or_pass_its_cap(
        name in prop::sample::select(vec!["gzip", "deflate", "br", "zstd", "gzip, br", "zstd, deflate"]),
        head in prop::sample::select(vec![&[][..], &[0x1f, 0x8b, 8], &[0x78, 0x9c], &[0x28, 0xb5, 0x2f, 0xfd], &[0x50, 0x2a, 0x4d, 0x18], &[0x0b]]),
        tail in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let body = [head, &tail].concat();
        let budget = Budget { decoded_bytes: 2000, ..Budget::default() };
        let bare = undo(&headers(&[name]), &body, &budget);
        prop_assert!(bare.bytes.len() <= 2000);
    }

    #[test]
    fn damage_is_never_silent(
        (name, encode) in prop::sample::select(ALL.to_vec()),
        content in prop::collection::vec(any::<u8>(), 1..400),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let whole = encode(&content);
        let bare = undone(&[name], &whole);
        // Content that happens to begin as a compressed stream is refused, and that is all that may happen to it.
        if bare.fault.is_none() {
            prop_assert_eq!(&*bare.bytes, &content[..]);
        }
        let mut damaged = whole;
        let at = at.index(damaged.len());
        damaged[at] ^= 1 << bit;
        let bare = undone(&[name], &damaged);
        if matches!(name, "gzip" | "x-gzip") && bare.fault.is_none() {
            // Time, system and flags of no meaning are outside the checksum.
            prop_assert_eq!(&*bare.bytes, &content[..]);
        }
    }
}
