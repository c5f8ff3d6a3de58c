//! RFC 2046 §5.1, strictly but for bare line feeds throughout, as spans: where each part of a multipart body stands.
//!
//! Whoever reads the body next may split it by laxer rules, and evasions live on the difference. So every place where two parsers are
//! known to differ makes the body ambiguous, and what stands outside the parts is told, so that it is read too.

use std::ops::Range;

use super::super::unit::{Unit, UnitKind};

/// Longest boundary (RFC 2046 §5.1.1), in bytes.
const BOUNDARY_MAX: usize = 70;

/// One part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Section {
    /// From the dashes of its delimiter to those of the next.
    pub(crate) whole: Range<usize>,
    /// Its header fields, with the line break after each.
    pub(crate) head: Range<usize>,
    /// What follows the empty line, without the line break that belongs to the next delimiter.
    pub(crate) content: Range<usize>,
}

/// A body, split.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Split {
    pub(crate) sections: Vec<Section>,
    /// Bytes that belong to no part and are not only line breaks.
    pub(crate) outside: Vec<Range<usize>>,
    /// Another parser may split it otherwise.
    pub(crate) is_ambiguous: bool,
    /// It does not end, or a part has no end of its fields.
    pub(crate) is_malformed: bool,
}

/// Whether `text` is a boundary (RFC 2046 §5.1.1).
pub(crate) fn is_boundary(text: &str) -> bool {
    let is_one = |it: u8| it.is_ascii_alphanumeric() || b"'()+_,-./:=? !#$%&*^`|~".contains(&it);
    !text.is_empty()
        && text.len() <= BOUNDARY_MAX
        && !text.ends_with(' ')
        && text.bytes().all(is_one)
}

/// What ends the lines of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lines {
    /// As RFC 2046 says.
    CrLf,
    /// As mail libraries write a message in memory, and their users send it.
    Lf,
}

impl Lines {
    /// Those of `body`, by its first delimiter. A strict recipient finds no part at all where they are bare line feeds, and a lax one
    /// those that are read here. Forms are not written so.
    pub(crate) fn of(body: &[u8], boundary: &str, is_form: bool) -> Self {
        let delimiter = [b"--", boundary.as_bytes()].concat();
        let first = memchr::memmem::find(body, &delimiter);
        let rest = first.and_then(|at| body.get(at + delimiter.len()..));
        match rest {
            Some(rest) if !is_form && rest.starts_with(b"\n") => Self::Lf,
            _ => Self::CrLf,
        }
    }

    pub(crate) const fn end(self) -> &'static str {
        match self {
            Self::CrLf => "\r\n",
            Self::Lf => "\n",
        }
    }

    const fn bytes(self) -> &'static [u8] {
        self.end().as_bytes()
    }

    /// Whether a line begins at `at`, for every parser that takes these lines.
    fn begin_at(self, body: &[u8], at: usize) -> bool {
        let before = body.get(..at).unwrap_or_default();
        let is_alike = self == Self::CrLf || !before.ends_with(b"\r\n");
        at == 0 || before.ends_with(self.bytes()) && is_alike
    }
}

/// What stands after a delimiter's boundary.
enum End {
    /// The body ends here.
    Close(usize),
    /// Nothing that makes it a delimiter.
    None,
    /// A part begins at this byte.
    Open(usize),
}

/// Splits `body` into at most `most` parts and one; so that reading them says that there are too many.
pub(crate) fn split(body: &[u8], boundary: &str, lines: Lines, most: usize) -> Split {
    let mut out = Split::default();
    let delimiter = [b"--", boundary.as_bytes()].concat();
    // Where the part that is open began, and its first field.
    let mut open: Option<(usize, usize)> = None;
    let mut closed = None;
    for at in memchr::memmem::find_iter(body, &delimiter) {
        if closed.is_some() {
            // What follows the end is outside, whatever it is.
            break;
        }
        if !lines.begin_at(body, at) {
            // Another line break is enough for some, and some look for the bytes anywhere.
            out.is_ambiguous = true;
            continue;
        }
        let (end, is_strict) = after(body, at + delimiter.len(), lines);
        out.is_ambiguous |= !is_strict;
        if matches!(end, End::None) {
            continue;
        }
        match open {
            Some((start, from)) => out.close_section(body, start, from..at, lines),
            None => out.note_outside(body, 0..at, lines),
        }
        match end {
            End::Open(from) => open = Some((at, from)),
            End::Close(end) => closed = Some(end),
            End::None => {}
        }
        if out.sections.len() > most {
            return out;
        }
    }
    match (closed, open) {
        (Some(end), _) => out.note_outside(body, end..body.len(), lines),
        (None, open) => {
            out.is_malformed = true;
            out.outside.push(open.map_or(0, |it| it.1)..body.len());
        }
    }
    out
}

