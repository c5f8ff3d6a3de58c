//! Unicode evasions around numbers: other digits become ASCII, separators become a space or `-`, invisible characters go.
//!
//! Text is folded only where such a character touches a digit or is one, so that prose with dashes and quotes is read as it is.

use std::ops::Range;

/// First of ten consecutive decimal digits (Unicode `Nd`) of the scripts in common use, beside ASCII.
const ZEROES: &[char] = &[
    '\u{660}',
    '\u{6f0}',
    '\u{7c0}',
    '\u{966}',
    '\u{9e6}',
    '\u{a66}',
    '\u{ae6}',
    '\u{b66}',
    '\u{be6}',
    '\u{c66}',
    '\u{ce6}',
    '\u{d66}',
    '\u{e50}',
    '\u{ed0}',
    '\u{f20}',
    '\u{1040}',
    '\u{17e0}',
    '\u{1810}',
    '\u{ff10}',
    '\u{1d7ce}',
    '\u{1d7d8}',
    '\u{1d7e2}',
    '\u{1d7ec}',
    '\u{1d7f6}',
];

/// Folded text with the way back.
#[derive(Debug)]
pub(super) struct Folded {
    /// The text that detectors read.
    pub(super) text: String,
    /// For each byte of `text` and its end: the byte of the original.
    origins: Vec<usize>,
}

impl Folded {
    /// The range of the original text that became `range`.
    pub(super) fn original(&self, range: &Range<usize>) -> Range<usize> {
        let at = |index: usize| self.origins.get(index).copied().unwrap_or_default();
        at(range.start)..at(range.end)
    }
}

/// What a character means between digits.
enum Meaning {
    /// As written.
    Itself,
    /// Invisible: dropped.
    Nothing,
    /// Another ASCII character.
    Ascii(char),
}

/// Folds `text`, or says that nothing in it needs it. ASCII and Cyrillic text is decided by its bytes alone.
pub(super) fn fold(text: &str) -> Option<Folded> {
    if text.is_ascii() || !text.bytes().any(is_foreign) || !needs_folding(text) {
        return None;
    }
    let mut folded = Folded {
        text: String::with_capacity(text.len()),
        origins: Vec::with_capacity(text.len() + 1),
    };
    for (at, ch) in text.char_indices() {
        let kept = match meaning(ch) {
            Meaning::Nothing => continue,
            Meaning::Ascii(other) => other,
            Meaning::Itself => ch,
        };
        folded.text.push(kept);
        folded
            .origins
            .extend((0..kept.len_utf8()).map(|offset| at + offset.min(ch.len_utf8() - 1)));
    }
    folded.origins.push(text.len());
    Some(folded)
}

/// Whether the byte leads a character that may be folded: all but ASCII, Latin letters and Cyrillic.
const fn is_foreign(byte: u8) -> bool {
    matches!(byte, 0xc2 | 0xd9..=0xff)
}

/// Whether a digit of another script occurs, or a separator or invisible character stands beside a digit.
fn needs_folding(text: &str) -> bool {
    let mut is_after_digit = false;
    let mut is_after_folded = false;
    for ch in text.chars() {
        match meaning(ch) {
            Meaning::Ascii(other) if other.is_ascii_digit() || matches!(other, '@' | '+') => {
                return true;
            }
            Meaning::Ascii(_) | Meaning::Nothing if is_after_digit => return true,
            Meaning::Ascii(_) | Meaning::Nothing => is_after_folded = true,
            Meaning::Itself => {
                if ch.is_ascii_digit() && is_after_folded {
                    return true;
                }
                is_after_digit = ch.is_ascii_digit();
                is_after_folded = false;
            }
        }
    }
    false
}

fn meaning(ch: char) -> Meaning {
    match ch {
        _ if ch < '\u{a0}' => Meaning::Itself,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fe00}'..='\u{fe0f}' => Meaning::Nothing,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            Meaning::Ascii(' ')
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => Meaning::Ascii('-'),
        // The full-width block repeats ASCII from `!` to `~`; its digits are in ZEROES too.
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(ch as u32 - 0xfee0).map_or(Meaning::Itself, Meaning::Ascii)
        }
        '\u{fe6b}' => Meaning::Ascii('@'),
        _ => digit(ch).map_or(Meaning::Itself, Meaning::Ascii),
    }
}

/// The ASCII digit that `ch` stands for.
fn digit(ch: char) -> Option<char> {
    if !ch.is_numeric() {
        return None;
    }
    ZEROES
        .iter()
        .filter_map(|zero| (ch as u32).checked_sub(*zero as u32))
        .find(|it| *it < 10)
        .and_then(|it| char::from_digit(it, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_separators_are_folded_and_ranges_lead_back() {
        let table = [
            ("ИИН ９９１２３１１０００１０.", "991231100010"),
            (
                "tel +7\u{a0}701\u{2011}000\u{200b}00\u{202f}01",
                "+7 701-00000 01",
            ),
            ("٩٩١٢٣١١٠٠٠١٠", "991231100010"),
            ("4\u{200d}1\u{200d}1\u{200d}1", "4111"),
        ];
        for (raw, part) in table {
            let folded = fold(raw).unwrap();
            let at = folded
                .text
                .find(part)
                .unwrap_or_else(|| panic!("{}", folded.text));
            let back = folded.original(&(at..at + part.len()));
            assert!(raw.get(back.clone()).is_some(), "{raw}: {back:?}");
            let before = raw.get(..back.start).unwrap();
            assert!(!before.chars().any(char::is_numeric), "{raw}");
        }
    }

    #[test]
    fn plain_text_is_not_folded() {
        for raw in [
            "plain 123",
            "Алматы, ул. Абая 10",
            "«слово» — другое",
            "naïve café",
            "日本語",
        ] {
            assert!(fold(raw).is_none(), "{raw}");
        }
    }
}
