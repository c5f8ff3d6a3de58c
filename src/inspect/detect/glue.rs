//! What letters, digits and underscores glued to a number say of it: a name that announces it (`client991231100010`), a joint
//! (`user_4111111111111111`), or that it is a part of a code of another kind.

use super::{Context, ValueKind};

/// Bytes of a token that are looked at on either side of a number.
const TOKEN_MAX: usize = 64;

/// Words for people, whose number may be glued to them: `user_991231100010`.
pub(super) const PEOPLE: &[&str] = &[
    "citizen",
    "client",
    "customer",
    "employee",
    "patient",
    "person",
    "subscriber",
    "user",
];

/// Words that say what else a number is.
const NUMBERED: &[&str] = &[
    "act",
    "ad",
    "adset",
    "awb",
    "backup",
    "barcode",
    "batch",
    "blk",
    "block",
    "build",
    "campaign",
    "chat",
    "date",
    "device",
    "dump",
    "ean",
    "event",
    "evt",
    "file",
    "gtin",
    "imei",
    "img",
    "inv",
    "invoice",
    "isbn",
    "item",
    "job",
    "log",
    "lot",
    "msg",
    "order",
    "orders",
    "page",
    "parcel",
    "photo",
    "pixel",
    "po",
    "post",
    "product",
    "ref",
    "req",
    "rev",
    "run",
    "screenshot",
    "serial",
    "session",
    "shipment",
    "sku",
    "so",
    "span",
    "sscc",
    "story",
    "task",
    "thread",
    "ticket",
    "time",
    "trace",
    "track",
    "tracking",
    "transaction",
    "ts",
    "tweet",
    "tx",
    "txn",
    "upc",
    "variant",
    "ver",
    "version",
    "video",
    "waybill",
];

/// Units and marks of numbers that may follow one without a space.
const UNITS: &[&str] = &[
    "hz", "l", "ll", "ms", "n", "ns", "px", "u", "ul", "ull", "us", "z",
];

/// What stands against one side of a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Joint {
    /// The number is part of a longer code: of base 16 or 64, of a numbered thing, of a pair of numbers.
    Part,
    /// Letters that say nothing.
    Letters,
    /// An underscore, or a word that may announce the number.
    Joined,
    /// Nothing that belongs to a token.
    Free,
}

/// The letters, digits and underscores of ASCII before byte `start`, no more than the last [`TOKEN_MAX`] of them.
pub(super) fn token_before(text: &str, start: usize) -> Option<&str> {
    let back = text
        .as_bytes()
        .get(..start)?
        .iter()
        .rev()
        .take(TOKEN_MAX)
        .take_while(|it| it.is_ascii_alphanumeric() || **it == b'_')
        .count();
    text.get(start - back..start)
}

/// The last of the words of a token that underscores part.
pub(super) fn last_word(token: &str) -> &str {
    let trimmed = token.trim_end_matches('_');
    trimmed.rsplit_once('_').map_or(trimmed, |(_, word)| word)
}

/// Whether a word of the token says that a number is that of a thing.
pub(super) fn is_numbered(token: &str) -> bool {
    token.split('_').any(|it| is_one_of(NUMBERED, it))
}

pub(super) fn is_one_of(words: &[&str], word: &str) -> bool {
    words.iter().any(|it| it.eq_ignore_ascii_case(word))
}

/// Whether an underscore or a word of letters is glued to the end of a number, at byte `end`. Letters that are digits of base 16 make
/// it part of a hash.
pub(super) fn is_word_after(text: &str, end: usize) -> bool {
    let after = text.get(end..).unwrap_or_default();
    let mut word = (after.chars().take(TOKEN_MAX)).take_while(|it| it.is_alphanumeric());
    let is_letters = word.clone().all(char::is_alphabetic);
    let is_hexadecimal = word.all(|it| it.is_ascii_hexdigit());
    let length = after
        .find(|it: char| !it.is_ascii_alphabetic())
        .unwrap_or(after.len());
    let is_unit = is_one_of(UNITS, after.get(..length).unwrap_or_default());
    after.starts_with('_') || (is_letters && !is_hexadecimal && !is_unit)
}

/// What stands before the number at byte `start`; `announcing` are the words that name numbers of its kind.
pub(super) fn before(text: &str, start: usize, announcing: &[&str], context: &Context) -> Joint {
    let Some(token) = token_before(text, start).filter(|it| !it.is_empty()) else {
        return Joint::Free;
    };
    let word = last_word(token);
    let hump = humps(word).next().unwrap_or_default();
    let is_announced = is_one_of(announcing, hump) || is_one_of(PEOPLE, hump);
    let is_letters = word.bytes().all(|it| it.is_ascii_alphabetic());
    let is_joined = token.ends_with('_') || (context.kind == ValueKind::Key && word.len() <= 2);
    let is_numbered = (token.split('_').flat_map(humps)).any(|it| is_one_of(NUMBERED, it));
    if is_numbered || !is_letters {
        Joint::Part
    } else if is_joined || is_announced {
        Joint::Joined
    } else if word.bytes().all(|it| it.is_ascii_hexdigit()) {
        Joint::Part
    } else {
        Joint::Letters
    }
}

/// What stands behind the number that ends before byte `end`.
pub(super) fn after(text: &str, end: usize) -> Joint {
    let rest = text.as_bytes().get(end..).unwrap_or_default();
    match rest {
        // A pair of identifiers is written so.
        [b'_', b'0'..=b'9', ..] => Joint::Part,
        [b'_', ..] => Joint::Joined,
        [first, ..] if first.is_ascii_alphanumeric() => {
            if is_word_after(text, end) {
                Joint::Joined
            } else {
                Joint::Part
            }
        }
        _ => Joint::Free,
    }
}

/// The words of `word` that capitals part, the last first: `Number` and `card` of `cardNumber`.
fn humps(word: &str) -> impl Iterator<Item = &str> {
    let bytes = word.as_bytes();
    let is_start = |at: usize| {
        let pair = at.checked_sub(1).and_then(|it| bytes.get(it..=at));
        matches!(pair, Some([first, second]) if first.is_ascii_lowercase() && second.is_ascii_uppercase())
    };
    let start_of = move |end: usize| (0..end).rev().find(|it| is_start(*it)).unwrap_or_default();
    let ends = std::iter::successors(Some(word.len()), move |end| {
        Some(start_of(*end)).filter(|it| *it > 0)
    });
    ends.map(move |end| word.get(start_of(end)..end).unwrap_or_default())
}
