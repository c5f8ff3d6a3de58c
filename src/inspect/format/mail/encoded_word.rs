//! Encoded words (RFC 2047): `=?charset?B?…?=` and `=?charset?Q?…?=`.
//!
//! Mail readers undo them in every field, quoted or not, and so do readers of other texts that came from mail. Words in a row are
//! one text, and of the same charset one run of bytes: many writers cut characters in two. What has the shape of a word and cannot
//! be undone is a gap, since another reader may know how.

use super::super::{super::charset, sealed};
use crate::model::finding::GapKind;

/// Longest name of a charset, with a language.
const CHARSET_MAX: usize = 64;

/// A text without its encoded words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Decoded {
    pub(crate) text: String,
    /// Why a word stands there as it is written.
    pub(crate) fault: Option<GapKind>,
}

/// A word by its parts.
struct Word<'t> {
    charset: &'t str,
    encoding: &'t str,
    payload: &'t str,
    length: usize,
}

/// The word at the start of `text`, which begins with `=?`. Its payload may hold blanks, as that of careless writers does.
fn word(text: &str) -> Option<Word<'_>> {
    let bytes = text.as_bytes();
    let mut marks = memchr::memchr_iter(b'?', bytes).skip(1);
    let charset_end = marks.next().filter(|it| *it <= CHARSET_MAX + 2)?;
    let encoding_end = marks.next().filter(|it| *it == charset_end + 2)?;
    let charset = text.get(2..charset_end)?;
    let is_name = |it: u8| it.is_ascii_alphanumeric() || b"-_.:+*".contains(&it);
    if charset.is_empty() || !charset.bytes().all(is_name) {
        return None;
    }
    let from = encoding_end + 1;
    for mark in marks {
        if bytes.get(mark + 1) == Some(&b'=') {
            return Some(Word {
                charset: charset.split('*').next().unwrap_or_default(),
                encoding: text.get(charset_end + 1..encoding_end)?,
                payload: text.get(from..mark)?,
                length: mark + 2,
            });
        }
        if mark > from && bytes.get(mark - 1) == Some(&b'=') {
            // Another word begins before this one ends.
            return None;
        }
    }
    None
}

/// Length of the encoded word at the start of `text`.
pub(super) fn length(text: &str) -> Option<usize> {
    text.starts_with("=?")
        .then(|| word(text))?
        .map(|it| it.length)
}

impl Word<'_> {
    fn bytes(&self) -> Option<Vec<u8>> {
        match self.encoding {
            "B" | "b" => {
                let bare: String = self.payload.split_ascii_whitespace().collect();
                sealed::decode_bytes(&bare)
            }
            "Q" | "q" => quoted(self.payload),
            _ => None,
        }
    }
}

/// RFC 2047 §4.2.
fn quoted(payload: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(payload.len());
    let mut bytes = payload.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'_' => b' ',
            b'=' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let value = digit()? << 4 | digit()?;
                u8::try_from(value).ok()?
            }
            other => other,
        });
    }
    Some(out)
}

/// Words in a row whose bytes are of one charset.
struct Run<'t> {
    charset: &'t str,
    bytes: Vec<u8>,
    /// Where it stands in the text.
    start: usize,
    end: usize,
}

/// Undoes the encoded words in `text`; `None` when there is none. One pass.
pub(crate) fn decode(text: &str) -> Option<Decoded> {
    let mut out = Decoded {
        text: String::new(),
        fault: None,
    };
    let mut run: Option<Run<'_>> = None;
    let (mut copied, mut from, mut is_any) = (0, 0, false);
    while let Some(offset) = memchr::memmem::find(text.as_bytes().get(from..)?, b"=?") {
        let start = from + offset;
        let Some(word) = text.get(start..).and_then(word) else {
            from = start + 2;
            continue;
        };
        let end = start + word.length;
        from = end;
        is_any = true;
        let Some(bytes) = word.bytes() else {
            out.fault = Some(GapKind::Malformed);
            continue;
        };
        let is_next = |it: &Run<'_>| {
            text.get(it.end..start)
                .is_some_and(|it| it.trim().is_empty())
        };
        match run.as_mut().filter(|it| is_next(it)) {
            Some(last) if last.charset.eq_ignore_ascii_case(word.charset) => {
                last.bytes.extend(bytes);
                last.end = end;
                continue;
            }
            Some(_) => {
                // Blanks between words are no text.
                copied = out.end_run(text, run.take(), copied);
                copied = start.max(copied);
            }
            None => copied = out.end_run(text, run.take(), copied),
        }
        run = Some(Run {
            charset: word.charset,
            bytes,
            start,
            end,
        });
    }
    copied = out.end_run(text, run, copied);
    out.text.push_str(text.get(copied..)?);
    is_any.then_some(out)
}

