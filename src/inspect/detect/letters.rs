//! Kinds and small forms of letters, by table up to the last character that UTF-8 writes in two bytes: Latin, Greek and Cyrillic are among
//! them, and the tables of the standard library are searched for each.

use std::sync::LazyLock;

/// Kinds of characters, one bit each.
pub(super) mod kind {
    pub(in super::super) const ALPHANUMERIC: u8 = 1;
    pub(in super::super) const ALPHABETIC: u8 = 1 << 1;
    pub(in super::super) const CAPITAL: u8 = 1 << 2;
    pub(in super::super) const SMALL: u8 = 1 << 3;
    pub(in super::super) const SPACE: u8 = 1 << 4;

    /// The kinds of `ch`, searched for.
    pub(super) fn of(ch: char) -> u8 {
        let bit = |is_so: bool, bit: u8| if is_so { bit } else { 0 };
        bit(ch.is_alphanumeric(), ALPHANUMERIC)
            | bit(ch.is_alphabetic(), ALPHABETIC)
            | bit(ch.is_uppercase(), CAPITAL)
            | bit(ch.is_lowercase(), SMALL)
            | bit(ch.is_whitespace(), SPACE)
    }
}

/// Behind the last character of the tables.
const END: usize = 0x800;

/// The tables.
#[derive(Debug)]
pub(super) struct Letters {
    kinds: [u8; END],
    /// NUL stands for what has to be searched.
    small: [char; END],
}

static LETTERS: LazyLock<Letters> = LazyLock::new(|| {
    let small = |ch: char| {
        let mut small = ch.to_lowercase();
        match (small.next(), small.next()) {
            (Some(only), None) => only,
            _ => '\0',
        }
    };
    let mut letters = Letters {
        kinds: [0; END],
        small: ['\0'; END],
    };
    let rows = letters.kinds.iter_mut().zip(&mut letters.small);
    for (ch, (kinds, form)) in ('\0'..).zip(rows) {
        (*kinds, *form) = (kind::of(ch), small(ch));
    }
    letters
});

/// The tables, worked out once.
pub(super) fn letters() -> &'static Letters {
    &LETTERS
}

impl Letters {
    /// The kinds of what the tables know at the start of `rest`, as long as each is one of `those`; and what follows.
    #[inline]
    pub(super) fn run<'t>(&self, rest: &'t [u8], those: u8) -> (u8, &'t [u8]) {
        let (mut kinds, mut left) = (0, rest);
        loop {
            let before = left.len();
            // Most of a word, and most of a text.
            if let Some(count) = left.first_chunk().map(small_cyrillic)
                && count > 0
                && those & SMALL_LETTER != 0
            {
                kinds |= SMALL_LETTER;
                left = left.get(count << 1..).unwrap_or_default();
            }
            let (pairs, _) = left.as_chunks::<2>();
            let mut count = 0_usize;
            for pair in pairs {
                let Some(code) = of_pair(*pair) else { break };
                let kind = self.kinds.get(code).copied().unwrap_or_default();
                if kind & those == 0 {
                    return (kinds, left.get(count << 1..).unwrap_or_default());
                }
                kinds |= kind;
                count = count.wrapping_add(1);
            }
            left = left.get(count << 1..).unwrap_or_default();
            while let [byte @ 0..=0x7f, behind @ ..] = left {
                let kind = self.kinds.get(usize::from(*byte)).copied();
                let kind = kind.unwrap_or_default();
                if kind & those == 0 {
                    return (kinds, left);
                }
                kinds |= kind;
                left = behind;
            }
            if left.len() == before {
                return (kinds, left);
            }
        }
    }

    /// Writes `word` in small letters to the start of `out`, which grows if need be; their count.
    #[inline]
    pub(super) fn write_small(&self, word: &str, out: &mut Vec<char>) -> usize {
        // No character has more small letters than bytes.
        if out.len() < word.len() {
            out.resize(word.len(), '\0');
        }
        let (pairs, last) = word.as_bytes().as_chunks::<2>();
        let mut all = !0;
        for (slot, pair) in out.iter_mut().zip(pairs) {
            let code = of_pair(*pair).unwrap_or_default();
            *slot = self.small.get(code).copied().unwrap_or_default();
            all = all.min(*slot as u32);
        }
        if last.is_empty() && all > 0 {
            pairs.len()
        } else {
            self.write_mixed(word, out)
        }
    }

    /// The same for any word.
    fn write_mixed(&self, word: &str, out: &mut [char]) -> usize {
        let mut rest = word.as_bytes();
        let mut count = 0_usize;
        for slot in out.iter_mut() {
            let Some((code, behind)) = code(rest) else {
                break;
            };
            *slot = self.small.get(code).copied().unwrap_or_default();
            if *slot == '\0' {
                break;
            }
            count = count.wrapping_add(1);
            rest = behind;
        }
        if rest.is_empty() {
            count
        } else {
            write_searched(word, out)
        }
    }

    /// Whether `ch` is a letter.
    pub(super) fn is_letter(&self, ch: char) -> bool {
        match self.kinds.get(ch as usize) {
            Some(kinds) => kinds & kind::ALPHABETIC != 0,
            None => ch.is_alphabetic(),
        }
    }

    /// The first character of `rest`, the bytes at the end of `text`; nothing at its end.
    #[inline]
    pub(super) fn next<'t>(&self, text: &str, rest: &'t [u8]) -> Option<Next<'t>> {
        if let Some((code, rest)) = code(rest) {
            return Some(Next {
                ch: u32::try_from(code).ok().and_then(char::from_u32)?,
                kind: self.kinds.get(code).copied().unwrap_or_default(),
                rest,
            });
        }
        let at = text.len().checked_sub(rest.len())?;
        let ch = text.get(at..)?.chars().next()?;
        Some(Next {
            ch,
            kind: match ch {
                // Dashes and quotation marks of running text.
                '\u{2010}'..='\u{2027}' => 0,
                _ => kind::of(ch),
            },
            rest: rest.get(ch.len_utf8()..)?,
        })
    }
}

