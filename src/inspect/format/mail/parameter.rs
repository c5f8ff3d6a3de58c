//! Values with parameters, as of `Content-Type` and `Content-Disposition` (RFC 2045 §5.1): quoted strings, comments, the pieces and
//! charsets of RFC 2231, and the encoded words that many writers put where they do not belong.

use std::borrow::Cow;

use super::{super::super::charset, encoded_word};
use crate::model::finding::GapKind;

/// Most parameters of one value.
const PARAMETERS_MAX: usize = 256;

/// A parameter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Parameter {
    /// In lower case, without what RFC 2231 appends.
    pub(super) name: String,
    pub(super) value: String,
    /// It was written in pieces or with a charset: not every reader puts it together.
    pub(super) is_extended: bool,
}

/// A value with its parameters.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Parameterised {
    /// In lower case.
    pub(super) kind: String,
    pub(super) parameters: Vec<Parameter>,
    /// Why others may read it otherwise.
    pub(super) fault: Option<GapKind>,
}

/// A parameter as it is written.
struct Piece {
    name: String,
    /// Number of the piece of a value that is written in several.
    number: Option<usize>,
    /// Percent escapes are undone in it.
    is_extended: bool,
    value: String,
}

impl Parameterised {
    /// Reads `text`, which has no line breaks.
    pub(super) fn parse(text: &str) -> Self {
        let mut it = Self::default();
        let mut rest = Cursor(text);
        let (kind, is_clear) = rest.word();
        it.kind = kind.to_ascii_lowercase();
        it.fault = (!is_clear).then_some(GapKind::Ambiguous);
        let mut pieces: Vec<Piece> = Vec::new();
        while rest.next_parameter() {
            let (name, has_value) = rest.name();
            let (value, is_clear) = if has_value {
                rest.word()
            } else {
                (String::new(), name.is_empty())
            };
            if !is_clear || pieces.len() >= PARAMETERS_MAX {
                it.fault = Some(GapKind::Ambiguous);
            }
            if pieces.len() < PARAMETERS_MAX && has_value {
                pieces.push(Piece::of(&name, value));
            }
        }
        if !rest.0.is_empty() {
            it.fault = Some(GapKind::Ambiguous);
        }
        it.put_together(pieces);
        it
    }

    fn put_together(&mut self, mut pieces: Vec<Piece>) {
        pieces.sort_by_key(|it| it.number);
        while !pieces.is_empty() {
            let first = pieces.remove(0);
            let is_same =
                |it: &Piece| first.number.is_some() && it.number.is_some() && it.name == first.name;
            let (same, other): (Vec<_>, Vec<_>) = pieces.into_iter().partition(is_same);
            pieces = other;
            let name = first.name.clone();
            let is_extended = first.is_extended || first.number.is_some();
            let (value, fault) = joined(std::iter::once(first).chain(same));
            self.fault = self.fault.or(fault);
            let known = self.parameters.iter().find(|it| it.name == name);
            if known.is_some_and(|it| it.is_extended == is_extended && it.value != value) {
                self.fault = Some(GapKind::Ambiguous);
            }
            self.parameters.push(Parameter {
                name,
                value,
                is_extended,
            });
        }
    }

    /// The parameter `name`, and whether all readers find this one.
    pub(super) fn one(&self, name: &str) -> (Option<&str>, bool) {
        let mut all = self.parameters.iter().filter(|it| it.name == name);
        let first = all.next();
        let is_clear = all.next().is_none() && first.is_none_or(|it| !it.is_extended);
        (first.map(|it| it.value.as_str()), is_clear)
    }
}

impl Piece {
    fn of(name: &str, value: String) -> Self {
        let name = name.to_ascii_lowercase();
        let (own, further) = name.split_once('*').unwrap_or((&name, ""));
        let digits = further.strip_suffix('*').unwrap_or(further);
        Self {
            number: digits.parse().ok(),
            is_extended: name.ends_with('*'),
            name: own.to_owned(),
            value,
        }
    }
}

