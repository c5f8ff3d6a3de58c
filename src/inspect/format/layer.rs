//! Layers of escapes between the bytes of a part and the text that is scanned, and the way back from text to bytes.

use std::{cell::Cell, ops::Range};

use super::json::token::hex4;
use crate::model::finding::GapKind;

/// A stretch of a text that is put together from several of its parent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stretch {
    /// Where it starts in the text.
    pub(crate) at: usize,
    /// Its bytes in the parent's text.
    pub(crate) raw: Range<usize>,
    /// What belongs to it when something reaches beyond it: with its marks.
    pub(crate) whole: Range<usize>,
    /// Its bytes are those of the text, one for one; otherwise it stands for them as a whole.
    pub(crate) is_exact: bool,
}

/// How a text is escaped in its parent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Escape {
    /// Put together from stretches.
    Joined,
    /// JSON string escapes, already found valid.
    Json,
    /// Written as it is.
    None,
    /// `%41`.
    Percent,
    /// `%41`, and `+` for a space.
    PercentPlus,
    /// `""` for a quote.
    Quotes,
    /// Of a kind that has no way back byte for byte, such as base64: whatever is found covers all of it.
    Whole,
}

/// A text and where its escaped form stands in the text around it.
#[derive(Debug)]
pub(crate) struct Layer<'a> {
    parent: Option<&'a Self>,
    /// The escaped form, a slice of the parent's text.
    raw: &'a str,
    /// Where `raw` starts in the parent's text.
    base: usize,
    /// Bytes of `raw`, or of what it stands for where that is no text.
    length: usize,
    escape: Escape,
    /// It is an encoding that its sender chose, and not one of the format around it.
    is_veil: bool,
    /// It is a content of its own: veils around it do not count inside.
    is_content: bool,
    /// What a joined text is put together from, in order.
    stretches: &'a [Stretch],
    /// Last positions `(in raw, in text)` of a start and of an end: hits come in order, so each is looked for from the last.
    start: Cell<(usize, usize)>,
    end: Cell<(usize, usize)>,
    /// The same on the way inward.
    start_inward: Cell<(usize, usize)>,
    end_inward: Cell<(usize, usize)>,
}

impl<'a> Layer<'a> {
    /// The text of a part itself.
    pub(crate) fn root(raw: &'a str) -> Self {
        Self::at(raw, 0)
    }

    /// A text that starts at byte `base` of a part that is not text as a whole.
    pub(crate) fn at(raw: &'a str, base: usize) -> Self {
        Self {
            parent: None,
            raw,
            base,
            length: raw.len(),
            escape: Escape::None,
            is_veil: false,
            is_content: false,
            stretches: &[],
            start: Cell::default(),
            end: Cell::default(),
            start_inward: Cell::default(),
            end_inward: Cell::default(),
        }
    }

    /// A text of which `span` of the part is a form that has no way back byte for byte.
    pub(crate) fn covering(span: Range<usize>) -> Self {
        Self {
            length: span.len(),
            escape: Escape::Whole,
            ..Self::at("", span.start)
        }
    }

    /// A text whose escaped form is `raw`, at `base` of this layer's text.
    pub(crate) fn inside(&'a self, raw: &'a str, base: usize, escape: Escape) -> Self {
        Layer {
            parent: Some(self),
            base,
            escape,
            ..Layer::root(raw)
        }
    }

    /// A text that is written from byte `base` of this layer's text on, as it is.
    pub(crate) fn written(&'a self, raw: &'a str, base: usize) -> Self {
        self.inside(raw, base, Escape::None)
    }

    /// A text of which `span` of this layer's text is a form that has no way back byte for byte.
    pub(crate) fn over(&'a self, span: Range<usize>) -> Self {
        Layer {
            parent: Some(self),
            ..Self::covering(span)
        }
    }

    /// A text that is put together from `stretches` of this layer's text.
    pub(crate) fn joined(&'a self, stretches: &'a [Stretch]) -> Self {
        Layer {
            parent: Some(self),
            escape: Escape::Joined,
            stretches,
            ..Layer::root("")
        }
    }

    /// A text that stands encoded in `raw`, at `base` of this layer's text, though the format does not ask for it.
    pub(crate) fn veiled(&'a self, raw: &'a str, base: usize) -> Self {
        Layer {
            is_veil: true,
            ..self.inside(raw, base, Escape::Whole)
        }
    }

    /// The same text as a content of its own.
    pub(crate) fn content(&'a self) -> Self {
        Layer {
            is_content: true,
            ..self.inside("", 0, Escape::None)
        }
    }

