//! GraphQL documents (spec of October 2021, §2): what stands in an operation itself, and not in its variables.
//!
//! To selectors and in locations a document is an object of its operations, each by its name or else by its kind (`query`). A field, argument, input field or variable is a member by its name, and its
//! arguments and selections are its members; a name that stands several times has one place. Names and comments are read too.

use std::ops::Range;

use super::{
    super::detect::ValueKind,
    json::Document,
    layer::Escape,
    reading::{Reading, Scan},
    walk::{Key, Walk, walk},
};
use crate::model::finding::GapKind;

/// How an operation or fragment begins, when it is not the bare selection.
const BEGINNINGS: [&str; 4] = ["query", "mutation", "subscription", "fragment"];

/// A token; ranges are without quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Block(Range<usize>),
    Comment(Range<usize>),
    Name(Range<usize>),
    Number(Range<usize>),
    Punctuator(u8),
    String(Range<usize>),
}

/// Whether `text` may be a document with values in it: cheap, and wrong at times.
pub(crate) fn begins(text: &str) -> bool {
    let text = text.trim_start();
    let is_named = || {
        BEGINNINGS.iter().any(|it| {
            let rest = text.strip_prefix(it);
            rest.is_some_and(|rest| rest.starts_with([' ', '{', '(', '\n', '\r', '\t']))
        })
    };
    (text.starts_with('{') || is_named()) && text.contains('{') && text.contains(['(', '#'])
}

/// Whether all of `text` is a document.
pub(crate) fn is_document(text: &str) -> bool {
    tokens(text, 0).is_some_and(|it| is_balanced(&it))
}

/// What of `text` can be written over so that it stays a document: strings, comments and numbers, in order, each with whether it is a
/// number, which only another value can replace.
pub(crate) fn units(text: &str, from: usize) -> Vec<(Range<usize>, bool)> {
    let tokens = tokens(text, from).unwrap_or_default().into_iter();
    tokens
        .filter_map(|it| match it {
            Token::Block(range) | Token::Comment(range) | Token::String(range) => {
                Some((range, false))
            }
            Token::Number(range) => Some((range, true)),
            Token::Name(_) | Token::Punctuator(_) => None,
        })
        .collect()
}

/// Reads a document.
pub(crate) fn read<S: Scan>(reading: &mut Reading<'_, S>, document: &Document<'_>) {
    if !reading.spend(document.text.len() as u64, document.root) {
        return;
    }
    let tokens = tokens(document.text, document.from).filter(|it| is_balanced(it));
    let Some(tokens) = tokens else {
        reading.gap(GapKind::Malformed, document.root, None);
        return super::body::read_plain(reading, document);
    };
    let is_deep = std::cell::Cell::new(false);
    walk(reading, document, |walk| {
        walk.open(true, document.from);
        is_deep.set(!feed(walk, document, &tokens));
        walk.close(document.text.len());
    });
    if is_deep.get() {
        reading.gap(GapKind::DepthExceeded, document.root, None);
    }
}

/// Feeds the tokens; `false` where they nest too deep.
fn feed<S: Scan>(walk: &mut Walk<'_, '_, S>, document: &Document<'_>, tokens: &[Token]) -> bool {
    let mut open = 0_usize;
    let levels = walk.depth_left();
    // A bare selection is a query.
    let scan = walk.reading.scan;
    let id = walk.reading.keys.intern("query", |it| scan.lookup(it));
    let mut key = Key::plain(&walk.reading.keys, id);
    for (at, token) in tokens.iter().enumerate() {
        if walk.is_halted() {
            return true;
        }
        let text = |range: &Range<usize>| document.text.get(range.clone()).unwrap_or_default();
        match token {
            Token::Name(range) => {
                let is_value = at.checked_sub(1).and_then(|it| tokens.get(it));
                // What follows a colon or an equals sign is a type, an enum value or the field behind an alias.
                let is_named = matches!(is_value, Some(Token::Punctuator(b':' | b'=')))
                    && !matches!(
                        tokens.get(at + 1),
                        Some(Token::Punctuator(b'(' | b'{' | b':'))
                    );
                let own = name(walk, document, range);
                if !is_named {
                    key = own;
                }
            }
            Token::Comment(range) => {
                let layer = document.layer.written(text(range), range.start);
                walk.aside("comment", text(range), &layer, 0);
            }
            Token::Number(range) => {
                walk.shared_name(key);
                let raw = text(range);
                walk.scalar(
                    raw,
                    ValueKind::Number,
                    document.layer,
                    range.start,
                    range.clone(),
                );
            }
            Token::Block(range) => {
                walk.shared_name(key);
                walk.text(text(range), document.layer, range.start, range.clone());
            }
            Token::String(range) => {
                walk.shared_name(key);
                string(walk, document, range);
            }
            Token::Punctuator(it @ (b'{' | b'(' | b'[')) => {
                open += 1;
                if open >= levels {
                    return false;
                }
                walk.shared_name(key);
                walk.open(*it != b'[', document.from);
            }
            Token::Punctuator(b'}' | b')' | b']') => {
                open = open.saturating_sub(1);
                walk.close(document.text.len());
            }
            Token::Punctuator(_) => {}
        }
    }
    true
}

