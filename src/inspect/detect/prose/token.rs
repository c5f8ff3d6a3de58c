//! Words and marks of a text, each reduced to the hashes and shapes that the tagger looks at.

use std::ops::Range;

/// What a token looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Shape {
    /// Before the first token and after the last.
    #[default]
    None,
    /// One capital: an initial.
    Initial,
    /// All capitals.
    Capitals,
    /// Capitals inside: `McCray`, `iPhone` with a capital first.
    Mixed,
    /// A capital, then small letters.
    Capitalised,
    /// Capitals behind a small letter.
    Inner,
    /// Small letters, or letters without case.
    Small,
    /// Begins with a digit.
    Number,
    /// A mark.
    Mark,
}

impl Shape {
    /// Whether a name may begin with it.
    pub const fn is_capital(self) -> bool {
        matches!(
            self,
            Self::Initial | Self::Capitals | Self::Mixed | Self::Capitalised
        )
    }
}

/// Which letters a token is written in. Names of one script say nothing about those of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Script {
    /// None of the others.
    #[default]
    Other,
    /// Latin.
    Latin,
    /// Cyrillic, Kazakh letters included.
    Cyrillic,
    /// Latin in a text whose words before it are mostly Cyrillic: brands and titles.
    Foreign,
}

/// A word, number or mark.
#[derive(Clone, Debug, Default)]
pub struct Token {
    /// Bytes of the text.
    pub range: Range<usize>,
    /// Letters and digits in it.
    pub length: u8,
    pub(super) shape: Shape,
    pub(super) script: Script,
    /// Nothing stands before it in its sentence.
    pub(super) is_first: bool,
    /// Hash of the word in small letters.
    pub(super) word: u64,
    /// Hashes of its first 3, 4 and 5 letters.
    pub(super) heads: [u64; 3],
    /// Hashes of its last 2, 3, 4 and 5 letters.
    pub(super) tails: [u64; 4],
    /// Hash of the word without an inflected ending: the same for `Иванов`, `Иванова`, `Ивановым`.
    pub(super) stem: u64,
    /// It stands between `«` and `»`.
    pub(super) is_quoted: bool,
    /// What the lexicon says of its stem.
    pub(super) known: u8,
}

impl Token {
    /// Whether a name may begin with it by its capitals.
    pub const fn has_capital(&self) -> bool {
        self.shape.is_capital()
    }

    /// Whether it is a word in small letters.
    pub fn is_small(&self) -> bool {
        self.shape == Shape::Small
    }

    /// Hash of the word without an inflected ending.
    pub const fn stem(&self) -> u64 {
        self.stem
    }
}

/// Splits `text` into tokens. Cost: one pass.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::with_capacity(text.len() / 6 + 1);
    let mut is_first = true;
    let mut letters: Vec<char> = Vec::with_capacity(32);
    let mut chars = text.char_indices().peekable();
    let mut is_quoted = false;
    let mut cyrillic = 0_i32;
    while let Some((start, ch)) = chars.next() {
        if ch.is_whitespace() {
            is_first |= ch == '\n';
            continue;
        }
        if !ch.is_alphanumeric() {
            is_quoted = (is_quoted || ch == '«') && ch != '»';
            out.push(Token {
                range: start..start + ch.len_utf8(),
                shape: Shape::Mark,
                is_first,
                word: hash([ch]),
                stem: hash([ch]),
                ..Token::default()
            });
            is_first = matches!(ch, '.' | '!' | '?');
            continue;
        }
        letters.clear();
        letters.push(ch);
        let mut end = start + ch.len_utf8();
        while let Some((at, next)) = chars.next_if(|(at, next)| {
            next.is_alphanumeric()
                || (is_apostrophe(*next)
                    && text
                        .get(at + next.len_utf8()..)
                        .is_some_and(is_rest_of_word))
        }) {
            letters.push(next);
            end = at + next.len_utf8();
        }
        let mut it = word(&letters, start..end, is_first);
        it.is_quoted = is_quoted;
        match it.script {
            Script::Cyrillic => cyrillic += 1,
            Script::Latin if cyrillic > 0 => it.script = Script::Foreign,
            Script::Latin => cyrillic -= 1,
            Script::Foreign | Script::Other => {}
        }
        out.push(it);
        is_first = false;
    }
    out
}

const fn is_apostrophe(ch: char) -> bool {
    matches!(ch, '\'' | '’' | 'ʼ')
}

/// Whether what follows an apostrophe belongs to the word before: `O'Brien`, but not the `s` of `Brien's`.
fn is_rest_of_word(rest: &str) -> bool {
    let mut chars = rest.chars();
    match (chars.next(), chars.next()) {
        (Some('s' | 'S'), second) => second.is_some_and(char::is_alphanumeric),
        (Some(first), _) => first.is_alphabetic(),
        (None, _) => false,
    }
}

