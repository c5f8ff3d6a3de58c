//! Names of persons in running text, in Russian, Kazakh and English: a linear model over words, their shapes, heads and endings, and
//! those of their neighbours, decoded as a sequence (a structured perceptron: Collins 2002, doi:10.3115/1118693.1118694).
//!
//! A name that was found once in a text is looked for in the rest of it by its stem, since later mentions stand with less around them.
//! Everything is counted, nothing is looked up in a list of names. Cost: one pass over the words; weights are read only at capitals and
//! beside them.

pub mod feature;
pub mod model;
pub mod token;

use std::{collections::BTreeSet, ops::Range, sync::LazyLock};

use self::{
    feature::{features, is_candidate},
    model::{Model, NO_NAME, Scores},
    token::{Outliner, Token, WordHasher},
};
static SHIPPED: LazyLock<Option<Model<'static>>> =
    LazyLock::new(|| Model::read(include_bytes!("../../../../config/models/names.bin")));

/// Shortest word that is looked for again by its stem.
const AGAIN_LETTERS_MIN: u8 = 3;

/// Tokens on either side of a capital that are looked at: those beside it may be of a name, and are seen with two on either side.
const REACH: usize = 3;

/// Tokens that are looked at together, to the end of a sentence: a token takes a hundred bytes, and a text may be nothing but tokens.
const TOKENS: usize = 4096;

/// A name in a text.
#[derive(Clone, PartialEq, Debug)]
pub struct Name {
    /// Bytes of the text.
    pub range: Range<usize>,
    /// How much its surest word speaks for a name rather than for none.
    pub margin: f32,
    /// One of its words is a given name that the lexicon knows.
    pub has_given: bool,
    /// One of its words is known as a word that is written small, and as nothing else.
    pub has_common: bool,
}

/// The names in `text`, in order, as the shipped model finds them.
pub fn names(text: &str) -> Vec<Name> {
    SHIPPED
        .as_ref()
        .map_or_else(Vec::new, |it| names_by(it, text))
}

/// The names in `text`, as `model` finds them.
pub fn names_by(model: &Model<'_>, text: &str) -> Vec<Name> {
    let mut out = Vec::new();
    let mut outliner = Outliner::new(text);
    let mut hasher = WordHasher::default();
    // Words of running text are longer than this in most languages that it is read in.
    let mut tokens = Vec::with_capacity((text.len() / 8 + 1).min(TOKENS));
    loop {
        outliner.read(&mut tokens, TOKENS);
        if tokens.is_empty() {
            return out;
        }
        names_of(model, text, &mut tokens, &mut hasher, &mut out);
        tokens.clear();
    }
}

/// Appends the names among `tokens`, which are outlines.
fn names_of(
    model: &Model<'_>,
    text: &str,
    tokens: &mut [Token],
    hasher: &mut WordHasher,
    out: &mut Vec<Name>,
) {
    let has_capitals = tokens.iter().any(Token::has_capital);
    if has_capitals {
        // Only what stands near a capital is asked for.
        let mut filled = 0;
        for at in 0..tokens.len() {
            if !tokens.get(at).is_some_and(Token::has_capital) {
                continue;
            }
            let near = at.saturating_sub(REACH).max(filled)..(at + REACH + 1).min(tokens.len());
            filled = near.end;
            for it in tokens.get_mut(near).unwrap_or_default() {
                hasher.fill(text, it);
                model.look_up(it);
            }
        }
    } else {
        for it in tokens.iter_mut() {
            hasher.fill(text, it);
            model.look_up(it);
        }
    }
    let scores: Vec<Scores> = (0..tokens.len())
        .map(|at| {
            if is_candidate(tokens, at, has_capitals) {
                model.scores(&features(tokens, at))
            } else {
                NO_NAME
            }
        })
        .collect();
    let mut tags = model.decode(&scores);
    find_again(model, tokens, &scores, &mut tags);
    runs(tokens, &scores, &tags, out);
}

/// Tags words whose stem is one of a name found elsewhere in the text.
fn find_again(model: &Model<'_>, tokens: &[Token], scores: &[Scores], tags: &mut [u8]) {
    let is_word =
        |it: &Token| it.shape == token::Shape::Capitalised && it.length >= AGAIN_LETTERS_MIN;
    let mut found: BTreeSet<u64> = BTreeSet::new();
    for (it, tag) in tokens.iter().zip(tags.iter()) {
        if *tag > 0 && is_word(it) {
            found.insert(it.stem);
        }
    }
    if found.is_empty() {
        return;
    }
    let mut before = 0;
    for ((it, tag), score) in tokens.iter().zip(tags.iter_mut()).zip(scores) {
        let [none, begins, _] = *score;
        if *tag == 0 && is_word(it) && found.contains(&it.stem) && begins - none > model.spread {
            *tag = if before > 0 { 2 } else { 1 };
        }
        before = *tag;
    }
}

/// Appends runs of tags as names.
fn runs(tokens: &[Token], scores: &[Scores], tags: &[u8], out: &mut Vec<Name>) {
    let mut is_open = false;
    for ((it, score), tag) in tokens.iter().zip(scores).zip(tags) {
        let [none, begins, goes_on] = *score;
        let margin = begins.max(goes_on) - none;
        let has_given = it.known & model::GIVEN != 0;
        let has_common = it.known == model::COMMON;
        match (tag, out.last_mut()) {
            (2, Some(last)) if is_open => {
                last.range.end = it.range.end;
                last.margin = last.margin.max(margin);
                last.has_given |= has_given;
                last.has_common |= has_common;
            }
            (1 | 2, _) => out.push(Name {
                range: it.range.clone(),
                margin,
                has_given,
                has_common,
            }),
            _ => {}
        }
        is_open = *tag > 0;
    }
}