    /// How many veils are around one another, from the content to this layer.
    pub(crate) fn veils(&self) -> usize {
        std::iter::successors(Some(self), |it| it.parent)
            .take_while(|it| !it.is_content)
            .filter(|it| it.is_veil)
            .count()
    }

    /// How many layers around and including this one have no way back byte for byte.
    pub(crate) fn wholes(&self) -> usize {
        std::iter::successors(Some(self), |it| it.parent)
            .filter(|it| it.escape == Escape::Whole)
            .count()
    }

    /// The bytes of the part that hold `range` of this layer's text.
    pub(crate) fn outward(&self, range: Range<usize>) -> Range<usize> {
        let mut range = range;
        let mut layer = self;
        loop {
            if layer.escape == Escape::Whole {
                range = 0..layer.length;
            } else if layer.escape == Escape::Joined {
                range = layer.through_stretches(&range);
            } else if layer.escape != Escape::None {
                range = layer.seek(&layer.start, range.start)..layer.seek(&layer.end, range.end);
            }
            range = range.start + layer.base..range.end + layer.base;
            match layer.parent {
                Some(parent) => layer = parent,
                None => return range,
            }
        }
    }

    /// The range of this layer's text that the bytes `range` of the part hold, as far as there is a way back.
    pub(crate) fn inward(&self, range: Range<usize>) -> Range<usize> {
        let range = match self.parent {
            Some(parent) => parent.inward(range),
            None => range,
        };
        let start = range.start.saturating_sub(self.base);
        let end = range.end.saturating_sub(self.base);
        match self.escape {
            Escape::None => start..end,
            Escape::Whole => 0..usize::MAX,
            Escape::Joined => self.across_stretches(start, end),
            Escape::Json | Escape::Percent | Escape::PercentPlus | Escape::Quotes => {
                self.seek_inward(&self.start_inward, start)..self.seek_inward(&self.end_inward, end)
            }
        }
    }

    /// `text` as it is written in the bytes of the part; `None` when some layer has no way back.
    pub(crate) fn escaped(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for layer in std::iter::successors(Some(self), |it| it.parent) {
            text = escape(&text, layer.escape)?;
        }
        Some(text)
    }

    /// Position in the text of position `target` of `raw`.
    fn seek_inward(&self, cursor: &Cell<(usize, usize)>, target: usize) -> usize {
        let (mut in_raw, mut in_text) = cursor.get();
        if in_raw > target {
            (in_raw, in_text) = (0, 0);
        }
        let bytes = self.raw.as_bytes();
        while in_raw < target && in_raw < bytes.len() {
            let (raw, text) = unit(bytes, in_raw, self.escape);
            in_raw += raw;
            in_text += text;
        }
        cursor.set((in_raw, in_text));
        in_text
    }

    /// The range of a joined text that the bytes from `start` to `end` of the parent's text hold.
    fn across_stretches(&self, start: usize, end: usize) -> Range<usize> {
        let first = self.stretches.partition_point(|it| it.whole.start <= start);
        let first = first.checked_sub(1).and_then(|it| self.stretches.get(it));
        let after = self.stretches.partition_point(|it| it.whole.start < end);
        let last = after.checked_sub(1).and_then(|it| self.stretches.get(it));
        let from = first.map_or(0, |it| match it.is_exact {
            true => it.at + start.clamp(it.raw.start, it.raw.end) - it.raw.start,
            false => it.at,
        });
        let to = match last {
            Some(it) if it.is_exact => it.at + end.clamp(it.raw.start, it.raw.end) - it.raw.start,
            _ => self.stretches.get(after).map_or(usize::MAX, |it| it.at),
        };
        from..to.max(from)
    }

    /// The bytes of the parent's text that hold `range` of a joined text. What reaches from one stretch to another takes the marks of
    /// both, so that writing over it leaves none of them alone.
    fn through_stretches(&self, range: &Range<usize>) -> Range<usize> {
        let stretch = |position: usize| {
            let after = self.stretches.partition_point(|it| it.at <= position);
            self.stretches.get(after.saturating_sub(1))
        };
        let last = range.end.saturating_sub(1).max(range.start);
        let (Some(first), Some(last)) = (stretch(range.start), stretch(last)) else {
            return 0..0;
        };
        let is_one = first.at == last.at;
        let start = match (is_one || first.whole == first.raw, first.is_exact) {
            (true, true) => first.raw.start + (range.start - first.at),
            (true, false) => first.raw.start,
            (false, _) => first.whole.start,
        };
        let end = match (is_one || last.whole == last.raw, last.is_exact) {
            (true, true) => last.raw.start + range.end.saturating_sub(last.at),
            (true, false) => last.raw.end,
            (false, _) => last.whole.end,
        };
        start..end.max(start)
    }

