//! Words and marks of a text, each reduced to the hashes and shapes that the tagger looks at.

use std::{ops::Range, str::CharIndices, sync::LazyLock};

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

/// Splits `text` into tokens with all that is known of them. Cost: one pass.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    Outliner::new(text).read(&mut out, usize::MAX);
    let mut hasher = WordHasher::default();
    for it in &mut out {
        hasher.fill(text, it);
    }
    out
}

/// Splits a text into tokens without their hashes and lengths, which [`WordHasher`] fills in where they are asked for.
#[derive(Debug)]
pub(super) struct Outliner<'t> {
    text: &'t str,
    letters: &'static Letters,
    chars: CharIndices<'t>,
    next: Option<(usize, char)>,
    is_first: bool,
    is_quoted: bool,
    /// Words in Cyrillic so far, less those in Latin before them.
    cyrillic: i32,
}

impl<'t> Outliner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut chars = text.char_indices();
        Self {
            text,
            letters: &LETTERS,
            next: chars.next(),
            chars,
            is_first: true,
            is_quoted: false,
            cyrillic: 0,
        }
    }

    /// Appends the tokens that come next: `most` or, to the end of a sentence, up to twice as many.
    pub(super) fn read(&mut self, out: &mut Vec<Token>, most: usize) {
        while let Some((start, ch)) = self.next {
            if out.len() >= most && (self.is_first || out.len() / 2 >= most) {
                break;
            }
            let kind = self.letters.kind(ch);
            if kind & letter::SPACE != 0 {
                self.is_first |= ch == '\n';
                self.next = self.chars.next();
            } else if kind & letter::ALPHANUMERIC == 0 {
                self.is_quoted = (self.is_quoted || ch == '«') && ch != '»';
                out.push(Token {
                    range: start..start + ch.len_utf8(),
                    shape: Shape::Mark,
                    is_first: self.is_first,
                    ..Token::default()
                });
                self.is_first = matches!(ch, '.' | '!' | '?');
                self.next = self.chars.next();
            } else {
                out.push(self.word(start, ch, kind));
                self.is_first = false;
            }
        }
    }

    /// The word whose first letter is `first`, of `kind`.
    fn word(&mut self, start: usize, first: char, kind: u8) -> Token {
        let mut rest = 0;
        let mut end = self.text.len();
        loop {
            self.next = self.chars.next();
            let Some((at, ch)) = self.next else { break };
            let kind = self.letters.kind(ch);
            let after = || self.text.get(at + ch.len_utf8()..);
            let is_inside = kind & letter::ALPHANUMERIC != 0
                || (is_apostrophe(ch) && after().is_some_and(is_rest_of_word));
            if !is_inside {
                end = at;
                break;
            }
            rest |= kind | letter::ALPHANUMERIC;
        }
        let mut script = script(first);
        match script {
            Script::Cyrillic => self.cyrillic += 1,
            Script::Latin if self.cyrillic > 0 => script = Script::Foreign,
            Script::Latin => self.cyrillic -= 1,
            Script::Foreign | Script::Other => {}
        }
        Token {
            range: start..end,
            shape: shape(kind, rest),
            script,
            is_first: self.is_first,
            is_quoted: self.is_quoted,
            ..Token::default()
        }
    }
}

/// Kinds of letters, one bit each.
mod letter {
    pub(super) const ALPHANUMERIC: u8 = 1;
    pub(super) const ALPHABETIC: u8 = 1 << 1;
    pub(super) const CAPITAL: u8 = 1 << 2;
    pub(super) const SMALL: u8 = 1 << 3;
    pub(super) const SPACE: u8 = 1 << 4;

    pub(super) fn kind(ch: char) -> u8 {
        let bit = |is_so: bool, bit: u8| if is_so { bit } else { 0 };
        bit(ch.is_alphanumeric(), ALPHANUMERIC)
            | bit(ch.is_alphabetic(), ALPHABETIC)
            | bit(ch.is_uppercase(), CAPITAL)
            | bit(ch.is_lowercase(), SMALL)
            | bit(ch.is_whitespace(), SPACE)
    }
}

/// Kinds and small forms of the letters up to the end of Cyrillic, since the tables of the standard library are searched.
#[derive(Debug)]
struct Letters {
    kinds: Vec<u8>,
    small: Vec<u16>,
}

/// After the last letter of the tables: the end of the Cyrillic supplement.
const LETTERS_END: u32 = 0x530;

static LETTERS: LazyLock<Letters> = LazyLock::new(|| {
    let chars = || (0..LETTERS_END).filter_map(char::from_u32);
    let small = |ch: char| {
        let mut small = ch.to_lowercase();
        match (small.next(), small.next()) {
            (Some(only), None) => u16::try_from(u32::from(only)).unwrap_or(0),
            // Zero stands for what has to be searched.
            _ => 0,
        }
    };
    Letters {
        kinds: chars().map(letter::kind).collect(),
        small: chars().map(small).collect(),
    }
});

impl Letters {
    fn kind(&self, ch: char) -> u8 {
        match self.kinds.get(ch as usize) {
            Some(kind) => *kind,
            None => letter::kind(ch),
        }
    }