/// The value of `pieces`, and why it may be another.
fn joined(pieces: impl Iterator<Item = Piece>) -> (String, Option<GapKind>) {
    let (mut bytes, mut label, mut written) = (Vec::new(), None, String::new());
    let mut fault = None;
    let mut is_extended = false;
    for (place, piece) in pieces.enumerate() {
        if piece.number.is_some_and(|it| it != place) {
            fault = Some(GapKind::Ambiguous);
        }
        written.push_str(&piece.value);
        let mut text = piece.value.as_str();
        if piece.is_extended && place == 0 {
            let mut parts = text.splitn(3, '\'');
            if let (Some(charset), Some(_language), Some(rest)) =
                (parts.next(), parts.next(), parts.next())
            {
                label = Some(charset.to_owned()).filter(|it| !it.is_empty());
                text = rest;
            } else {
                fault = Some(GapKind::Ambiguous);
            }
        }
        is_extended |= piece.is_extended;
        if piece.is_extended {
            bytes.extend(percent_encoding::percent_decode_str(text));
        } else {
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    let text = if is_extended {
        match charset::decode(Cow::Owned(bytes), label.as_deref()) {
            Ok(it) if !it.has_blanks => it.text.into_owned(),
            Ok(_) => {
                fault = Some(GapKind::UnsupportedCharset);
                written
            }
            Err(kind) => {
                fault = Some(kind);
                written
            }
        }
    } else {
        written
    };
    match encoded_word::decode(&text) {
        Some(it) => (it.text, fault.or(it.fault)),
        None => (text, fault),
    }
}

/// What is left of a value.
struct Cursor<'t>(&'t str);

impl Cursor<'_> {
    fn next(&mut self) -> Option<char> {
        let ch = self.0.chars().next()?;
        self.0 = self.0.get(ch.len_utf8()..).unwrap_or_default();
        Some(ch)
    }

    fn peek(&self) -> Option<char> {
        self.0.chars().next()
    }

    /// Goes behind the next semicolon; whether there is one.
    fn next_parameter(&mut self) -> bool {
        let is_there = self.peek() == Some(';');
        if is_there {
            self.next();
        }
        is_there
    }

    /// Skips blanks and comments; whether all comments have an end.
    fn skip(&mut self) -> bool {
        let mut depth = 0_usize;
        while let Some(ch) = self.peek() {
            match ch {
                '(' => depth += 1,
                ')' if depth > 0 => depth -= 1,
                '\\' if depth > 0 => {
                    self.next();
                }
                ' ' | '\t' => {}
                _ if depth > 0 => {}
                _ => return true,
            }
            self.next();
        }
        depth == 0
    }

    /// The name before a `=`, and whether there is one.
    fn name(&mut self) -> (String, bool) {
        self.skip();
        let mut out = String::new();
        while let Some(ch) = self.peek().filter(|it| *it != ';') {
            self.next();
            if ch == '=' {
                return (out.trim_end().to_owned(), true);
            }
            out.push(ch);
        }
        (out, false)
    }

    /// A token or a quoted string up to a semicolon or the end, and whether it is only that.
    fn word(&mut self) -> (String, bool) {
        let mut is_clear = self.skip();
        let mut out = String::new();
        let is_quoted = self.peek() == Some('"');
        if is_quoted {
            self.next();
            let mut is_closed = false;
            while let Some(ch) = self.next() {
                match ch {
                    '"' => {
                        is_closed = true;
                        break;
                    }
                    '\\' => out.extend(self.next()),
                    other => out.push(other),
                }
            }
            is_clear &= is_closed;
        } else {
            while let Some(ch) = self
                .peek()
                .filter(|it| !matches!(it, ';' | ' ' | '\t' | '('))
            {
                // A quote in the middle opens a string for some.
                is_clear &= ch != '"';
                out.push(ch);
                self.next();
            }
        }
        is_clear &= self.skip();
        while let Some(ch) = self.peek().filter(|it| *it != ';') {
            is_clear = false;
            out.push(ch);
            self.next();
        }
        (out, is_clear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(text: &str) -> (String, Vec<(String, String)>, Option<GapKind>) {
        let it = Parameterised::parse(text);
        let pairs = it.parameters.into_iter().map(|it| (it.name, it.value));
        (it.kind, pairs.collect(), it.fault)
    }

    #[test]
    fn parameters_are_read_as_mail_writes_them() {
        for (text, name, expected) in [
            ("text/plain; Charset=utf-8", "charset", "utf-8"),
            ("text/plain;charset=\"a;b\"", "charset", "a;b"),
            (
                "text/plain (it is) ; charset = us-ascii (plain)",
                "charset",
                "us-ascii",
            ),
            ("a/b; x=\"c\\\"d\"; y=z", "y", "z"),
            (
                "attachment; filename*=utf-8''%d0%90%D0%B9",
                "filename",
                "Ай",
            ),
            ("attachment; filename*=koi8-r'ru'%E1", "filename", "А"),
            (
                "attachment; filename*1=\"b.pdf\"; filename*0=\"a\"",
                "filename",
                "ab.pdf",
            ),
            (
                "a; filename*0*=utf-8''%d0; filename*1*=%90; filename*2=c",
                "filename",
                "Аc",
            ),
            ("a; filename=\"=?utf-8?B?0JDQuQ==?=\"", "filename", "Ай"),
            ("a; b=c;", "b", "c"),
        ] {
            let (_, pairs, fault) = parameters(text);
            assert!(
                pairs.contains(&(name.to_owned(), expected.to_owned())),
                "{text}: {pairs:?}"
            );
            assert_eq!(fault, None, "{text}");
        }
        assert_eq!(parameters("Text/HTML").0, "text/html");
        assert_eq!(parameters("").0, "");
    }

    #[test]
    fn doubtful_parameters_are_told() {
        for (text, fault) in [
            ("a/b; x=\"c", GapKind::Ambiguous),
            ("a/b; x=\"c\" d", GapKind::Ambiguous),
            ("a/b; x=c\"d\"", GapKind::Ambiguous),
            ("a/b; x", GapKind::Ambiguous),
            ("a/b; x=c d", GapKind::Ambiguous),
            ("a/b (; x=c", GapKind::Ambiguous),
            ("a/b c; x=d", GapKind::Ambiguous),
            ("a/b; x=c; x=d", GapKind::Ambiguous),
            ("a/b; x*0=c; x*2=d", GapKind::Ambiguous),
            ("a/b; x*=c", GapKind::Ambiguous),
            ("a/b; x*=none''c", GapKind::UnsupportedCharset),
            ("a/b; x*=utf-8''%ff", GapKind::UnsupportedCharset),
        ] {
            assert_eq!(parameters(text).2, Some(fault), "{text}");
        }
        let it = Parameterised::parse("a/b; boundary*0=c; boundary*1=d");
        assert_eq!(it.one("boundary"), (Some("cd"), false));
        let it = Parameterised::parse("a/b; boundary=c");
        assert_eq!(it.one("boundary"), (Some("c"), true));
        assert_eq!(it.one("charset"), (None, true));
    }
}