    /// Position in `raw` of position `target` of the text.
    fn seek(&self, cursor: &Cell<(usize, usize)>, target: usize) -> usize {
        let (mut in_raw, mut in_text) = cursor.get();
        if in_text > target {
            (in_raw, in_text) = (0, 0);
        }
        let bytes = self.raw.as_bytes();
        while in_text < target && in_raw < bytes.len() {
            let (raw, text) = unit(bytes, in_raw, self.escape);
            in_raw += raw;
            in_text += text;
        }
        cursor.set((in_raw, in_text));
        in_raw
    }
}

/// Lengths, escaped and not, of what stands at `at`.
fn unit(bytes: &[u8], at: usize, escape: Escape) -> (usize, usize) {
    match (escape, bytes.get(at)) {
        (Escape::Json, Some(b'\\')) if bytes.get(at + 1) == Some(&b'u') => {
            match hex4(bytes, at + 2) {
                Some(0xd800..=0xdbff) => (12, 4),
                Some(code) => (6, char::from_u32(code).map_or(1, char::len_utf8)),
                None => (1, 1),
            }
        }
        (Escape::Json, Some(b'\\')) => (2, 1),
        (Escape::Percent | Escape::PercentPlus, Some(b'%')) => (3, 1),
        (Escape::Quotes, Some(b'"')) => (2, 1),
        _ => (1, 1),
    }
}

/// `text` with the escapes that it needs; `None` for an encoding of another kind.
fn escape(text: &str, escape: Escape) -> Option<String> {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    match escape {
        Escape::None => out.push_str(text),
        Escape::Whole => return None,
        Escape::Joined => {
            for ch in text.chars() {
                match ch {
                    '&' => out.push_str("&amp;"),
                    '<' => out.push_str("&lt;"),
                    '>' => out.push_str("&gt;"),
                    '"' => out.push_str("&quot;"),
                    '\'' => out.push_str("&apos;"),
                    other => out.push(other),
                }
            }
        }
        Escape::Quotes => out.push_str(&text.replace('"', "\"\"")),
        Escape::Json => {
            for ch in text.chars() {
                match ch {
                    '"' | '\\' => out.extend(['\\', ch]),
                    control if control < ' ' => {
                        let _infallible = write!(out, "\\u{:04x}", u32::from(control));
                    }
                    other => out.push(other),
                }
            }
        }
        Escape::Percent | Escape::PercentPlus => {
            for byte in text.bytes() {
                match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                        out.push(char::from(byte));
                    }
                    other => {
                        let _infallible = write!(out, "%{other:02X}");
                    }
                }
            }
        }
    }
    Some(out)
}

