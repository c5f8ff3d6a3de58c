//! The header section of a mail or of a part (RFC 5322 §2.2), as spans.
//!
//! Lines end in CRLF or in LF alone: most libraries write the one on the wire and the other in memory, and readers take both. Whatever
//! they are known to take in different ways is said to be ambiguous, and what is no field is told, so that it is read too.

use std::ops::Range;

use super::super::{super::media_type::is_token, layer::Stretch};
use crate::model::finding::GapKind;

/// Most fields of one section; a mail that went through many relays has a hundred.
const FIELDS_MAX: usize = 4096;

/// One field, by bytes of the entity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Field {
    /// In lower case.
    pub(super) name: String,
    pub(super) name_at: Range<usize>,
    /// The value with its line breaks, without what blanks are around it.
    pub(super) value: Range<usize>,
}

/// A header section.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Section {
    pub(super) fields: Vec<Field>,
    /// Lines that are no field.
    pub(super) strays: Vec<Range<usize>>,
    /// Where the body starts.
    pub(super) body: usize,
    /// Some line is folded.
    pub(super) is_folded: bool,
    /// Why others may see another section.
    pub(super) fault: Option<GapKind>,
}

impl Section {
    /// Reads the section at the start of `bytes`.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut it = Self {
            body: bytes.len(),
            ..Self::default()
        };
        let mut from = 0;
        let mut in_field = false;
        while let Some(rest) = bytes.get(from..).filter(|it| !it.is_empty()) {
            let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = rest.get(..length).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let start = from;
            from += length + 1;
            if line.is_empty() {
                it.body = from.min(bytes.len());
                break;
            }
            if it.fields.len() >= FIELDS_MAX {
                it.fault = Some(GapKind::PartsExceeded);
                it.strays.push(start..bytes.len());
                break;
            }
            in_field = it.line(line, start, in_field);
        }
        it
    }

    /// Takes the line at `start`; whether it is one of a field.
    fn line(&mut self, line: &[u8], start: usize, in_field: bool) -> bool {
        let range = start..start + line.len();
        if line.iter().any(|it| is_control(*it)) {
            self.fault = Some(GapKind::Ambiguous);
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if line.trim_ascii().is_empty() {
                // The end of the section for some.
                self.fault = Some(GapKind::Ambiguous);
            }
            self.is_folded = true;
            match self.fields.last_mut().filter(|_| in_field) {
                Some(field) if field.value.is_empty() && line.trim_ascii().is_empty() => {}
                Some(field) => {
                    let lead = line.len() - line.trim_ascii_start().len();
                    if field.value.is_empty() {
                        field.value.start = start + lead;
                    }
                    field.value.end = start + line.trim_ascii_end().len();
                }
                None => self.stray(range, GapKind::Malformed),
            }
            return in_field;
        }
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let written = line.get(..colon).unwrap_or_default();
        let name = written.trim_ascii_end();
        let name_text = std::str::from_utf8(name).unwrap_or_default();
        if colon == line.len() || !is_token(name_text) {
            if start == 0 && (line.starts_with(b"From ") || line.starts_with(b">From ")) {
                // What mailboxes in files have before each mail.
                self.strays.push(range);
            } else {
                self.stray(range, GapKind::Malformed);
            }
            return false;
        }
        if name.len() < written.len() {
            self.fault = Some(GapKind::Ambiguous);
        }
        let value = line.get(colon + 1..).unwrap_or_default();
        let at = start + colon + 1 + (value.len() - value.trim_ascii_start().len());
        self.fields.push(Field {
            name: name_text.to_ascii_lowercase(),
            name_at: start..start + name.len(),
            value: at..at + value.trim_ascii().len(),
        });
        true
    }

    fn stray(&mut self, range: Range<usize>, kind: GapKind) {
        self.fault = self.fault.or(Some(kind));
        self.strays.push(range);
    }

    /// The one field called `name`; the first, and that it is not the only one, where there are several.
    pub(super) fn one(&self, name: &str) -> (Option<&Field>, bool) {
        let mut all = self.fields.iter().filter(|it| it.name == name);
        (all.next(), all.next().is_some())
    }
}

const fn is_control(byte: u8) -> bool {
    byte < b' ' && byte != b'\t' || byte == 0x7f
}

/// A value without its line breaks, and what of `raw` it is put together from; `None` when it is one line.
pub(super) fn unfolded(raw: &str) -> Option<(String, Vec<Stretch>)> {
    memchr::memchr2(b'\r', b'\n', raw.as_bytes())?;
    let mut text = String::with_capacity(raw.len());
    let mut stretches = Vec::new();
    let mut from = 0;
    for line in raw.split_inclusive('\n') {
        let start = from;
        from += line.len();
        let bare = line.strip_suffix('\n').unwrap_or(line);
        let bare = bare.strip_suffix('\r').unwrap_or(bare);
        if bare.is_empty() {
            continue;
        }
        let range = start..start + bare.len();
        stretches.push(Stretch {
            at: text.len(),
            whole: range.clone(),
            raw: range,
            is_exact: true,
        });
        text.push_str(bare);
    }
    Some((text, stretches))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<(String, &str)> {
        let section = Section::of(text.as_bytes());
        let fields = section.fields.into_iter();
        fields
            .map(|it| (it.name, text.get(it.value).unwrap()))
            .collect()
    }

    #[test]
    fn fields_are_told_from_the_body_whatever_ends_lines() {
        for end in ["\r\n", "\n"] {
            let text = [
                "Subject:  a b ",
                "To:",
                " c@example.com,",
                "\td@example.com",
                "X-E:",
                "",
                "body: x",
            ]
            .join(end);
            let section = Section::of(text.as_bytes());
            assert_eq!(section.fault, None);
            assert!(section.is_folded);
            assert_eq!(text.get(section.body..), Some("body: x"));
            let folded = format!("c@example.com,{end}\td@example.com");
            assert_eq!(
                fields(&text),
                [
                    ("subject".to_owned(), "a b"),
                    ("to".to_owned(), folded.as_str()),
                    ("x-e".to_owned(), "")
                ]
            );
            let (plain, stretches) = unfolded(&folded).unwrap();
            assert_eq!(plain, "c@example.com,\td@example.com");
            assert_eq!(stretches.len(), 2);
        }
        assert_eq!(unfolded("one line"), None);
        let section = Section::of(b"From a@example.com Thu\nSubject: b\n");
        assert_eq!(
            (section.fault, section.strays.first()),
            (None, Some(&(0..22)))
        );
        assert_eq!(section.body, 34);
    }

    #[test]
    fn what_readers_take_in_two_ways_is_told() {
        for (text, fault) in [
            ("Subject : a\n\nb", GapKind::Ambiguous),
            ("Subject: a\rb: c\n\nb", GapKind::Ambiguous),
            ("Subject: a\0\n\nb", GapKind::Ambiguous),
            ("Subject: a\n \n\nb", GapKind::Ambiguous),
            ("Subject: a\nnone\nTo: b\n\nc", GapKind::Malformed),
            (" Subject: a\n\nb", GapKind::Malformed),
            ("\u{456}: a\n\nb", GapKind::Malformed),
        ] {
            assert_eq!(Section::of(text.as_bytes()).fault, Some(fault), "{text:?}");
        }
        let many = "a: b\n".repeat(FIELDS_MAX + 1);
        let section = Section::of(many.as_bytes());
        assert_eq!(section.fault, Some(GapKind::PartsExceeded));
        assert_eq!(section.strays.first(), Some(&(many.len() - 5..many.len())));
    }
}
