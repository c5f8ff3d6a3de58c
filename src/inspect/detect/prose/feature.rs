//! What the tagger looks at around a token. Training and inference share this file, so they cannot drift apart.

use super::{
    model::{GIVEN, SURNAME},
    token::{Shape, Token, mix},
};

/// Features of one token.
pub const FEATURES: usize = 39;

/// The hashes of the features of token `at`. Each is a kind of observation (its position here) mixed with what was observed.
pub fn features(tokens: &[Token], at: usize) -> [u64; FEATURES] {
    let nothing = Token::default();
    let around = |offset: isize| {
        at.checked_add_signed(offset)
            .and_then(|it| tokens.get(it))
            .unwrap_or(&nothing)
    };
    let (before2, before, it, after, after2) =
        (around(-2), around(-1), around(0), around(1), around(2));
    let shape = it.shape as u64;
    let shapes = |tokens: &[&Token]| tokens.iter().fold(0, |sum, it| sum << 4 | it.shape as u64);
    let [tail2, tail3, tail4, tail5] = it.tails;
    let [head3, head4, head5] = it.heads;
    let with = |hash: u64, shape: Shape| hash ^ mix(shape as u64 + 1);
    let known = |it: &Token| u64::from(it.known) << 4 | it.shape as u64;
    let tail_of = |it: &Token| with(it.tails[1], it.shape);
    let observed = [
        0,
        it.word,
        shape << 1 | u64::from(it.is_first),
        with(tail2, it.shape),
        with(tail3, it.shape),
        with(tail4, it.shape),
        with(tail5, it.shape),
        with(head3, it.shape),
        with(head4, it.shape),
        with(head5, it.shape),
        before.word,
        after.word,
        before2.word,
        after2.word,
        shapes(&[before, it, after]),
        shapes(&[before2, before, it]),
        shapes(&[it, after, after2]),
        shapes(&[before2, before, it, after, after2]),
        tail_of(before),
        tail_of(after),
        tail3 ^ mix(tail_of(after)),
        tail3 ^ mix(tail_of(before)).rotate_left(7),
        with(before.word, it.shape),
        with(after.word, it.shape),
        u64::from(it.length.min(15)) << 4 | shape,
        it.word ^ mix(before.word),
        it.word ^ mix(after.word).rotate_left(7),
        before.word ^ mix(after.word) ^ mix(shape + 1),
        before2.word ^ mix(before.word) ^ mix(shape + 1),
        after.word ^ mix(after2.word) ^ mix(shape + 1),
        it.stem,
        with(before.heads[1], it.shape),
        with(after.heads[1], it.shape),
        shape << 8 | (before.shape as u64) << 4 | u64::from(before.is_first),
        known(it) << 1 | u64::from(it.is_first),
        known(before) << 16 | known(it) << 8 | known(after),
        tail2 ^ mix(known(it)),
        known(it) << 1 | u64::from(it.is_quoted),
        before.word ^ mix(known(it)),
    ];
    let mut out = [0; FEATURES];
    let seeds = SEEDS.get(it.script as usize).unwrap_or(&[0; FEATURES]);
    for (slot, (hash, seed)) in out.iter_mut().zip(observed.iter().zip(seeds)) {
        *slot = mix(hash ^ seed);
    }
    out
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
                it.known & (GIVEN | SURNAME) != 0
            }
        })
    };
    is_capital(Some(at)) || is_capital(at.checked_sub(1)) || is_capital(at.checked_add(1))
}
