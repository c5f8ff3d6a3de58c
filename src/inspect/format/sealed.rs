//! JSON documents in base64: a whole value, or the segments of a JWT (RFC 7519).

use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
static PLAIN: GeneralPurpose = GeneralPurpose::new(&STANDARD, CONFIG);
static URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, CONFIG);

/// How an object or array begins in base64: `{"`, `{ `, `{` and a line break, `[{`, `["`, `[` and a line break.
const BEGINNINGS: [&str; 5] = ["ey", "ew", "W3", "Wy", "Ww"];

/// One decoded stretch.
#[derive(Debug)]
pub(crate) struct Sealed<'a> {
    pub(crate) raw: &'a str,
    /// Where `raw` starts in the value.
    pub(crate) at: usize,
    pub(crate) text: String,
}

/// The stretches of `text`, between dots, that are base64 of what begins like a JSON document. Costs nothing for other text.
pub(crate) fn documents(text: &str) -> Vec<Sealed<'_>> {
    if !begins(text) {
        return Vec::new();
    }
    let mut from = 0;
    text.split('.')
        .filter_map(|raw| {
            let at = from;
            from += raw.len() + 1;
            let text = begins(raw).then(|| decode(raw))??;
            Some(Sealed { raw, at, text })
        })
        .collect()
}

/// The text of which `raw` is the base64, in either alphabet, padded or not.
pub(crate) fn decode(raw: &str) -> Option<String> {
    String::from_utf8(engine(raw).decode(raw).ok()?).ok()
}

/// The bytes of which `raw` is the base64 with line breaks between (RFC 2045 §6.8).
pub(crate) fn decode_folded(raw: &[u8]) -> Option<Vec<u8>> {
    let is_break = |it: &u8| matches!(it, b'\r' | b'\n');
    let folded: Vec<u8> = raw.iter().copied().filter(|it| !is_break(it)).collect();
    PLAIN.decode(folded).ok()
}

/// The bytes of which `raw` is the base64 in either alphabet, with line breaks between.
pub(crate) fn decode_bytes(raw: &str) -> Option<Vec<u8>> {
    engine(raw).decode(raw.replace(['\r', '\n'], "")).ok()
}

/// The bytes of which `raw` is the base64, when they fit into `space`.
pub(crate) fn head<'s>(raw: &str, space: &'s mut [u8]) -> Option<&'s [u8]> {
    let length = engine(raw).decode_slice(raw, space).ok()?;
    space.get(..length)
}

/// Whether `accepts` takes the first nine bytes of what `raw` decodes to. Allocates nothing: most stretches are ids and hashes.
pub(crate) fn begins_with(raw: &str, accepts: impl FnOnce(&[u8]) -> bool) -> bool {
    let mut space = [0; 9];
    let Some(start) = raw.get(..12) else {
        return true;
    };
    // What mixes the alphabets further on is no base64 as a whole, whichever is taken here.
    match engine(start).decode_slice(start, &mut space) {
        Ok(length) => space.get(..length).is_some_and(accepts),
        // Padding within the first twelve characters: too short to be worth a shortcut.
        Err(_) => true,
    }
}

/// The first three bytes that `raw` decodes to in either alphabet; `None` when it does not begin with four of their characters.
pub(crate) fn first_bytes(raw: &str) -> Option<[u8; 3]> {
    let bits = raw.as_bytes().get(..4)?.iter().try_fold(0_u32, |sum, it| {
        let value = match it {
            b'A'..=b'Z' => it - b'A',
            b'a'..=b'z' => it - b'a' + 26,
            b'0'..=b'9' => it - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        Some(sum << 6 | u32::from(value))
    })?;
    let [_, first, second, third] = bits.to_be_bytes();
    Some([first, second, third])
}

fn engine(raw: &str) -> &'static GeneralPurpose {
    let is_url_safe = raw.bytes().any(|it| matches!(it, b'-' | b'_'));
    if is_url_safe { &URL } else { &PLAIN }
}

fn begins(text: &str) -> bool {
    matches!(text.as_bytes().first(), Some(b'e' | b'W'))
        && BEGINNINGS.iter().any(|it| text.starts_with(it))
}