    /// Appends `ch` in small letters.
    fn push_small(&self, ch: char, out: &mut Vec<char>) {
        match self.small.get(ch as usize) {
            Some(small @ 1..) => out.extend(char::from_u32(u32::from(*small))),
            _ => out.extend(ch.to_lowercase()),
        }
    }
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

/// Fills in what is hashed of tokens. Keeps its buffer between words.
#[derive(Debug, Default)]
pub(super) struct WordHasher {
    small: Vec<char>,
}

impl WordHasher {
    /// Fills in the hashes and the length of `token`, which stands in `text`.
    pub(super) fn fill(&mut self, text: &str, token: &mut Token) {
        let word = text.get(token.range.clone()).unwrap_or_default();
        if token.shape == Shape::Mark {
            token.word = hash(word.chars());
            token.stem = token.word;
            return;
        }
        let letters = &*LETTERS;
        self.small.clear();
        for ch in word.chars() {
            letters.push_small(ch, &mut self.small);
        }
        let small = self.small.as_slice();
        token.length = u8::try_from(small.len()).unwrap_or(u8::MAX);
        let stem = stem(small);
        let mut sum = HASH_START;
        for (count, ch) in (1_usize..).zip(small) {
            sum = add(sum, *ch);
            if count == stem {
                token.stem = sum;
            }
            if let Some(head) = count.checked_sub(3).and_then(|it| token.heads.get_mut(it)) {
                *head = sum;
            }
        }
        token.word = mix(sum);
        token.stem = mix(token.stem);
        for (count, head) in (3..).zip(&mut token.heads) {
            *head = if small.len() < count {
                token.word
            } else {
                mix(*head)
            };
        }
        for (count, tail) in (2..).zip(&mut token.tails) {
            let from = small.len().saturating_sub(count);
            *tail = hash(small.iter().skip(from).copied());
        }
    }
}

/// The shape of a word by the kinds of its first letter and of all others.
const fn shape(first: u8, rest: u8) -> Shape {
    if first & letter::ALPHABETIC == 0 {
        return Shape::Number;
    }
    let is_capital = first & letter::CAPITAL != 0;
    let has_small = (first | rest) & letter::SMALL != 0;
    let has_capitals = rest & letter::CAPITAL != 0;
    match (is_capital, rest == 0) {
        (true, true) => Shape::Initial,
        (true, false) if !has_small => Shape::Capitals,
        (true, false) if has_capitals => Shape::Mixed,
        (true, false) => Shape::Capitalised,
        (false, _) if has_capitals => Shape::Inner,
        (false, _) => Shape::Small,
    }
}

fn script(first: char) -> Script {
    match u32::from(first) {
        0x41..=0x5a | 0x61..=0x7a | 0xc0..=0x24f | 0x1e00..=0x1eff => Script::Latin,
        0x400..=0x52f => Script::Cyrillic,
        _ => Script::Other,
    }
}

/// Letters that stay when the ending of a case is taken off, at least three: in Russian and, where no Russian word loses a root by
/// them, in Kazakh; the longest ending counts.
const fn stem(small: &[char]) -> usize {
    let most = small.len().saturating_sub(3);
    let ending = match small {
        [.., 'ы' | 'и', 'м', 'и']
        | [.., 'о' | 'е', 'г', 'о']
        | [.., 'о' | 'е', 'м', 'у']
        | [.., 'н' | 'д' | 'т', 'ы' | 'і', 'ң']
            if most >= 3 =>
        {
            3
        }
        [.., 'ы' | 'и' | 'о' | 'е' | 'а' | 'я', 'м']
        | [.., 'о' | 'е' | 'и' | 'ы', 'й']
        | [.., 'а' | 'я', 'я']
        | [.., 'у' | 'ю' | 'о' | 'е', 'ю']
        | [.., 'о' | 'и', 'е']
        | [.., 'ы' | 'и' | 'а' | 'я', 'х']
        | [.., 'ғ' | 'қ', 'а']
        | [.., 'д' | 'т' | 'н', 'і']
            if most >= 2 =>
        {
            2
        }
        [
            ..,
            'а' | 'я' | 'о' | 'е' | 'у' | 'ю' | 'ы' | 'и' | 'ь' | 'й' | 'і' | 'ё',
        ] if most >= 1 => 1,
        _ => 0,
    };
    small.len() - ending
}

/// The hash of the stem of a word in small letters, as [`Token`] has it.
pub fn stem_of(word: &str) -> u64 {
    let small: Vec<char> = word.chars().collect();
    hash(small.iter().copied().take(stem(&small)))
}

const HASH_START: u64 = 0xcbf2_9ce4_8422_2325;

/// One step of FNV-1a, over code points.
fn add(sum: u64, ch: char) -> u64 {
    (sum ^ u64::from(u32::from(ch))).wrapping_mul(0x0000_0100_0000_01b3)
}

/// FNV-1a over the code points, mixed.
fn hash(letters: impl IntoIterator<Item = char>) -> u64 {
    mix(letters.into_iter().fold(HASH_START, add))
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
