//! The hashes of words.

use super::{
    super::letters::{Letters, letters},
    token::{Shape, Token},
};

/// Fills in what is hashed of tokens. Keeps its buffer between words.
#[derive(Debug)]
pub(super) struct WordHasher<'t> {
    text: &'t str,
    letters: &'static Letters,
    small: Vec<char>,
}

impl<'t> WordHasher<'t> {
    /// For the tokens of `text`.
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            letters: letters(),
            small: Vec::new(),
        }
    }

    /// Fills in the hashes and the length of `token`.
    pub(super) fn fill(&mut self, token: &mut Token) {
        let word = self.text.get(token.range.clone()).unwrap_or_default();
        if token.shape == Shape::Mark {
            token.word = word.chars().next().map_or(0, |it| hash(&[it]));
            token.stem = token.word;
            return;
        }
        let small = self.small(word);
        token.length = u8::try_from(small.len()).unwrap_or(u8::MAX);
        let (stem, ending) = small.split_at_checked(stem(small)).unwrap_or_default();
        let sum = sum(HASH_START, stem);
        token.stem = mix(sum);
        token.word = mix(self::sum(sum, ending));
        token.heads = heads(small, token.word);
        token.tails = tails(small, token.word);
    }

    /// Fills in the hash of the word alone.
    pub(super) fn fill_word(&mut self, token: &mut Token) {
        let word = self.text.get(token.range.clone()).unwrap_or_default();
        token.word = hash(self.small(word));
    }

    /// `word` in small letters.
    fn small(&mut self, word: &str) -> &[char] {
        let count = self.letters.write_small(word, &mut self.small);
        self.small.get(..count).unwrap_or_default()
    }
}

/// The hashes of the first 3, 4 and 5 letters; `whole` is that of the word, which stands for what is longer.
fn heads(small: &[char], whole: u64) -> [u64; 3] {
    let Some([first, second, third, rest @ ..]) = small.first_chunk::<5>() else {
        let head = |count: usize| small.get(..count).map_or(whole, hash);
        return [head(3), head(4), whole];
    };
    let third = sum(HASH_START, &[*first, *second, *third]);
    let [fourth, fifth] = rest;
    let fourth = add(third, *fourth);
    [mix(third), mix(fourth), mix(add(fourth, *fifth))]
}

/// The hashes of the last 2, 3, 4 and 5 letters; `whole` is that of the word, which stands for what is longer.
fn tails(small: &[char], whole: u64) -> [u64; 4] {
    let Some([fifth, fourth, third, second, first]) = small.last_chunk::<5>() else {
        let tail = |count: usize| match small.len().checked_sub(count) {
            Some(from) => small.get(from..).map_or(whole, hash),
            None => whole,
        };
        return [tail(2), tail(3), tail(4), whole];
    };
    [
        hash(&[*second, *first]),
        hash(&[*third, *second, *first]),
        hash(&[*fourth, *third, *second, *first]),
        hash(&[*fifth, *fourth, *third, *second, *first]),
    ]
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
    hash(small.get(..stem(&small)).unwrap_or_default())
}

const HASH_START: u64 = 0xcbf2_9ce4_8422_2325;

/// One step of FNV-1a, over code points.
fn add(sum: u64, ch: char) -> u64 {
    (sum ^ u64::from(u32::from(ch))).wrapping_mul(0x0000_0100_0000_01b3)
}

/// FNV-1a over the code points, behind those of which `before` is the sum.
fn sum(before: u64, letters: &[char]) -> u64 {
    letters.iter().fold(before, |sum, it| add(sum, *it))
}

/// The same from the start, mixed.
fn hash(letters: &[char]) -> u64 {
    mix(sum(HASH_START, letters))
}

/// Spreads the bits of `sum`.
pub(super) const fn mix(sum: u64) -> u64 {
    let sum = (sum ^ sum >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    sum ^ sum >> 32
}
