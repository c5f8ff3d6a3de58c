//! Unicode evasions around numbers: other digits become ASCII, separators become a space or `-`, invisible characters go.
//!
//! Text is folded only where such a character touches a digit or is one, so that prose with dashes and quotes is read as it is.

use std::ops::Range;

use super::{
    super::{look_alikes, signs::is_foreign},
    letters::letters,
};

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
    '\u{1946}',
    '\u{19d0}',
    '\u{1a80}',
    '\u{1a90}',
    '\u{1b50}',
    '\u{1bb0}',
    '\u{1c40}',
    '\u{1c50}',
    '\u{2080}',
    '\u{a620}',
    '\u{a8d0}',
    '\u{a900}',
    '\u{a9d0}',
    '\u{a9f0}',
    '\u{aa50}',
    '\u{abf0}',
    '\u{ff10}',
    '\u{104a0}',
    '\u{11066}',
    '\u{1d7ce}',
    '\u{1d7d8}',
    '\u{1d7e2}',
    '\u{1d7ec}',
    '\u{1d7f6}',
    '\u{1e950}',
    '\u{1fbf0}',
];

/// First of nine consecutive forms of the digits 1 to 9: circled, in parentheses, with full stop, double-circled, negative.
const ONES: &[char] = &[
    '\u{2460}', '\u{2474}', '\u{2488}', '\u{24f5}', '\u{2776}', '\u{2780}', '\u{278a}',
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
    /// A mark on the character before: dropped after a digit, kept on a letter, of which it is part.
    Mark,
    /// Invisible: dropped.
    Nothing,
    /// Another ASCII character.
    Ascii(char),
}

/// Folds `text`, or says that nothing in it needs it. Nothing does in a text without a byte that [`is_foreign`].
pub(super) fn fold(text: &str) -> Option<Folded> {
    if !needs_folding(text) {
        return None;
    }
    let mut folded = Folded {
        text: String::with_capacity(text.len()),
        origins: Vec::with_capacity(text.len() + 1),
    };
    for (at, ch) in text.char_indices() {
        let kept = match meaning(ch) {
            Meaning::Nothing => continue,
            Meaning::Mark if folded.text.ends_with(|it: char| it.is_ascii_digit()) => continue,
            Meaning::Ascii(other) => other,
            Meaning::Itself | Meaning::Mark => ch,
        };
        folded.text.push(kept);
        folded
            .origins
            .extend((0..kept.len_utf8()).map(|offset| at + offset.min(ch.len_utf8() - 1)));
    }
    folded.origins.push(text.len());
    Some(folded)
}

/// `text` without its invisible characters, where one stands between two letters and so parts a word that people see whole; `None`
/// when there is none. Costs a search for three bytes.
pub(super) fn visible(text: &str) -> Option<Folded> {
    let bytes = text.as_bytes();
    let parts_word = |at: usize| {
        let (before, rest) = text.split_at_checked(at)?;
        let hidden = |it: &char| matches!(meaning(*it), Meaning::Nothing);
        // First, so that a run of invisible characters is looked through once.
        before.chars().next_back().filter(|it| it.is_alphabetic())?;
        rest.chars().next().filter(hidden)?;
        let next = rest.chars().find(|it| !hidden(it))?;
        next.is_alphabetic().then_some(())
    };
    memchr::memchr3_iter(0xc2, 0xe2, 0xef, bytes).find_map(parts_word)?;
    let mut folded = Folded {
        text: String::with_capacity(text.len()),
        origins: Vec::with_capacity(text.len() + 1),
    };
    for (at, ch) in text.char_indices() {
        if !matches!(meaning(ch), Meaning::Nothing) {
            folded.text.push(ch);
            folded.origins.extend((0..ch.len_utf8()).map(|it| at + it));
        }
    }
    folded.origins.push(text.len());
    Some(folded)
}

/// `text` with the words that mix Latin and Cyrillic letters in Cyrillic, where the Latin ones look alike; `None` when there are none.
pub(super) fn one_script(text: &str) -> Option<Folded> {
    if text.is_ascii() || !has_mixture(text) {
        return None;
    }
    let letters = letters();
    let words = || text.split_inclusive(|it| !letters.is_letter(it));
    // Nearly always two scripts only stand side by side, as in `«Google»`.
    if !words().any(|it| look_alikes::in_cyrillic(it).is_some()) {
        return None;
    }
    let mut folded = Folded {
        text: String::with_capacity(text.len() + 16),
        origins: Vec::with_capacity(text.len() + 16),
    };
    let mut at = 0;
    for word in words() {
        let unmixed = look_alikes::in_cyrillic(word);
        let written = unmixed.as_deref().unwrap_or(word).chars();
        for (ch, (offset, _)) in written.zip(word.char_indices()) {
            folded.text.push(ch);
            folded
                .origins
                .extend(std::iter::repeat_n(at + offset, ch.len_utf8()));
        }
        at += word.len();
    }
    folded.origins.push(text.len());
    Some(folded)
}