impl Split {
    /// Notes what is no part. Line breaks say nothing; anything else another parser may show.
    fn note_outside(&mut self, body: &[u8], range: Range<usize>, lines: Lines) {
        let bytes = body.get(range.clone()).unwrap_or_default();
        let end = lines.bytes();
        if bytes.chunks(end.len()).any(|it| it != end) {
            self.is_ambiguous = true;
            self.outside.push(range);
        }
    }

    /// Ends the part that began at `start`: from its fields to the next delimiter it is `within`.
    fn close_section(&mut self, body: &[u8], start: usize, within: Range<usize>, lines: Lines) {
        let (from, next, length) = (within.start, within.end, lines.bytes().len());
        let end = next.saturating_sub(length).max(from);
        let inside = body.get(from..end).unwrap_or_default();
        let empty_line = lines.bytes().repeat(2);
        let head = if inside.starts_with(lines.bytes()) {
            0
        } else if let Some(at) = memchr::memmem::find(inside, &empty_line) {
            at + length
        } else {
            self.is_malformed = true;
            if !inside.is_empty() {
                self.outside.push(from..end);
            }
            return;
        };
        self.sections.push(Section {
            whole: start..next,
            head: from..from + head,
            content: from + head + length..end,
        });
    }
}

/// What stands at `at`, after a boundary; and whether every parser takes it so.
fn after(body: &[u8], at: usize, lines: Lines) -> (End, bool) {
    let rest = body.get(at..).unwrap_or_default();
    let end = lines.bytes();
    if let Some(rest) = rest.strip_prefix(b"--") {
        let is_strict = rest.is_empty() || rest.starts_with(end);
        return (End::Close(at + 2), is_strict);
    }
    if rest.starts_with(end) {
        return (End::Open(at + end.len()), true);
    }
    let padding = rest
        .iter()
        .take_while(|it| matches!(it, b' ' | b'\t'))
        .count();
    match rest.get(padding..) {
        Some([b'\r', b'\n', ..]) => (End::Open(at + padding + 2), false),
        // A longer boundary that begins like this one is none, but not for all.
        Some(_) | None => (End::None, false),
    }
}