/// Undoes the escapes of a JSON string that the tokenizer accepted.
pub(crate) fn unescape_json(raw: &str, out: &mut String) {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (plain, escape) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(plain);
        let bytes = escape.as_bytes();
        let (len, ch) = match bytes.get(1) {
            Some(b'b') => (2, '\u{8}'),
            Some(b'f') => (2, '\u{c}'),
            Some(b'n') => (2, '\n'),
            Some(b'r') => (2, '\r'),
            Some(b't') => (2, '\t'),
            Some(b'u') => unescape_unicode(bytes),
            other => (2, other.map_or('\u{fffd}', |it| char::from(*it))),
        };
        out.push(ch);
        rest = escape.get(len..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// The character of `\uXXXX` or a pair of them, and the length of the escape.
fn unescape_unicode(bytes: &[u8]) -> (usize, char) {
    let first = hex4(bytes, 2).unwrap_or(0xfffd);
    let (len, code) = match (first, hex4(bytes, 8)) {
        (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) => {
            (12, 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
        }
        _ => (6, first),
    };
    (len, char::from_u32(code).unwrap_or('\u{fffd}'))
}

/// Why percent escapes cannot be undone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Undecodable {
    /// A `%` without two hexadecimal digits.
    BadEscape,
    /// The bytes are not UTF-8.
    NotUtf8,
}

impl Undecodable {
    /// The gap that it is.
    pub(crate) const fn gap(self) -> GapKind {
        match self {
            Self::BadEscape => GapKind::Malformed,
            Self::NotUtf8 => GapKind::UnsupportedCharset,
        }
    }
}

/// Undoes percent escapes (and `+` with [`Escape::PercentPlus`]); `None` when there is nothing to undo.
pub(crate) fn unescape_percent(raw: &str, escape: Escape) -> Result<Option<String>, Undecodable> {
    let has_plus = escape == Escape::PercentPlus;
    let first = if has_plus {
        memchr::memchr2(b'%', b'+', raw.as_bytes())
    } else {
        memchr::memchr(b'%', raw.as_bytes())
    };
    if first.is_none() {
        return Ok(None);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let code = digit().and_then(|high| Some(high << 4 | digit()?));
                code.and_then(|it| u8::try_from(it).ok())
                    .ok_or(Undecodable::BadEscape)?
            }
            b'+' if has_plus => b' ',
            other => other,
        });
    }
    String::from_utf8(out)
        .map(Some)
        .map_err(|_| Undecodable::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_find_their_way_back_through_every_layer() {
        let body = r#"{"p":"{\"q\":\"a\\u0040b \\ud83d\\ude00!\"}"}"#;
        let root = Layer::root(body);
        let raw = body.get(6..body.len() - 2).unwrap();
        let outer = root.inside(raw, 6, Escape::Json);
        let mut text = String::new();
        unescape_json(raw, &mut text);
        assert_eq!(text, r#"{"q":"a\u0040b \ud83d\ude00!"}"#);
        let raw_inner = text.get(6..text.len() - 2).unwrap();
        let inner = outer.inside(raw_inner, 6, Escape::Json);
        let mut innermost = String::new();
        unescape_json(raw_inner, &mut innermost);
        assert_eq!(innermost, "a@b 😀!");
        let check = |range: Range<usize>, expected: &str| {
            assert_eq!(body.get(inner.outward(range)), Some(expected));
        };
        check(0..3, r"a\\u0040b");
        check(4..8, r"\\ud83d\\ude00");
        check(0..1, "a");
        check(8..9, "!");
        for range in [0..3, 4..8, 0..1, 8..9, 1..4] {
            assert_eq!(inner.inward(inner.outward(range.clone())), range);
        }
        assert_eq!(inner.escaped("a\"\u{1}").unwrap(), r#"a\\\"\\u0001"#);
        assert_eq!(root.inside("", 0, Escape::Whole).escaped("a"), None);
    }

    #[test]
    fn what_is_escaped_is_undone_again() {
        let raw = "%41";
        let root = Layer::root(raw);
        let once = root.inside(raw, 0, Escape::PercentPlus);
        let twice = once.inside("A", 0, Escape::Percent);
        let text = "psn_1@a.b *\u{e9}+%";
        let written = twice.escaped(text).unwrap();
        let again = unescape_percent(&written, Escape::PercentPlus)
            .unwrap()
            .unwrap();
        let again = unescape_percent(&again, Escape::Percent).unwrap().unwrap();
        assert_eq!(again, text);
    }

    #[test]
    fn joined_texts_find_their_stretches() {
        let raw = "99&#49;<![CDATA[23]]>x<b/>";
        let root = Layer::root(raw);
        let stretch = |at: usize, raw: Range<usize>, whole: Range<usize>, is_exact| Stretch {
            at,
            raw,
            whole,
            is_exact,
        };
        let stretches = [
            stretch(0, 0..2, 0..2, true),
            stretch(2, 2..7, 2..7, false),
            stretch(3, 16..18, 7..21, true),
            stretch(5, 21..22, 21..22, true),
        ];
        let layer = root.joined(&stretches);
        let check = |range: Range<usize>, expected: &str| {
            assert_eq!(
                raw.get(layer.outward(range.clone())),
                Some(expected),
                "{range:?}"
            );
        };
        check(1..2, "9");
        check(1..3, "9&#49;");
        check(2..3, "&#49;");
        check(4..5, "3");
        check(4..6, "<![CDATA[23]]>x");
        check(0..4, "99&#49;<![CDATA[23]]>");
        check(5..6, "x");
        check(3..3, "");
        assert_eq!(root.joined(&[]).outward(0..0), 0..0);
    }

    #[test]
    fn percent_escapes_are_strict() {
        let check = |raw: &str, expected: Result<Option<&str>, Undecodable>| {
            let found = unescape_percent(raw, Escape::PercentPlus);
            assert_eq!(
                found.map(|it| it.unwrap_or_default()),
                expected.map(|it| it.unwrap_or_default().to_owned())
            );
        };
        check("plain", Ok(None));
        check("a+b%40", Ok(Some("a b@")));
        check("%9", Err(Undecodable::BadEscape));
        check("%+1", Err(Undecodable::BadEscape));
        check("%u0039", Err(Undecodable::BadEscape));
        check("%ff", Err(Undecodable::NotUtf8));
    }
}
