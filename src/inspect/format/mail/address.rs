//! Address lists (RFC 5322 §3.4): mailboxes, groups, comments. Read loosely: what is no list is handed back as text.

use std::ops::Range;

use super::encoded_word;

/// What a stretch of the field reads as.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    /// Its bytes of the field.
    pub(super) range: Range<usize>,
    /// The text, where it is not written so.
    pub(super) cooked: Option<String>,
}

/// A mailbox.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Mailbox {
    pub(super) name: Option<Piece>,
    pub(super) address: Option<Piece>,
}

/// A field of addresses.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Addresses {
    pub(super) mailboxes: Vec<Mailbox>,
    /// Comments, names of groups, and what is none of these.
    pub(super) others: Vec<Piece>,
    /// A quote, comment or bracket has no end.
    pub(super) is_malformed: bool,
}

/// The mailbox that is read.
#[derive(Default)]
struct Open {
    /// From the first to the last character of its name, or of an address without brackets.
    phrase: Option<Range<usize>>,
    address: Option<Range<usize>>,
    comments: Vec<Range<usize>>,
}

impl Addresses {
    /// Reads `text`, which has no line breaks.
    pub(super) fn parse(text: &str) -> Self {
        let mut out = Self::default();
        let mut open = Open::default();
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            let start = at;
            match byte {
                b'=' if let Some(length) = text.get(at..).and_then(encoded_word::length) => {
                    at += length;
                    open.phrase_to(start, at);
                }
                b'"' => {
                    at = out.end_of(bytes, at, b'"');
                    open.phrase_to(start, at);
                }
                b'[' => {
                    at = out.end_of(bytes, at, b']');
                    open.phrase_to(start, at);
                }
                b'(' => {
                    at = out.end_of(bytes, at, b')');
                    open.comments.push(start + 1..(at - 1).max(start + 1));
                }
                b'<' => {
                    at = out.end_of(bytes, at, b'>');
                    let inside = start + 1..(at - 1).max(start + 1);
                    if open.address.is_some() {
                        out.others.extend(piece(text, inside));
                        out.is_malformed = true;
                    } else {
                        open.address = Some(inside);
                    }
                }
                b',' | b';' => {
                    at += 1;
                    out.close(text, std::mem::take(&mut open));
                }
                b':' => {
                    at += 1;
                    let group = std::mem::take(&mut open);
                    out.others
                        .extend(group.phrase.and_then(|it| piece(text, it)));
                    out.note_comments(text, group.comments);
                }
                b' ' | b'\t' => at += 1,
                _ => {
                    at += 1;
                    open.phrase_to(start, at);
                }
            }
        }
        out.close(text, open);
        out
    }

    /// Behind the closing sign of what opens at `at`; the end where there is none.
    fn end_of(&mut self, bytes: &[u8], at: usize, close: u8) -> usize {
        let mut depth = 0_usize;
        let mut place = at + 1;
        let mut is_quoted = false;
        while let Some(byte) = bytes.get(place) {
            place += 1;
            match byte {
                b'\\' => place += 1,
                b'"' if close == b'>' => is_quoted = !is_quoted,
                b'(' if close == b')' => depth += 1,
                it if *it == close && depth == 0 && !is_quoted => return place.min(bytes.len()),
                b')' if close == b')' => depth -= 1,
                _ => {}
            }
        }
        self.is_malformed = true;
        // As if its closing sign stood behind the end.
        bytes.len() + 1
    }

    fn note_comments(&mut self, text: &str, comments: Vec<Range<usize>>) {
        let pieces = comments.into_iter().filter_map(|it| piece(text, it));
        self.others.extend(pieces);
    }

    fn close(&mut self, text: &str, open: Open) {
        let Open {
            phrase,
            address,
            mut comments,
        } = open;
        let phrase = phrase.and_then(|it| piece(text, it));
        let mut mailbox = match address {
            Some(range) => Mailbox {
                name: phrase,
                address: piece(text, range),
            },
            None => {
                let is_address = |it: &Piece| {
                    text.get(it.range.clone())
                        .is_some_and(|it| it.contains('@'))
                };
                match phrase {
                    Some(it) if is_address(&it) => Mailbox {
                        name: None,
                        address: Some(it),
                    },
                    name => Mailbox {
                        name,
                        address: None,
                    },
                }
            }
        };
        if mailbox.name.is_none() && comments.len() == 1 {
            mailbox.name = comments.pop().and_then(|it| piece(text, it));
        }
        self.note_comments(text, comments);
        if mailbox != Mailbox::default() {
            self.mailboxes.push(mailbox);
        }
    }
}

