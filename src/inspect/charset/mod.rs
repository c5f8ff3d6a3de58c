//! Charsets: from the bytes of a text to UTF-8 and back, without loss or not at all.
//!
//! A recipient may go by the label, by a byte order mark, or by neither. So a text is read only where these agree: bytes that are
//! not what the label says are ambiguous, and nothing is ever replaced by U+FFFD. Only in what passes for UTF-8 single bytes that are none
//! are left out, and said to be.

mod tables;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use encoding_rs::{Encoding, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, X_USER_DEFINED};

use self::tables::{KZ_1048, PTCP_154, Table};
use crate::model::finding::GapKind;

/// Labels (in lower case) of charsets that the Encoding Standard does not know.
const FURTHER: &[(&str, Charset)] = &[
    ("ansi_x3.4-1968", Charset::Ascii),
    ("ascii", Charset::Ascii),
    ("us-ascii", Charset::Ascii),
    ("kz-1048", Charset::Table(&KZ_1048)),
    ("kz1048", Charset::Table(&KZ_1048)),
    ("cskz1048", Charset::Table(&KZ_1048)),
    ("rk1048", Charset::Table(&KZ_1048)),
    ("strk1048-2002", Charset::Table(&KZ_1048)),
    ("cp154", Charset::Table(&PTCP_154)),
    ("csptcp154", Charset::Table(&PTCP_154)),
    ("cyrillic-asian", Charset::Table(&PTCP_154)),
    ("pt154", Charset::Table(&PTCP_154)),
    ("ptcp154", Charset::Table(&PTCP_154)),
];

/// How a text is written in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Charset {
    /// Seven bits.
    Ascii,
    /// One of the Encoding Standard that agrees with ASCII below 0x80, or nearly.
    Legacy(&'static Encoding),
    /// One of our own.
    Table(&'static Table),
    Utf8,
    /// Sixteen bits, less significant byte first.
    Utf16Le,
    /// Sixteen bits, more significant byte first.
    Utf16Be,
}

/// A text and how it was written.
#[derive(PartialEq, Eq)]
pub(crate) struct Text<'b> {
    /// The text, a byte order mark at its start included. Borrowed when it was UTF-8 and stood whole in the message.
    pub(crate) text: Cow<'b, str>,
    pub(crate) charset: Charset,
    /// Some of its blanks stand for bytes that are not of the charset.
    pub(crate) has_blanks: bool,
}

/// Reads `bytes` as text, in the charset of `label`, or in UTF-8 when there is none. Costs one pass of validation and no copy for
/// UTF-8.
///
/// # Errors
/// `UnsupportedCharset` for a label that is unknown or unsafe; `Ambiguous` where label, byte order mark and bytes disagree.
pub(crate) fn decode<'b>(bytes: Cow<'b, [u8]>, label: Option<&str>) -> Result<Text<'b>, GapKind> {
    let mark = Mark::of(&bytes);
    let charset = charset_of(label, mark)?;
    if !mark.fits(charset) || has_zero_pattern(&bytes) && !charset.is_wide() {
        return Err(GapKind::Ambiguous);
    }
    let text = match charset {
        Charset::Utf8 => return Ok(utf8(bytes)),
        Charset::Ascii if bytes.is_ascii() => {
            return Ok(Text {
                charset,
                ..utf8(bytes)
            });
        }
        // A text of another charset is by chance hardly ever UTF-8 beyond ASCII, nor ASCII in pairs of bytes.
        _ if is_utf8_instead(&bytes, charset) => None,
        Charset::Ascii => None,
        Charset::Legacy(it) => it
            .decode_without_bom_handling_and_without_replacement(&bytes)
            .map(Cow::into_owned),
        Charset::Table(it) => it.decode(&bytes),
        Charset::Utf16Le => utf16(&bytes, u16::from_le_bytes),
        Charset::Utf16Be => utf16(&bytes, u16::from_be_bytes),
    };
    Ok(Text {
        text: Cow::Owned(text.ok_or(GapKind::Ambiguous)?),
        charset,
        has_blanks: false,
    })
}

impl Text<'_> {
    /// Where the content begins: after a byte order mark.
    pub(crate) fn start(&self) -> usize {
        let mark = self.text.starts_with('\u{feff}');
        if mark { '\u{feff}'.len_utf8() } else { 0 }
    }

    /// Whether it begins with a byte order mark where none belongs.
    pub(crate) fn has_stray_mark(&self) -> bool {
        self.start() > 0 && !self.charset.is_wide()
    }
}

impl Charset {
    /// `text` in this charset; `None` when a character is not in it.
    pub(crate) fn encode(self, text: String) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 => Some(text.into_bytes()),
            Self::Ascii => text.is_ascii().then(|| text.into_bytes()),
            Self::Legacy(it) => {
                let (bytes, _, has_losses) = it.encode(&text);
                (!has_losses).then(|| bytes.into_owned())
            }
            Self::Table(it) => it.encode(&text),
            Self::Utf16Le => Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            Self::Utf16Be => Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        }
    }

    /// Whether ASCII is not written as single bytes.
    pub(crate) const fn is_wide(self) -> bool {
        matches!(self, Self::Utf16Le | Self::Utf16Be)
    }
}

