//! Words and marks of a text, each reduced to the hashes and shapes that the tagger looks at.

use std::ops::Range;

use super::{
    hash::WordHasher,
    model::{GIVEN, SURNAME},
    outline::{Outline, Outliner},
};

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
#[derive(Clone, Debug)]
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
    /// Before the first token and after the last.
    pub(super) const NONE: Self = Self {
        range: 0..0,
        length: 0,
        shape: Shape::None,
        script: Script::Other,
        is_first: false,
        word: 0,
        heads: [0; 3],
        tails: [0; 4],
        stem: 0,
        is_quoted: false,
        known: 0,
    };

    /// Whether a name may begin with it by its capitals.
    pub const fn has_capital(&self) -> bool {
        self.shape.is_capital()
    }

    /// Whether the lexicon knows it as a name.
    pub(super) const fn is_known_name(&self) -> bool {
        self.known & (GIVEN | SURNAME) != 0
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

impl From<&Outline> for Token {
    /// Without its hashes and its length.
    fn from(outline: &Outline) -> Self {
        Self {
            range: outline.range.clone(),
            shape: outline.shape,
            script: outline.script,
            is_first: outline.is_first,
            is_quoted: outline.is_quoted,
            ..Self::NONE
        }
    }
}

/// Splits `text` into tokens with all that is known of them. Cost: one pass.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut outlines = Vec::new();
    Outliner::new(text).read(&mut outlines, usize::MAX);
    let mut hasher = WordHasher::new(text);
    let mut out: Vec<Token> = outlines.iter().map(Token::from).collect();
    for it in &mut out {
        hasher.fill(it);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{super::hash::stem_of, *};

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