/// The parts of `body`: each goes with the delimiter before it. Empty where the body is not split in one way.
pub(crate) fn units(body: &[u8], boundary: &str, lines: Lines) -> Vec<Unit> {
    let split = split(body, boundary, lines, usize::MAX - 1);
    if split.is_ambiguous || split.is_malformed {
        return Vec::new();
    }
    let sections = split.sections.into_iter();
    sections
        .map(|it| Unit {
            kind: UnitKind::Part,
            value: it.content,
            whole: it.whole,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(body: &str) -> (Vec<&str>, bool, bool) {
        contents_of(body, Lines::CrLf)
    }

    fn contents_of(body: &str, lines: Lines) -> (Vec<&str>, bool, bool) {
        let it = split(body.as_bytes(), "B", lines, 100);
        let contents = it.sections.iter().map(|it| body.get(it.content.clone()));
        (
            contents.map(Option::unwrap).collect(),
            it.is_ambiguous,
            it.is_malformed,
        )
    }

    #[test]
    fn parts_stand_between_delimiters_and_nowhere_else() {
        let check = |body: &str, expected: &[&str], is_ambiguous: bool, is_malformed: bool| {
            let (found, ambiguous, malformed) = contents(body);
            assert_eq!(found, expected, "{body:?}");
            assert_eq!(
                (ambiguous, malformed),
                (is_ambiguous, is_malformed),
                "{body:?}"
            );
        };
        check("--B\r\na: b\r\n\r\nx\r\n--B--\r\n", &["x"], false, false);
        check("--B\r\na: b\r\n\r\nx\r\n--B--", &["x"], false, false);
        check(
            "--B\r\n\r\nx\r\n--B\r\n\r\ny\r\n--B--",
            &["x", "y"],
            false,
            false,
        );
        check("\r\n--B\r\n\r\n\r\n--B--\r\n\r\n", &[""], false, false);
        check("--B--\r\n", &[], false, false);
        // Places where parsers differ.
        check("p\r\n--B\r\n\r\nx\r\n--B--", &["x"], true, false);
        check("--B\r\n\r\nx\r\n--B--\r\ne", &["x"], true, false);
        check("--B\r\n\r\nx\r\n--B--e", &["x"], true, false);
        check("--B \r\n\r\nx\r\n--B--", &["x"], true, false);
        check("--B\r\n\r\nx\r\n--B-- \r\n", &["x"], true, false);
        check(
            "--B\r\n\r\nx\n--B\r\n\r\ny\r\n--B--",
            &["x\n--B\r\n\r\ny"],
            true,
            false,
        );
        check("--B\r\n\r\nx--B\r\n--B--", &["x--B"], true, false);
        check(
            "--B\r\n\r\nx\r\n--BB\r\ny\r\n--B--",
            &["x\r\n--BB\r\ny"],
            true,
            false,
        );
        check("--B\n\nx\n--B--\n", &[], true, true);
        // What does not end, or has no fields' end.
        check("--B\r\n\r\nx\r\n", &[], false, true);
        check("--B\r\na: b\r\n--B--", &[], false, true);
        check("--B\r\n--B--", &[], false, true);
        check("", &[], false, true);
        check("--b\r\n\r\nx\r\n--b--\r\n", &[], false, true);
    }

    #[test]
    fn bare_line_feeds_are_taken_throughout_or_not_at_all() {
        for (body, expected, is_ambiguous) in [
            ("--B\na: b\n\nx\n--B\n\ny\n--B--\n", &["x", "y"][..], false),
            ("\n--B\n\nx\r\ny\n--B--", &["x\r\ny"], false),
            ("--B\n\nx\r\n--B\n\ny\n--B--", &["x\r\n--B\n\ny"], true),
            ("--B\n\nx\n--B\r\n\ny\n--B--", &["x", "y"], true),
            ("--B\n\nx\n--B--\r\n", &["x"], true),
            ("--B\n\nx\r--B\n\ny\n--B--", &["x\r--B\n\ny"], true),
            ("p\n--B\n\nx\n--B--", &["x"], true),
            ("\r\n--B\n\nx\n--B\n\ny\n--B--", &["y"], true),
        ] {
            assert_eq!(Lines::of(body.as_bytes(), "B", false), Lines::Lf);
            assert_eq!(Lines::of(body.as_bytes(), "B", true), Lines::CrLf);
            let (found, ambiguous, _) = contents_of(body, Lines::Lf);
            assert_eq!(
                (found.as_slice(), ambiguous),
                (expected, is_ambiguous),
                "{body:?}"
            );
        }
        // By the first delimiter.
        let mixed = b"--B\r\n\r\nx\n--B\n\ny\r\n--B--";
        assert_eq!(Lines::of(mixed, "B", false), Lines::CrLf);
    }

    #[test]
    fn a_boundary_is_short_and_plain() {
        for text in [
            "B",
            "----WebKitFormBoundary7MA4YWxkTrZu0gW",
            "a b=c",
            &"b".repeat(70),
        ] {
            assert!(is_boundary(text), "{text}");
        }
        for text in ["", "a ", "a\\b", "é", &"b".repeat(71)] {
            assert!(!is_boundary(text), "{text}");
        }
    }

    #[test]
    fn a_part_goes_with_its_delimiter() {
        let body = "--B\r\n\r\nx\r\n--B\r\n\r\ny\r\n--B--\r\n";
        let without: Vec<String> = units(body.as_bytes(), "B", Lines::CrLf)
            .iter()
            .map(|it| {
                assert_eq!(it.kind, UnitKind::Part);
                [body.get(..it.whole.start), body.get(it.whole.end..)]
                    .map(Option::unwrap)
                    .concat()
            })
            .collect();
        assert_eq!(
            without,
            ["--B\r\n\r\ny\r\n--B--\r\n", "--B\r\n\r\nx\r\n--B--\r\n"]
        );
        assert_eq!(units(b"p\r\n--B\r\n\r\nx\r\n--B--", "B", Lines::CrLf), []);
    }
}
