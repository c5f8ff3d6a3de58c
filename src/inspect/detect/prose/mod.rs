//! Names of persons in running text, in Russian, Kazakh and English: a linear model over words, their shapes, heads and endings, and
//! those of their neighbours, decoded as a sequence (a structured perceptron: Collins 2002, doi:10.3115/1118693.1118694).
//!
//! A name that was found once in a text is looked for in the rest of it by its stem, since later mentions stand with less around them.
//! Everything is counted, nothing is looked up in a list of names. Cost: one pass over the words; weights are read only at capitals and
//! beside them.

pub mod feature;
pub mod hash;
pub mod model;
mod outline;
pub mod token;

use std::{collections::BTreeSet, ops::Range, sync::LazyLock};

use self::{
    feature::around,
    hash::WordHasher,
    model::{Model, NO_NAME, Scores},
    outline::{Outline, Outliner},
    token::Token,
};

static SHIPPED: LazyLock<Option<Model<'static>>> =
    LazyLock::new(|| Model::read(include_bytes!("../../../../config/models/names.bin")));

/// Shortest word that is looked for again by its stem.
const AGAIN_LETTERS_MIN: u8 = 3;

/// Tokens that are looked at together, to the end of a sentence: a text may be nothing but tokens.
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
    let mut hasher = WordHasher::new(text);
    // Words of running text are longer than this in most languages that it is read in.
    let mut outlines = Vec::with_capacity((text.len() / 8 + 1).min(TOKENS));
    loop {
        outliner.read(&mut outlines, TOKENS);
        if outlines.is_empty() {
            return out;
        }
        names_of(model, &outlines, &mut hasher, &mut out);
        outlines.clear();
    }
}

/// Appends the names among the tokens of `outlines`.
fn names_of(
    model: &Model<'_>,
    outlines: &[Outline],
    hasher: &mut WordHasher<'_>,
    out: &mut Vec<Name>,
) {
    let capitals = || outlines.iter().map(|it| it.shape.is_capital());
    let near = if capitals().any(|it| it) {
        near(model, outlines, capitals(), hasher)
    } else {
        let known: Vec<bool> = outlines
            .iter()
            .map(|it| {
                let mut token = Token::from(it);
                hasher.fill(&mut token);
                model.look_up(&mut token);
                token.is_known_name()
            })
            .collect();
        near(model, outlines, known.into_iter(), hasher)
    };
    let tokens = near.tokens.as_slice();
    let scores: Vec<Scores> = near
        .are_candidates
        .iter()
        .enumerate()
        .map(|(at, is_candidate)| {
            if *is_candidate {
                model.scores(around(tokens, at))
            } else {
                NO_NAME
            }
        })
        .collect();
    let mut tags = model.decode(&scores);
    find_again(model, tokens, &scores, &mut tags);
    runs(tokens, &scores, &tags, out);
}

/// Tokens that stand near where a name may begin. Those between stretches of them are left out: a stretch begins and ends with tokens
/// that no name can hold, so that nothing is told of one by another.
struct Near {
    tokens: Vec<Token>,
    /// Which may be part of a name, as [`feature::is_candidate`] says.
    are_candidates: Vec<bool>,
}

/// The tokens near those that `leads` marks: those beside them may be of a name too, and are seen with two on either side.
fn near(
    model: &Model<'_>,
    outlines: &[Outline],
    leads: impl Iterator<Item = bool> + Clone,
    hasher: &mut WordHasher<'_>,
) -> Near {
    const BESIDE: u8 = 0b001_1100;
    const SEEN: u8 = 0b011_1110;
    const AROUND: u8 = 0b111_1111;
    let mut out = Near {
        tokens: Vec::with_capacity(outlines.len()),
        are_candidates: Vec::with_capacity(outlines.len()),
    };
    // Bits of the leads from three before a token to three behind it.
    let mut window = 0_u8;
    let mut ahead = leads.fuse();
    let mut shift = |window: u8| (window << 1 | u8::from(ahead.next() == Some(true))) & AROUND;
    for _ in 0..3 {
        window = shift(window);
    }
    for it in outlines {
        window = shift(window);
        if window == 0 {
            continue;
        }
        out.tokens.push(Token::from(it));
        if let Some(token) = out.tokens.last_mut() {
            if window & SEEN != 0 {
                hasher.fill(token);
                model.look_up(token);
            } else {
                hasher.fill_word(token);
            }
        }
        out.are_candidates.push(window & BESIDE != 0);
    }
    out
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

#[cfg(test)]
mod tests {
    use super::{feature::is_candidate, token::tokens, *};

    /// The names by all tokens of a text, near a capital or not.
    fn names_by_all(model: &Model<'_>, text: &str) -> Vec<Name> {
        let mut tokens = tokens(text);
        for it in &mut tokens {
            model.look_up(it);
        }
        let has_capitals = tokens.iter().any(Token::has_capital);
        let scores: Vec<Scores> = (0..tokens.len())
            .map(|at| {
                if is_candidate(&tokens, at, has_capitals) {
                    model.scores(around(&tokens, at))
                } else {
                    NO_NAME
                }
            })
            .collect();
        let mut tags = model.decode(&scores);
        find_again(model, &tokens, &scores, &mut tags);
        let mut out = Vec::new();
        runs(&tokens, &scores, &tags, &mut out);
        out
    }

    #[test]
    fn what_stands_far_from_capitals_says_nothing() {
        let model = SHIPPED.as_ref().unwrap();
        let parts = [
            "Уважаемая Смирнова Ольга Петровна, ваш заказ",
            "мы писали, что",
            "готов",
            "Ивановой",
            "и тогда же в городе",
            "Құрметті Нұрлан Оспанов, өтінішіңіз",
            "« Томирис » картиналары бар .",
            "Please call J. R. van der Berg's office.",
            "ждут",
        ];
        let mut found = 0;
        for at in 0..parts.len().pow(3) {
            let text: Vec<&str> = (0..3)
                .filter_map(|it| parts.get(at / parts.len().pow(it) % parts.len()).copied())
                .collect();
            let text = text.join(" ");
            for text in [text.to_lowercase(), text] {
                let names = names_by(model, &text);
                assert_eq!(names, names_by_all(model, &text), "{text}");
                found += names.len();
            }
        }
        assert!(found > 1_000, "{found}");
    }
}