impl Decoded {
    /// Appends what stands before `run` and what `run` says; up to where the text is copied then.
    fn end_run(&mut self, text: &str, run: Option<Run<'_>>, copied: usize) -> usize {
        let Some(run) = run else { return copied };
        let before = text.get(copied..run.start).unwrap_or_default();
        self.text.push_str(before);
        match charset::decode(run.bytes.into(), Some(run.charset)) {
            Ok(it) => {
                if it.has_blanks {
                    self.fault = Some(GapKind::UnsupportedCharset);
                }
                self.text.push_str(&it.text);
            }
            Err(kind) => {
                self.fault = Some(kind);
                let written = text.get(run.start..run.end).unwrap_or_default();
                self.text.push_str(written);
            }
        }
        run.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_undone_and_joined() {
        for (text, expected) in [
            ("=?utf-8?B?0JDQudCz0YPQu9GM?=", "Айгуль"),
            ("=?UTF-8?b?0JDQudCz0YPQu9GM?= x", "Айгуль x"),
            ("a =?utf-8*ru?Q?=D0=90=D0=B9_b?= c", "a Ай b c"),
            ("=?koi8-r?B?4crH1czY?=", "Айгуль"),
            ("=?windows-1251?q?=C0=E9=E3=F3=EB=FC?=", "Айгуль"),
            // A character cut in two.
            ("=?utf-8?Q?=D0?= =?utf-8?Q?=90=D0=B9?=", "Ай"),
            ("=?utf-8?B?OTkxMjMx?=\t=?utf-8?B?MTAwMDEw?=", "991231100010"),
            ("=?utf-8?Q?a?= =?koi8-r?Q?=C1?=", "aа"),
            ("=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c"),
            ("\"=?utf-8?Q?a b?=\"", "\"a b\""),
            ("=?us-ascii?Q?what?is?=", "what?is"),
        ] {
            let found = decode(text).unwrap();
            assert_eq!(
                (found.text.as_str(), found.fault),
                (expected, None),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_undone_is_said() {
        for (text, fault) in [
            (
                "=?x-unknown?B?0JDQudCz0YPQu9GM?=",
                GapKind::UnsupportedCharset,
            ),
            ("=?utf-7?B?0JDQudCz0YPQu9GM?=", GapKind::UnsupportedCharset),
            ("=?utf-8?B?0J?D?=", GapKind::Malformed),
            ("=?utf-8?Q?=D?=", GapKind::Malformed),
            ("=?utf-8?X?abc?=", GapKind::Malformed),
            ("=?utf-8?Q?=D0?=", GapKind::UnsupportedCharset),
            ("=?us-ascii?Q?=D0=90?=", GapKind::Ambiguous),
        ] {
            assert_eq!(decode(text).unwrap().fault, Some(fault), "{text}");
        }
        for text in [
            "",
            "a=?b",
            "?a=?b?c?=",
            "=?a b?Q?c?=",
            "=?utf-8?Q?",
            "=??Q?a?=",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
        // The word inside is one by itself.
        assert_eq!(decode("=?a?q? =?utf-8?Q?b?=").unwrap().text, "=?a?q? b");
    }

    #[test]
    fn a_text_of_beginnings_costs_one_pass() {
        let text = "=?utf-8?Q?a ".repeat(1 << 16);
        assert_eq!(decode(&text), None);
    }
}