/// Whether a letter of ASCII stands beside one of Cyrillic.
fn has_mixture(text: &str) -> bool {
    has_pair(text.as_bytes(), |before, after| {
        (before.is_ascii_alphabetic() & (after & 0xfc == 0xd0))
            | ((before & 0xc0 == 0x80) & after.is_ascii_alphabetic())
    })
}

/// Whether two bytes beside each other are as `is_so` asks. Whole blocks are tested without branches, which the compiler vectorises.
fn has_pair(bytes: &[u8], is_so: impl Fn(u8, u8) -> bool) -> bool {
    const BLOCK: usize = 32;
    let Some((_, behind)) = bytes.split_first() else {
        return false;
    };
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let (blocks_behind, _) = behind.as_chunks::<BLOCK>();
    let count = blocks.len().min(blocks_behind.len());
    let in_block = |(block, behind): (&[u8; BLOCK], &[u8; BLOCK])| {
        (block.iter().zip(behind)).fold(false, |any, (it, next)| any | is_so(*it, *next))
    };
    let tail = if count < blocks.len() {
        bytes.get(count * BLOCK..).unwrap_or_default()
    } else {
        rest
    };
    let tail_behind = behind.get(count * BLOCK..).unwrap_or_default();
    blocks.iter().zip(blocks_behind).any(in_block)
        || (tail.iter().zip(tail_behind)).any(|(it, next)| is_so(*it, *next))
}

/// Whether a digit of another script occurs, a separator, mark or invisible character stands beside a digit, or anything is to be
/// folded in a text with an `@`.
fn needs_folding(text: &str) -> bool {
    if text.contains('@') {
        return text
            .chars()
            .any(|it| matches!(meaning(it), Meaning::Ascii(_) | Meaning::Nothing));
    }
    let bytes = text.as_bytes();
    // The marks of Cyrillic are led by the byte that leads letters of Kazakh, and matter behind a digit only.
    if has_pair(bytes, |before, after| {
        before.is_ascii_digit() & (after == 0xd2)
    }) {
        return has_folded_at_digit(text);
    }
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut from = 0;
    while let Some(start) = next_foreign(bytes, from) {
        // From a digit before to a digit behind: what stands between them is of this stretch alone.
        let rest = bytes.get(start..).unwrap_or_default();
        if let Some(length) = lone_mark(rest)
            && !(start > 0 && is_digit(start - 1))
        {
            from = start + length;
            continue;
        }
        let end = start
            + rest
                .iter()
                .position(|it| !is_foreign(*it) && *it & 0xc0 != 0x80)
                .unwrap_or(rest.len());
        let stretch =
            start - usize::from(start > 0 && is_digit(start - 1))..end + usize::from(is_digit(end));
        if has_folded_at_digit(text.get(stretch).unwrap_or_default()) {
            return true;
        }
        from = end;
    }
    false
}

/// Bytes of the mark at the start of `rest` if it is one of those that are folded beside a digit only, such as `«` and `—`, and neither
/// a digit follows nor another that may be folded.
fn lone_mark(rest: &[u8]) -> Option<usize> {
    let (length, next) = match rest {
        // But for `²`, `³` and `¹`.
        [0xc2, second, next @ ..] if !matches!(second, 0xb2 | 0xb3 | 0xb9) => (2, next),
        [0xe2, 0x80, _, next @ ..] => (3, next),
        _ => return None,
    };
    let goes_on = next
        .first()
        .is_some_and(|it| it.is_ascii_digit() || is_foreign(*it));
    (!goes_on).then_some(length)
}

/// Position of the next byte that [`is_foreign`], at or after `from`.
fn next_foreign(bytes: &[u8], from: usize) -> Option<usize> {
    const BLOCK: usize = 32;
    let mut at = from;
    let mut rest = bytes.get(from..)?;
    while let Some((block, tail)) = rest.split_first_chunk::<BLOCK>() {
        if block.iter().fold(false, |any, it| any | is_foreign(*it)) {
            break;
        }
        at += BLOCK;
        rest = tail;
    }
    rest.iter()
        .position(|it| is_foreign(*it))
        .map(|offset| at + offset)
}