/// Whether two labels name one charset. ASCII is UTF-8 too.
pub(crate) fn is_same(label: &str, other: &str) -> bool {
    let of = |label| match charset_of(Some(label), Mark::None) {
        Ok(Charset::Ascii) => Ok(Charset::Utf8),
        it => it,
    };
    of(label).is_ok() && of(label) == of(other)
}

/// Whether `label` names a charset that is read here, and in which ASCII is written as ASCII.
pub(crate) fn is_over_ascii(label: &str) -> bool {
    charset_of(Some(label), Mark::None).is_ok_and(|it| !it.is_wide())
}

/// The charset that `label` names, in any case; `None` when it is unknown or its own bytes can say otherwise: UTF-7, UTF-32, EBCDIC,
/// charsets with escape sequences. `mark` tells the order of bytes where the label does not.
fn charset_of(label: Option<&str>, mark: Mark) -> Result<Charset, GapKind> {
    let Some(label) = label else {
        return Ok(Charset::Utf8);
    };
    let label = label.trim_ascii().to_ascii_lowercase();
    if let Some((_, charset)) = FURTHER.iter().find(|it| it.0 == label) {
        return Ok(*charset);
    }
    let encoding = Encoding::for_label(label.as_bytes()).ok_or(GapKind::UnsupportedCharset)?;
    if [REPLACEMENT, ISO_2022_JP, X_USER_DEFINED].contains(&encoding) {
        return Err(GapKind::UnsupportedCharset);
    }
    if encoding == UTF_8 {
        return Ok(Charset::Utf8);
    }
    if encoding != UTF_16LE && encoding != UTF_16BE {
        return Ok(Charset::Legacy(encoding));
    }
    match (label.as_str(), mark) {
        ("utf-16le", _) => Ok(Charset::Utf16Le),
        ("utf-16be", _) => Ok(Charset::Utf16Be),
        // RFC 2781 and the Encoding Standard disagree on the order when neither label nor mark tells.
        (_, Mark::Utf16Le) => Ok(Charset::Utf16Le),
        (_, Mark::Utf16Be) => Ok(Charset::Utf16Be),
        (_, Mark::None | Mark::Utf8 | Mark::Utf32) => Err(GapKind::Ambiguous),
    }
}

/// A byte order mark.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    None,
    Utf8,
    Utf16Le,
    Utf16Be,
    Utf32,
}

impl Mark {
    const fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0xef, 0xbb, 0xbf, ..] => Self::Utf8,
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Self::Utf32,
            [0xff, 0xfe, ..] => Self::Utf16Le,
            [0xfe, 0xff, ..] => Self::Utf16Be,
            _ => Self::None,
        }
    }

    /// Whether a text in `charset` may begin with it.
    fn fits(self, charset: Charset) -> bool {
        match self {
            Self::None => true,
            Self::Utf8 => charset == Charset::Utf8,
            Self::Utf16Le => charset == Charset::Utf16Le,
            Self::Utf16Be => charset == Charset::Utf16Be,
            Self::Utf32 => false,
        }
    }
}

/// Whether the zeros among the first bytes are those of UTF-16 or UTF-32 (RFC 4627 §3).
const fn has_zero_pattern(bytes: &[u8]) -> bool {
    matches!(bytes, [0, _, ..] | [_, 0, ..])
}

/// Whether `bytes` are no text of `charset` but one of UTF-8: labels are often wrong, and recipients often do not look at them.
fn is_utf8_instead(bytes: &[u8], charset: Charset) -> bool {
    if charset.is_wide() {
        is_plain(bytes)
    } else {
        !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok()
    }
}

/// Whether `bytes` are UTF-8 text that people or programs write: not empty, no control characters but line breaks and tabs.
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    let is_control = |it: &u8| *it < b' ' && !matches!(it, b'\t' | b'\n' | b'\r') || *it == 0x7f;
    !bytes.is_empty() && std::str::from_utf8(bytes).is_ok() && !bytes.iter().any(is_control)
}

/// UTF-8, each byte that is not of it read as a blank. So what follows such a byte is read too, and spans hold: a recipient that
/// forgives it reads on as well.
fn utf8(bytes: Cow<'_, [u8]>) -> Text<'_> {
    let text = match bytes {
        // Faster than the standard library where most characters are of two bytes.
        Cow::Borrowed(bytes) => UTF_8
            .decode_without_bom_handling_and_without_replacement(bytes)
            .ok_or_else(|| with_blanks(bytes)),
        Cow::Owned(bytes) => String::from_utf8(bytes)
            .map(Cow::Owned)
            .map_err(|error| with_blanks(error.as_bytes())),
    };
    let has_blanks = text.is_err();
    Text {
        text: text.unwrap_or_else(Cow::Owned),
        charset: Charset::Utf8,
        has_blanks,
    }
}

fn with_blanks(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| ' '));
    }
    text
}

/// UTF-16 without lone surrogates.
fn utf16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<2>();
    let units = units.iter().map(|it| unit(*it));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.ok().filter(|_| rest.is_empty())
}
