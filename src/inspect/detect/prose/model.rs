//! The weights: a table of hashed features, learnt by `tests/names/train.rs` from sets whose licences allow it
//! (`config/models/README.md`).
//!
//! ```text
//! model = "SHKNAME2" bits:u8 scale:f32le bias:f32le spread:f32le transitions:[f32le;12] weights:[i8; 2 * 2^bits] lexicon:[u8; 2^n]
//! ```
//! A byte of the lexicon holds four bits of the hash of a stem and what is known of it: a given name, a surname, a place, a word that
//! is written small. A weight is `i8 / scale`. The weights of a slot are those of *begins a name* and *goes on with a name*, above *no name*.

use super::{feature::observe, token::Token};

/// First bytes of a model.
pub const MAGIC: &[u8; 8] = b"SHKNAME2";
/// Bytes before the weights.
pub const HEADER_BYTES: usize = 8 + 1 + 4 * 3 + 4 * TAGS * (TAGS + 1);

/// The lexicon knows it as a given name.
pub const GIVEN: u8 = 1;
/// The lexicon knows it as a surname.
pub const SURNAME: u8 = 2;
/// The lexicon knows it as a place.
pub const PLACE: u8 = 4;
/// The lexicon knows it as a word that is written small.
pub const COMMON: u8 = 8;

/// No name, begins one, goes on with one.
pub const TAGS: usize = 3;

/// Scores of the tags of one token.
pub type Scores = [f32; TAGS];

/// Scores of the tags by the tag before; the last row is for the first token.
pub type Transitions = [Scores; TAGS + 1];

/// Scores of a token that no name can hold.
pub const NO_NAME: Scores = [0.0, NONE, NONE];

/// A table of weights.
#[derive(Debug)]
pub struct Model<'a> {
    bits: u32,
    scale: f32,
    /// Added to *no name*: higher finds fewer.
    bias: f32,
    /// How much above *no name* a word must be to count as a name where the same word was found as one elsewhere in the text.
    pub(super) spread: f32,
    transitions: Transitions,
    weights: &'a [[u8; 2]],
    lexicon: &'a [u8],
}

impl<'a> Model<'a> {
    /// Reads a model; `None` when `bytes` are none.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (header, weights) = bytes.split_at_checked(HEADER_BYTES)?;
        let rest = header.strip_prefix(MAGIC)?;
        let (bits, rest) = rest.split_first()?;
        let mut numbers = rest
            .chunks_exact(4)
            .filter_map(|it| it.first_chunk::<4>().copied())
            .map(f32::from_le_bytes);
        let mut next = || numbers.next();
        let (scale, bias, spread) = (next()?, next()?, next()?);
        let mut transitions = Transitions::default();
        for score in transitions.iter_mut().flatten() {
            *score = next()?;
        }
        if *bits >= 32 {
            return None;
        }
        let (weights, lexicon) = weights.split_at_checked(2 << *bits)?;
        let (weights, _) = weights.as_chunks::<2>();
        lexicon.len().is_power_of_two().then_some(Self {
            bits: u32::from(*bits),
            scale,
            bias,
            spread,
            transitions,
            weights,
            lexicon,
        })
    }

    /// Puts down what the lexicon knows of `token`.
    pub fn look_up(&self, token: &mut Token) {
        if token.length == 0 {
            return;
        }
        token.known = self
            .lexicon
            .get(cell(token.stem, self.lexicon.len()))
            .filter(|cell| **cell >> 4 == mark(token.stem))
            .map_or(0, |cell| cell & 0xf);
    }

    /// The scores of the token in the middle.
    #[inline(never)]
    pub(super) fn scores(&self, around: [&Token; 5]) -> Scores {
        // A few dozen bytes cannot overflow the sums.
        let (mut begins, mut goes_on) = (0_i32, 0_i32);
        observe(around, |hash| {
            if let Some([first, second]) = self.weights.get(slot(hash, self.bits)) {
                begins = begins.wrapping_add(i32::from(i8::from_le_bytes([*first])));
                goes_on = goes_on.wrapping_add(i32::from(i8::from_le_bytes([*second])));
            }
        });
        [self.bias, self.unscaled(begins), self.unscaled(goes_on)]
    }

    /// The tags of tokens with these scores.
    pub(super) fn decode(&self, scores: &[Scores]) -> Vec<u8> {
        decode(scores, &self.transitions)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a sum of a few dozen bytes is exact in f32"
    )]
    fn unscaled(&self, sum: i32) -> f32 {
        sum as f32 / self.scale
    }
}

/// The cell of a stem in a lexicon of `cells`.
pub fn cell(stem: u64, cells: usize) -> usize {
    usize::try_from(stem >> 8).unwrap_or_default() & cells.saturating_sub(1)
}

/// The four bits of a stem's hash that its cell repeats.
pub const fn mark(stem: u64) -> u8 {
    (stem & 0xf) as u8
}

/// The slot of a feature in a table of `2^bits`.
pub fn slot(hash: u64, bits: u32) -> usize {
    usize::try_from(hash & ((1_u64 << bits) - 1)).unwrap_or_default()
}

/// The score of what cannot be.
const NONE: f32 = f32::NEG_INFINITY;

/// The best of the totals by the tag before, and that tag; of equals the first.
fn best_of(totals: Scores) -> (f32, u8) {
    let (mut reach, mut origin) = (NONE, 0);
    for (from, total) in (0_u8..).zip(totals) {
        if total > reach {
            (reach, origin) = (total, from);
        }
    }
    (reach, origin)
}

/// The best sequence of tags (Viterbi). A name goes on only where one has begun.
pub fn decode(scores: &[Scores], transitions: &Transitions) -> Vec<u8> {
    let [none, begins, goes_on, start] = transitions;
    let mut best: Scores = [0.0; TAGS];
    let mut came_from: Vec<[u8; TAGS]> = Vec::with_capacity(scores.len());
    for (at, own) in scores.iter().enumerate() {
        if at == 0 {
            best = [start[0] + own[0], start[1] + own[1], NONE];
            came_from.push([0; TAGS]);
            continue;
        }
        let to = |tag: fn(&Scores) -> f32| {
            let after = |before: &Scores, so_far: f32| so_far + tag(before) + tag(own);
            [
                after(none, best[0]),
                after(begins, best[1]),
                after(goes_on, best[2]),
            ]
        };
        let (is_none, none_origin) = best_of(to(|it| it[0]));
        if *own == NO_NAME {
            // Most of a text.
            best = [is_none, NONE, NONE];
            came_from.push([none_origin, 0, 0]);
            continue;
        }
        let (is_begun, begun_origin) = best_of(to(|it| it[1]));
        let [_, from_begun, from_inside] = to(|it| it[2]);
        let (is_inside, inside_origin) = best_of([NONE, from_begun, from_inside]);
        best = [is_none, is_begun, is_inside];
        came_from.push([none_origin, begun_origin, inside_origin]);
    }
    let mut tag = (0_u8..)
        .zip(best)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(0, |it| it.0);
    let mut tags = vec![0; scores.len()];
    for (slot, origins) in tags.iter_mut().zip(&came_from).rev() {
        *slot = tag;
        tag = origins.get(usize::from(tag)).copied().unwrap_or_default();
    }
    tags
}
