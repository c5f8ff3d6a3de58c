//! What the tagger looks at around a token. Training and inference share this file, so they cannot drift apart.

use super::{hash::mix, token::Token};

/// Features of one token.
pub const FEATURES: usize = 39;

/// The hashes of the features of token `at`. Each is a kind of observation (its position here) mixed with what was observed.
pub fn features(tokens: &[Token], at: usize) -> [u64; FEATURES] {
    let mut out = [0; FEATURES];
    let mut slots = out.iter_mut();
    observe(around(tokens, at), |hash| {
        if let Some(slot) = slots.next() {
            *slot = hash;
        }
    });
    out
}

/// Token `at` with two on either side.
pub(super) fn around(tokens: &[Token], at: usize) -> [&Token; 5] {
    static NOTHING: Token = Token::NONE;
    [-2, -1, 0, 1, 2].map(|offset| {
        at.checked_add_signed(offset)
            .and_then(|it| tokens.get(it))
            .unwrap_or(&NOTHING)
    })
}

/// Shows `see` the features of the token in the middle, one after another.
#[inline]
pub(super) fn observe([before2, before, it, after, after2]: [&Token; 5], mut see: impl FnMut(u64)) {
    let shape = it.shape as u64;
    let shapes = |tokens: &[&Token]| tokens.iter().fold(0, |sum, it| sum << 4 | it.shape as u64);
    let own_shape = mix(shape + 1);
    let with = |hash: u64| hash ^ own_shape;
    let known = |it: &Token| u64::from(it.known) << 4 | it.shape as u64;
    let tail_of = |it: &Token| it.tails[1] ^ mix(it.shape as u64 + 1);
    let [tail2, tail3, tail4, tail5] = it.tails;
    let [head3, head4, head5] = it.heads;
    let (tail_before, tail_after) = (tail_of(before), tail_of(after));
    let (mixed_before, mixed_after) = (mix(before.word), mix(after.word));
    let own_known = known(it);
    let mixed_known = mix(own_known);
    let mut seeds = SEEDS.get(it.script as usize).into_iter().flatten().copied();
    let mut put = |hash: u64| see(mix(hash ^ seeds.next().unwrap_or_default()));
    put(0);
    put(it.word);
    put(shape << 1 | u64::from(it.is_first));
    put(with(tail2));
    put(with(tail3));
    put(with(tail4));
    put(with(tail5));
    put(with(head3));
    put(with(head4));
    put(with(head5));
    put(before.word);
    put(after.word);
    put(before2.word);
    put(after2.word);
    put(shapes(&[before, it, after]));
    put(shapes(&[before2, before, it]));
    put(shapes(&[it, after, after2]));
    put(shapes(&[before2, before, it, after, after2]));
    put(tail_before);
    put(tail_after);
    put(tail3 ^ mix(tail_after));
    put(tail3 ^ mix(tail_before).rotate_left(7));
    put(with(before.word));
    put(with(after.word));
    put(u64::from(it.length.min(15)) << 4 | shape);
    put(it.word ^ mixed_before);
    put(it.word ^ mixed_after.rotate_left(7));
    put(with(before.word ^ mixed_after));
    put(with(before2.word ^ mixed_before));
    put(with(after.word ^ mix(after2.word)));
    put(it.stem);
    put(with(before.heads[1]));
    put(with(after.heads[1]));
    put(shape << 8 | (before.shape as u64) << 4 | u64::from(before.is_first));
    put(own_known << 1 | u64::from(it.is_first));
    put(known(before) << 16 | own_known << 8 | known(after));
    put(tail2 ^ mixed_known);
    put(own_known << 1 | u64::from(it.is_quoted));
    put(before.word ^ mixed_known);
}

/// What each kind of observation is mixed with, by script.
const SEEDS: [[u64; FEATURES]; 4] = [seeds(0), seeds(1), seeds(2), seeds(3)];

#[expect(
    clippy::indexing_slicing,
    reason = "worked out by the compiler, which would say so"
)]
const fn seeds(script: u64) -> [u64; FEATURES] {
    let mut seeds = [0; FEATURES];
    let mut kind = 0;
    while kind < FEATURES {
        seeds[kind] = mix(((kind as u64) << 2 | script) + 0x9e37_79b9);
        kind += 1;
    }
    seeds
}

/// Whether token `at` may be part of a name: it is a capital, or stands beside one. In a text without capitals the names that the
/// lexicon knows take their place.
pub fn is_candidate(tokens: &[Token], at: usize, has_capitals: bool) -> bool {
    let is_capital = |at: Option<usize>| {
        at.and_then(|it| tokens.get(it)).is_some_and(|it| {
            if has_capitals {
                it.shape.is_capital()
            } else {
                it.is_known_name()
            }
        })
    };
    is_capital(Some(at)) || is_capital(at.checked_sub(1)) || is_capital(at.checked_add(1))
}