fn word(letters: &[char], range: Range<usize>, is_first: bool) -> Token {
    let shape = shape(letters);
    let script = script(letters);
    let small: Vec<char> = letters.iter().flat_map(|it| it.to_lowercase()).collect();
    let head = |count: usize| hash(small.iter().copied().take(count));
    let tail = |count: usize| {
        hash(
            small
                .iter()
                .copied()
                .skip(small.len().saturating_sub(count)),
        )
    };
    Token {
        range,
        length: u8::try_from(small.len()).unwrap_or(u8::MAX),
        shape,
        script,
        is_first,
        word: head(small.len()),
        heads: [head(3), head(4), head(5)],
        tails: [tail(2), tail(3), tail(4), tail(5)],
        stem: head(stem(&small)),
        ..Token::default()
    }
}

fn shape(letters: &[char]) -> Shape {
    let Some((first, rest)) = letters.split_first() else {
        return Shape::None;
    };
    if !first.is_alphabetic() {
        return Shape::Number;
    }
    let has_capitals = rest.iter().any(|it| it.is_uppercase());
    match (first.is_uppercase(), rest.is_empty()) {
        (true, true) => Shape::Initial,
        (true, false) if !letters.iter().any(|it| it.is_lowercase()) => Shape::Capitals,
        (true, false) if has_capitals => Shape::Mixed,
        (true, false) => Shape::Capitalised,
        (false, _) if has_capitals => Shape::Inner,
        (false, _) => Shape::Small,
    }
}

fn script(letters: &[char]) -> Script {
    match letters.first().copied().map(u32::from) {
        Some(0x41..=0x5a | 0x61..=0x7a | 0xc0..=0x24f | 0x1e00..=0x1eff) => Script::Latin,
        Some(0x400..=0x52f) => Script::Cyrillic,
        _ => Script::Other,
    }
}

/// Endings of cases in Russian and, where no Russian word loses a root by them, in Kazakh; the longest first.
const ENDINGS: &[&str] = &[
    "ыми", "ими", "ого", "его", "ому", "ему", "ның", "нің", "дың", "дің", "тың", "тің", "ым", "им",
    "ой", "ей", "ом", "ем", "ая", "яя", "ую", "юю", "ий", "ый", "ое", "ие", "ых", "их", "ах", "ях",
    "ам", "ям", "ою", "ею", "ға", "қа", "ді", "ті", "ні", "а", "я", "о", "е", "у", "ю", "ы", "и",
    "ь", "й", "і", "ё",
];

/// Letters that stay when the ending of a case is taken off, at least three.
fn stem(small: &[char]) -> usize {
    let ends_with = |ending: &str| {
        let mut back = small.iter().rev();
        ending.chars().rev().all(|it| back.next() == Some(&it))
    };
    let most = small.len().saturating_sub(3);
    ENDINGS
        .iter()
        .map(|it| (it.chars().count(), it))
        .find(|(count, it)| *count <= most && ends_with(it))
        .map_or(small.len(), |(count, _)| small.len() - count)
}

/// The hash of the stem of a word in small letters, as [`Token`] has it.
pub fn stem_of(word: &str) -> u64 {
    let small: Vec<char> = word.chars().collect();
    hash(small.iter().copied().take(stem(&small)))
}

/// FNV-1a over the code points, mixed.
fn hash(letters: impl IntoIterator<Item = char>) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for ch in letters {
        sum = (sum ^ u64::from(u32::from(ch))).wrapping_mul(0x0000_0100_0000_01b3);
    }
    mix(sum)
}

/// Spreads the bits of `sum`.
pub(super) const fn mix(sum: u64) -> u64 {
    let sum = (sum ^ sum >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    sum ^ sum >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        tokens(text)
            .iter()
            .filter_map(|it| text.get(it.range.clone()))
            .collect()
    }

    #[test]
    fn a_word_keeps_its_apostrophe_but_no_possessive() {
        assert_eq!(words("O'Brien's dog"), ["O'Brien", "'", "s", "dog"]);
        assert_eq!(words("Anna’s"), ["Anna", "’", "s"]);
        assert_eq!(words("D'Souza"), ["D'Souza"]);
    }

    #[test]
    fn cases_of_a_name_share_their_stem() {
        for (first, second) in [
            ("иванов", "ивановым"),
            ("иванов", "ивановой"),
            ("мария", "марией"),
            ("польша", "польше"),
            ("оспанов", "оспановтың"),
        ] {
            assert_eq!(stem_of(first), stem_of(second), "{first} {second}");
        }
        assert_ne!(stem_of("иванов"), stem_of("иваненко"));
        assert_ne!(stem_of("ан"), stem_of("а"));
    }
}