impl Open {
    /// Takes what stands between for a part of the name. What follows an address in brackets is read as a name too.
    fn phrase_to(&mut self, start: usize, end: usize) {
        let from = self.phrase.as_ref().map_or(start, |it| it.start);
        self.phrase = Some(from..end);
    }
}

/// The text of `range`, without quotes, their escapes and encoded words.
fn piece(text: &str, range: Range<usize>) -> Option<Piece> {
    let end = range.end.min(text.len());
    let raw = text.get(range.start..end)?;
    let lead = raw.len() - raw.trim_start().len();
    let range = range.start + lead..range.start + lead + raw.trim().len();
    let raw = raw.trim();
    if raw.is_empty() {
        return None;
    }
    let quoted = raw.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    let (raw, range) = match quoted.filter(|it| !it.contains(['"', '\\'])) {
        Some(inside) => (inside, range.start + 1..range.end - 1),
        None => (raw, range),
    };
    let bare = raw.contains(['"', '\\']).then(|| {
        let mut chars = raw.chars();
        let mut out = String::with_capacity(raw.len());
        while let Some(ch) = chars.next() {
            match ch {
                '"' => {}
                '\\' => out.extend(chars.next()),
                other => out.push(other),
            }
        }
        out
    });
    let decoded = encoded_word::decode(bare.as_deref().unwrap_or(raw));
    Some(Piece {
        range,
        cooked: decoded.map(|it| it.text).or(bare),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str, piece: Option<&Piece>) -> String {
        piece.map_or_else(String::new, |it| {
            let raw = text.get(it.range.clone()).unwrap();
            it.cooked.clone().unwrap_or_else(|| raw.to_owned())
        })
    }

    #[test]
    fn mailboxes_have_names_and_addresses() {
        let list = |text: &str| -> Vec<(String, String)> {
            let it = Addresses::parse(text);
            assert!(!it.is_malformed, "{text}");
            let boxes = it.mailboxes.iter();
            boxes
                .map(|it| {
                    (
                        show(text, it.name.as_ref()),
                        show(text, it.address.as_ref()),
                    )
                })
                .collect()
        };
        for (text, expected) in [
            ("a@example.com", vec![("", "a@example.com")]),
            ("<a@example.com>", vec![("", "a@example.com")]),
            ("Ab Cd <a@example.com>", vec![("Ab Cd", "a@example.com")]),
            (
                "\"Cd, Ab\" <a@example.com>,b@example.com",
                vec![("Cd, Ab", "a@example.com"), ("", "b@example.com")],
            ),
            (
                "\"A \\\"B\\\" C\" <a@example.com>",
                vec![("A \"B\" C", "a@example.com")],
            ),
            ("a@example.com (Ab Cd)", vec![("Ab Cd", "a@example.com")]),
            (
                "=?utf-8?Q?Cd,_Ab?= <a@example.com>",
                vec![("Cd, Ab", "a@example.com")],
            ),
            (
                "=?utf-8?B?0JDQuQ==?= =?utf-8?B?0JDQuQ==?= <a@example.com>",
                vec![("АйАй", "a@example.com")],
            ),
            (
                "\"=?utf-8?B?0JDQuQ==?=\" <a@example.com>",
                vec![("Ай", "a@example.com")],
            ),
            (
                "Friends: a@example.com, B <b@example.com>;",
                vec![("", "a@example.com"), ("B", "b@example.com")],
            ),
            ("undisclosed-recipients:;", vec![]),
            ("<>", vec![]),
            ("\"a b\"@example.com", vec![("", "a b@example.com")]),
            ("a@[10.0.0.1]", vec![("", "a@[10.0.0.1]")]),
            ("Ab", vec![("Ab", "")]),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|it| (it.0.to_owned(), it.1.to_owned()))
                .collect();
            assert_eq!(list(text), expected, "{text}");
        }
    }

    #[test]
    fn nothing_of_a_field_is_lost() {
        for (text, is_malformed) in [
            ("Friends (old) : a@example.com (one) (two);", false),
            ("\"Ab <a@example.com>", true),
            ("Ab <a@example.com", true),
            ("a@example.com (Ab", true),
            ("<a@example.com> <b@example.com> Ab", true),
            ("Ab \\", false),
        ] {
            let it = Addresses::parse(text);
            assert_eq!(it.is_malformed, is_malformed, "{text}");
            let boxes = it.mailboxes.iter().flat_map(|it| [&it.name, &it.address]);
            let pieces = boxes.flatten().chain(&it.others);
            let mut seen: Vec<bool> = text.chars().map(|it| !it.is_alphanumeric()).collect();
            for it in pieces {
                for place in it.range.clone() {
                    seen[place] = true;
                }
            }
            assert!(seen.iter().all(|it| *it), "{text}: {it:?}");
        }
    }
}
