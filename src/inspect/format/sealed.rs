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
    if memchr::memchr2(b'\r', b'\n', raw.as_bytes()).is_none() {
        return engine(raw).decode(raw).ok();
    }
    engine(raw).decode(unfolded(raw)).ok()
}

/// `text` without its line breaks.
pub(crate) fn unfolded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    out.extend(lines(text));
    out
}

/// What stands between the line breaks of `text`.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let ends = memchr::memchr2_iter(b'\r', b'\n', text.as_bytes());
    let mut from = 0;
    ends.chain(std::iter::once(text.len())).map(move |end| {
        let line = text.get(from..end).unwrap_or_default();
        from = end + 1;
        line
    })
}

/// The bytes of which `raw` is the base64, when they fit into `space`.
pub(crate) fn head<'s>(raw: &str, space: &'s mut [u8]) -> Option<&'s [u8]> {
    let length = engine(raw).decode_slice(raw, space).ok()?;
    space.get(..length)
}

/// The first nine bytes that `raw` decodes to in either alphabet, which are enough to tell most ids and hashes from text; `None` when
/// it does not begin with twelve of their characters.
pub(crate) fn beginning(raw: &str) -> Option<[u8; 9]> {
    let start = raw.as_bytes().first_chunk::<12>()?;
    let mut space = [0; 9];
    let (fours, _) = start.as_chunks::<4>();
    let (threes, _) = space.as_chunks_mut::<3>();
    for (four, three) in fours.iter().zip(threes) {
        *three = three_bytes(four)?;
    }
    Some(space)
}

/// The first three bytes that `raw` decodes to in either alphabet; `None` when it does not begin with four of their characters.
pub(crate) fn first_bytes(raw: &str) -> Option<[u8; 3]> {
    three_bytes(raw.as_bytes().first_chunk::<4>()?)
}

/// Marks what is no character of base64.
const NONE: u8 = 1 << 7;

/// What each byte is worth in base64 of either alphabet.
const WORTH: [u8; 256] = {
    let mut worth = [NONE; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        #[expect(
            clippy::indexing_slicing,
            reason = "the index is a byte, the table has 256 places"
        )]
        {
            worth[byte as usize] = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => NONE,
            };
        }
        byte += 1;
    }
    worth
};

/// The bytes that four characters stand for, in either alphabet.
fn three_bytes(four: &[u8; 4]) -> Option<[u8; 3]> {
    let worth = four.map(|it| WORTH.get(usize::from(it)).copied().unwrap_or(NONE));
    if worth.iter().fold(0, |all, it| all | it) & NONE != 0 {
        return None;
    }
    let [first, second, third, last] = worth.map(u32::from);
    let bits = first << 18 | second << 12 | third << 6 | last;
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