/// Whether a digit of another script occurs in `text`, or a separator, mark or invisible character stands beside a digit.
fn has_folded_at_digit(text: &str) -> bool {
    let mut is_after_digit = false;
    let mut is_after_folded = false;
    for ch in text.chars() {
        match meaning(ch) {
            Meaning::Ascii(other) if other.is_ascii_digit() || matches!(other, '@' | '+') => {
                return true;
            }
            Meaning::Ascii(_) | Meaning::Mark | Meaning::Nothing if is_after_digit => return true,
            Meaning::Ascii(_) | Meaning::Nothing => is_after_folded = true,
            Meaning::Itself | Meaning::Mark => {
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
        '\t' | '\n' | '\r' => Meaning::Itself,
        _ if ch.is_control() => Meaning::Nothing,
        _ if ch < '\u{a0}' => Meaning::Itself,
        '\u{483}'..='\u{489}' => Meaning::Mark,
        // Cyrillic has no more, and is what most text that comes here is written in.
        '\u{400}'..='\u{52f}' => Meaning::Itself,
        '\u{ad}'
        | '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{61c}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{e0100}'..='\u{e01ef}' => Meaning::Nothing,
        '\u{300}'..='\u{36f}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' => Meaning::Mark,
        '\u{2024}' | '\u{3002}' | '\u{ff61}' => Meaning::Ascii('.'),
        // Tag characters repeat ASCII invisibly.
        '\u{e0020}'..='\u{e007e}' => {
            char::from_u32(ch as u32 - 0xe0000).map_or(Meaning::Itself, Meaning::Ascii)
        }
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
    let offset = |first: &char| (ch as u32).checked_sub(*first as u32);
    let of_row = || ZEROES.iter().filter_map(offset).find(|it| *it < 10);
    let of_forms = || {
        ONES.iter()
            .filter_map(offset)
            .find(|it| *it < 9)
            .map(|it| it + 1)
    };
    let value = match ch {
        '\u{24ea}' | '\u{24ff}' | '\u{2070}' => 0,
        '\u{b9}' => 1,
        '\u{b2}' => 2,
        '\u{b3}' => 3,
        '\u{2074}'..='\u{2079}' => ch as u32 - 0x2070,
        _ => of_row().or_else(of_forms)?,
    };
    char::from_digit(value, 10)
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
            ("⁹⁹¹²③①₁⓪", "99123110"),
            ("9\u{fe0f}\u{20e3}9\u{336}1", "991"),
            ("9\u{488}9\u{301}1\u{489}", "991"),
            ("\u{e0039}\u{e0039}\u{e0031}", "991"),
            ("991231\u{0}100010", "991231100010"),
            ("9\u{3164}9\u{180b}1\u{e0100}2", "9912"),
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
    fn words_are_read_without_what_nobody_sees() {
        let text = "\u{200b}Ива\u{200b}\u{ad}нова, 1\u{200b}2";
        let folded = visible(text).unwrap();
        assert_eq!(folded.text, "Иванова, 12");
        let back = folded.original(&(0.."Иванова".len()));
        assert_eq!(text.get(back), Some("Ива\u{200b}\u{ad}нова"));
        for whole in [
            "Иванова",
            "1\u{200b}2",
            "слово\u{200b}, «слово»",
            "a\u{200b}",
        ] {
            assert!(visible(whole).is_none(), "{whole}");
        }
        let run = format!("1{}", "\u{200b}".repeat(1 << 20));
        assert!(
            visible(&run).is_none(),
            "and in time that does not grow squared"
        );
    }

    #[test]
    fn words_of_two_scripts_are_read_in_one() {
        let text = "Ивaнoвa and «Cepик»";
        let folded = one_script(text).unwrap();
        assert_eq!(folded.text, "Иванова and «Серик»");
        let at = folded.text.find("Серик").unwrap();
        let back = folded.original(&(at..at + "Серик".len()));
        assert_eq!(text.get(back), Some("Cepик"));
        for plain in ["Иванова and Серик", "naïve", "Wi-Fi роутер", "USBкабель"]
        {
            assert!(one_script(plain).is_none(), "{plain}");
        }
    }

    #[test]
    fn a_pair_is_seen_wherever_it_stands() {
        for length in [2, 3, 31, 32, 33, 34, 63, 64, 65, 66, 100] {
            for at in 0..length - 1 {
                let mut bytes = vec![b' '; length];
                bytes[at] = b'a';
                bytes[at + 1] = b'b';
                let seen = has_pair(&bytes, |it, next| (it == b'a') & (next == b'b'));
                assert!(seen, "{at} of {length}");
                assert!(!has_pair(&bytes, |it, next| (it == b'b') & (next == b'a')));
            }
        }
        assert!(!has_pair(b"a", |_, _| true));
    }

    #[test]
    fn a_digit_is_seen_beside_what_is_folded_wherever_they_stand() {
        for before in 0..70 {
            let padding = "я".repeat(before);
            for part in [
                "1\u{a0}2",
                "\u{2011}2",
                "1\u{300}",
                "٩",
                "«\u{200b}2",
                "1\u{489}",
            ] {
                let text = format!("{padding}{part}{padding}");
                assert!(fold(&text).is_some(), "{text}");
            }
            for part in ["«1»", "1 — 2", "қ 1", "1қ", "и\u{489} 1"] {
                let text = format!("{padding}{part}{padding}");
                assert!(fold(&text).is_none(), "{text}");
            }
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
            "и\u{306} 1",
            "line\tone\n2",
        ] {
            assert!(fold(raw).is_none(), "{raw}");
        }
    }
}