/// The kinds of a small letter.
const SMALL_LETTER: u8 = kind::ALPHANUMERIC | kind::ALPHABETIC | kind::SMALL;

/// How many small letters of Russian and Kazakh begin a block, told of all at once without branches, which the compiler vectorises.
#[inline]
fn small_cyrillic(block: &[u8; 16]) -> usize {
    let mut others = [0_u8; 8];
    for (other, pair) in others.iter_mut().zip(block.as_chunks::<2>().0) {
        let code = u16::from_be_bytes(*pair);
        // `а` to `п`, `р` to `џ`; letters of Kazakh in capitals and small ones by turns.
        let is_russian = (code.wrapping_sub(0xd0b0) < 0x10) | (code.wrapping_sub(0xd180) < 0x20);
        let is_kazakh = (code & 0xfe01 == 0xd201) & (code & 0xff >= 0x90);
        *other = if is_russian | is_kazakh { 0 } else { u8::MAX };
    }
    (u64::from_le_bytes(others).trailing_zeros() >> 3) as usize
}

/// The character that two bytes write.
#[inline]
fn of_pair([lead, last]: [u8; 2]) -> Option<usize> {
    (lead & 0xe0 == 0xc0).then(|| usize::from(lead & 0x1f) << 6 | usize::from(last & 0x3f))
}

/// The character of one or two bytes at the start of `rest`, which is of a text, and what follows.
#[inline]
fn code(rest: &[u8]) -> Option<(usize, &[u8])> {
    match rest {
        [byte @ 0..=0x7f, rest @ ..] => Some((usize::from(*byte), rest)),
        [lead, last, rest @ ..] => Some((of_pair([*lead, *last])?, rest)),
        _ => None,
    }
}

/// As [`Letters::write_small`], for any character.
#[cold]
fn write_searched(word: &str, out: &mut [char]) -> usize {
    let mut count = 0;
    for (slot, ch) in out
        .iter_mut()
        .zip(word.chars().flat_map(char::to_lowercase))
    {
        *slot = ch;
        count += 1;
    }
    count
}

/// A character, its kinds, and the bytes behind it.
#[derive(Debug)]
pub(super) struct Next<'t> {
    pub(super) ch: char,
    pub(super) kind: u8,
    pub(super) rest: &'t [u8],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_say_what_the_standard_library_does() {
        let letters = letters();
        let mut small = Vec::new();
        for ch in '\0'..=char::MAX {
            let text = ch.to_string();
            let next = letters.next(&text, text.as_bytes()).unwrap();
            assert_eq!((next.ch, next.kind), (ch, kind::of(ch)), "{ch:?}");
            assert!(next.rest.is_empty());
            assert_eq!(letters.is_letter(ch), ch.is_alphabetic(), "{ch:?}");
            let count = letters.write_small(&text, &mut small);
            let expected: Vec<char> = ch.to_lowercase().collect();
            assert_eq!(small[..count], expected, "{ch:?}");
        }
    }

    #[test]
    fn a_text_is_read_character_by_character() {
        let text = "aЯ«ә\u{7ff}\u{800}—𝟘é1";
        let mut rest = text.as_bytes();
        let mut seen = String::new();
        while let Some(next) = letters().next(text, rest) {
            seen.push(next.ch);
            rest = next.rest;
        }
        assert_eq!(seen, text);
    }

    #[test]
    fn a_word_is_written_small_whatever_is_in_it() {
        let mut small = Vec::new();
        for word in ["Қазақ", "İstanbul", "ÖĞE", "ẞa", "a\u{0}B", ""] {
            let count = letters().write_small(word, &mut small);
            let expected: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
            assert_eq!(small[..count], expected, "{word}");
        }
    }

    #[test]
    fn a_run_of_any_letter_has_its_kinds() {
        let letters = letters();
        for ch in ('\u{80}'..='\u{7ff}').filter(|it| it.is_alphabetic()) {
            for count in [1, 7, 8, 9, 20] {
                let text = format!(
                    "{}{} — и далее",
                    "я".repeat(count % 5),
                    ch.to_string().repeat(count)
                );
                let word = text.split(' ').next().unwrap();
                let (kinds, rest) = letters.run(text.as_bytes(), kind::ALPHABETIC);
                assert_eq!(text.len() - rest.len(), word.len(), "{text}");
                let expected = word.chars().fold(0, |all, it| all | kind::of(it));
                assert_eq!(kinds, expected, "{text}");
            }
        }
    }

    #[test]
    fn a_run_ends_where_something_else_begins() {
        let letters = letters();
        for (text, end) in [
            ("Айгерім б", 14),
            ("aB1, c", 3),
            ("a—b", 1),
            ("«a", 0),
            ("", 0),
        ] {
            let (kinds, rest) = letters.run(text.as_bytes(), kind::ALPHANUMERIC);
            assert_eq!(text.len() - rest.len(), end, "{text}");
            let read = text.get(..end).unwrap_or_default();
            let expected = read.chars().fold(0, |all, it| all | kind::of(it));
            assert_eq!(kinds, expected, "{text}");
        }
    }
}
