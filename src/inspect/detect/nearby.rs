//! Words that stand near a value and say what it is. Looked for only where a value of a telling shape was found.

use super::Context;
use crate::model::Category;

/// Bytes looked at before a value, and after it.
const BEFORE: usize = 64;
const AFTER: usize = 32;

/// Whether no key speaks for the value, so that the words around it may.
pub(super) fn is_free(context: &Context) -> bool {
    !context.is_order_like
        && context.inherited.is_none()
        && matches!(context.own, None | Some(Category::FreeText))
}

/// Whether one of `words` (in small letters, with a letter first) stands near the bytes from `start` to `end`.
pub(super) fn has_word(text: &str, start: usize, end: usize, words: &[&str]) -> bool {
    let mut from = start.saturating_sub(BEFORE);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let mut to = (end + AFTER).min(text.len());
    while !text.is_char_boundary(to) {
        to -= 1;
    }
    let holds = |part: Option<&str>| {
        part.is_some_and(|part| {
            let lower = part.to_lowercase();
            word_starts(&lower).any(|at| {
                let rest = lower.as_bytes().get(at..).unwrap_or_default();
                words.iter().any(|it| begins(rest, it.as_bytes()))
            })
        })
    };
    holds(text.get(from..start)) || holds(text.get(end..to))
}

/// The bytes of `text` at which a word begins: a letter, before which none stands.
fn word_starts(text: &str) -> impl Iterator<Item = usize> {
    let mut is_inside = false;
    text.char_indices().filter_map(move |(at, ch)| {
        let is_letter = match ch {
            '\0'..='\x7f' => ch.is_ascii_alphabetic(),
            _ => ch.is_alphabetic(),
        };
        let is_start = is_letter && !is_inside;
        is_inside = is_letter;
        is_start.then_some(at)
    })
}

/// Whether `text` begins with `word`: told by the first byte, mostly.
fn begins(text: &[u8], word: &[u8]) -> bool {
    text.first() == word.first() && text.starts_with(word)
}

/// Whether a word of `lower` begins with `word`.
pub(super) fn starts_word(lower: &str, word: &str) -> bool {
    word_at(lower, word).is_some()
}

/// The byte of `lower` at which a word begins with `word`.
pub(super) fn word_at(lower: &str, word: &str) -> Option<usize> {
    lower
        .match_indices(word)
        .map(|(at, _)| at)
        .find(|at| !ends_with_letter(lower.get(..*at).unwrap_or_default()))
}

/// Whether the last character is a letter.
pub(super) fn ends_with_letter(text: &str) -> bool {
    text.chars().next_back().is_some_and(char::is_alphabetic)
}

/// Whether a letter or digit stands at `at`.
pub(super) fn goes_on(text: &str, at: usize) -> bool {
    text.get(at..)
        .and_then(|rest| rest.chars().next())
        .is_some_and(|it| it.is_alphanumeric() || it == '_')
}

/// Whether a letter or digit stands before `at`.
pub(super) fn comes_from(text: &str, at: usize) -> bool {
    text.get(..at)
        .and_then(|head| head.chars().next_back())
        .is_some_and(|it| it.is_alphanumeric() || it == '_')
}
