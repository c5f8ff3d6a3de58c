//! The parts of a multipart entity in a mail (RFC 2046 §5.1), as spans. Here lines may end in LF, and text before the first part and
//! behind the last is no part and no doubt either: mail has always had it, and it is read.

use std::ops::Range;

/// A multipart entity, split.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Split {
    pub(super) parts: Vec<Range<usize>>,
    /// What is before the first part and behind the last.
    pub(super) outside: Vec<Range<usize>>,
    /// Another reader may split it otherwise: a longer boundary begins like this one.
    pub(super) is_ambiguous: bool,
    /// It has no part or no end.
    pub(super) is_malformed: bool,
}

/// Splits `bytes` into at most `most` parts and one.
pub(super) fn split(bytes: &[u8], boundary: &str, most: usize) -> Split {
    let mut out = Split::default();
    let delimiter = [b"--", boundary.as_bytes()].concat();
    // Where the part that is open began; where the text outside began.
    let (mut open, mut from, mut is_closed) = (None, 0, false);
    for at in memchr::memmem::find_iter(bytes, &delimiter) {
        let before = bytes.get(..at).unwrap_or_default();
        if at > 0 && !before.ends_with(b"\n") {
            // Some end lines at a carriage return too.
            out.is_ambiguous |= before.ends_with(b"\r");
            continue;
        }
        let rest = bytes.get(at + delimiter.len()..).unwrap_or_default();
        let tail = rest.strip_prefix(b"--").unwrap_or(rest);
        let line = memchr::memchr(b'\n', tail).unwrap_or(tail.len());
        if !tail.get(..line).unwrap_or_default().trim_ascii().is_empty() {
            out.is_ambiguous = true;
            continue;
        }
        // Parts behind the end are read by those who do not stop there.
        out.is_ambiguous |= is_closed;
        match open {
            Some(start) => {
                let end = before.strip_suffix(b"\n").unwrap_or(before);
                let end = end.strip_suffix(b"\r").unwrap_or(end).len();
                out.parts.push(start..end.max(start));
            }
            None => out.note_outside(bytes, from..at),
        }
        let next = (bytes.len() - tail.len() + line + 1).min(bytes.len());
        let is_end = tail.len() < rest.len();
        is_closed |= is_end;
        open = (!is_end).then_some(next);
        from = next;
        if out.parts.len() > most {
            return out;
        }
    }
    match open {
        Some(start) => {
            out.is_malformed = true;
            out.parts.push(start..bytes.len());
        }
        None => {
            out.is_malformed = !is_closed;
            out.note_outside(bytes, from..bytes.len());
        }
    }
    out
}

impl Split {
    fn note_outside(&mut self, bytes: &[u8], range: Range<usize>) {
        let text = bytes.get(range.clone()).unwrap_or_default();
        if !text.trim_ascii().is_empty() {
            self.outside.push(range);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_whatever_ends_lines() {
        let check = |body: &str, parts: &[&str], outside: &[&str], doubts: (bool, bool)| {
            let it = split(body.as_bytes(), "B", 100);
            let text = |it: &Range<usize>| body.get(it.clone()).unwrap();
            let found: Vec<&str> = it.parts.iter().map(text).collect();
            assert_eq!(found, parts, "{body:?}");
            let found: Vec<&str> = it.outside.iter().map(text).collect();
            assert_eq!(found, outside, "{body:?}");
            assert_eq!((it.is_ambiguous, it.is_malformed), doubts, "{body:?}");
        };
        let clear = (false, false);
        check("--B\r\n\r\nx\r\n--B--\r\n", &["\r\nx"], &[], clear);
        check("--B\n\nx\n--B\n\ny\n--B--", &["\nx", "\ny"], &[], clear);
        check("p\n--B \nx\n--B--\t\ne", &["x"], &["p\n", "e"], clear);
        check("--B\n--B--", &[""], &[], clear);
        check("a--B\n--B\nx--B\n--B--", &["x--B"], &["a--B\n"], clear);
        // Places where readers differ.
        check(
            "--B\nx\n--BB\ny\n--B--",
            &["x\n--BB\ny"],
            &[],
            (true, false),
        );
        check("--B\nx\r--B\ny\n--B--", &["x\r--B\ny"], &[], (true, false));
        check(
            "--B\nx\n--B--\n--B\ny\n--B--",
            &["x", "y"],
            &[],
            (true, false),
        );
        check("--B\nx\n", &["x\n"], &[], (false, true));
        check("x", &[], &["x"], (false, true));
        check("--b\nx\n--b--", &[], &["--b\nx\n--b--"], (false, true));
        assert_eq!(split(&b"--B\n".repeat(50), "B", 3).parts.len(), 4);
    }
}