fn name<S: Scan>(walk: &mut Walk<'_, '_, S>, document: &Document<'_>, range: &Range<usize>) -> Key {
    let text = document.text.get(range.clone()).unwrap_or_default();
    let scan = walk.reading.scan;
    let id = walk.reading.keys.intern(text, |it| scan.lookup(it));
    let key = Key::plain(&walk.reading.keys, id);
    walk.shared_name(key);
    let layer = document.layer.written(text, range.start);
    walk.read_name(id, &layer);
    key
}

fn string<S: Scan>(walk: &mut Walk<'_, '_, S>, document: &Document<'_>, range: &Range<usize>) {
    let raw = document.text.get(range.clone()).unwrap_or_default();
    if !raw.contains('\\') {
        return walk.text(raw, document.layer, range.start, range.clone());
    }
    match serde_json::from_str::<String>(&format!("\"{raw}\"")) {
        Ok(text) => {
            let layer = document.layer.inside(raw, range.start, Escape::Json);
            walk.text(&text, &layer, 0, range.clone());
        }
        // An escape of another kind, `\u{39}`: the veils of a text are lifted where it is read.
        Err(_) => walk.text(raw, document.layer, range.start, range.clone()),
    }
}

fn is_balanced(tokens: &[Token]) -> bool {
    let mut open = Vec::new();
    for token in tokens {
        let Token::Punctuator(it) = token else {
            continue;
        };
        match it {
            b'{' => open.push(b'}'),
            b'(' => open.push(b')'),
            b'[' => open.push(b']'),
            b'}' | b')' | b']' if open.pop() != Some(*it) => return false,
            _ => {}
        }
    }
    open.is_empty() && tokens.contains(&Token::Punctuator(b'{'))
}

/// The tokens of `text` from byte `from` on; `None` when it is no document.
fn tokens(text: &str, from: usize) -> Option<Vec<Token>> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..)?;
        let run = |is: fn(&u8) -> bool| rest.iter().take_while(|it| is(it)).count();
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => at += 1,
            b'#' => {
                let length = run(|it| !matches!(it, b'\r' | b'\n'));
                out.push(Token::Comment(at + 1..at + length));
                at += length;
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => {
                let length = run(|it| it.is_ascii_alphanumeric() || *it == b'_');
                out.push(Token::Name(at..at + length));
                at += length;
            }
            b'0'..=b'9' | b'-' => {
                let length = run(|it| it.is_ascii_alphanumeric() || b"+-.".contains(it));
                out.push(Token::Number(at..at + length));
                at += length;
            }
            b'"' if rest.starts_with(b"\"\"\"") => {
                let end = block_end(bytes, at + 3)?;
                out.push(Token::Block(at + 3..end));
                at = end + 3;
            }
            b'"' => {
                let end = string_end(bytes, at + 1)?;
                out.push(Token::String(at + 1..end));
                at = end + 1;
            }
            b'.' if rest.starts_with(b"...") => at += 3,
            b'{' | b'}' | b'(' | b')' | b'[' | b']' | b':' | b'=' | b'$' | b'!' | b'@' | b'&'
            | b'|' => {
                out.push(Token::Punctuator(*byte));
                at += 1;
            }
            _ => return None,
        }
    }
    Some(out)
}

fn string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            b'\n' | b'\r' => return None,
            _ => at += 1,
        }
    }
}

fn block_end(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let mut ends = memchr::memmem::find_iter(rest, b"\"\"\"");
    let end = ends.find(|it| it.checked_sub(1).and_then(|it| rest.get(it)) != Some(&b'\\'))?;
    Some(from + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_told_from_other_texts() {
        for text in [
            "{c(iin:\"991231100010\"){id}}",
            "mutation { a(b: 1) { c } } # d",
            "query A($b: C = {d: [1, 2]}) { e(f: \"\"\"g\"\"\") { ... on H { i } } }",
        ] {
            assert!(begins(text) && is_document(text), "{text}");
        }
        for text in [
            "query about (your) order",
            "{\"a\":1}",
            "{Айгерим (mother)}",
            "mutation { a(b: \"c) }",
            "{ a ( } )",
        ] {
            assert!(!(begins(text) && is_document(text)), "{text}");
        }
    }
}
