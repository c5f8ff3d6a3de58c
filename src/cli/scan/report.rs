//! The answer to one message: a JSON object in a line. Written without a tree of it, since an answer is a fifth of what is read.

use std::io;

use http::HeaderMap;

use crate::model::{
    finding::{Finding, Gap, Location, Part, Raised, Step, normalized_path},
    inspection::Inspection,
    message::Message,
};

/// The answer to a line that is wrong.
pub(super) fn error(id: Option<&str>, reason: &str, out: &mut Vec<u8>) -> io::Result<()> {
    begin(id, out);
    member("error", out);
    string(reason, out)?;
    out.extend_from_slice(b"}\n");
    Ok(())
}

/// The answer to a message, of whose body `body` is the text if it may hold other than ASCII.
pub(super) fn inspection(
    id: Option<&str>,
    inspection: &Inspection,
    message: &Message,
    body: Option<&str>,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let mut body = Offsets::of(body);
    begin(id, out);
    member("findings", out);
    out.push(b'[');
    for (at, it) in inspection.findings.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        finding(it, message, &mut body, out)?;
    }
    out.extend_from_slice(b"],\"gaps\":[");
    for (at, it) in inspection.gaps.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        gap(it, out)?;
    }
    out.extend_from_slice(b"]}\n");
    Ok(())
}

fn begin(id: Option<&str>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":");
    out.extend_from_slice(id.unwrap_or("null").as_bytes());
}

fn finding(
    it: &Finding,
    message: &Message,
    body: &mut Offsets<'_>,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let location = &it.location;
    out.extend_from_slice(b"{\"category\":\"");
    out.extend_from_slice(it.category.code().as_bytes());
    out.push(b'"');
    word("detector", it.detector, out);
    word("confidence", it.confidence.as_str(), out);
    if let Some(raised) = it.raised {
        word("raised", Raised::as_str(raised), out);
    }
    word("part", location.part.as_str(), out);
    if let Some(name) = location.name.as_deref() {
        member("name", out);
        string(name, out)?;
    }
    if let Some(steps) = &location.path {
        member("path", out);
        path(steps, out)?;
    }
    if let Some(steps) = &location.inner {
        member("inner", out);
        path(steps, out)?;
    }
    word("in", if it.in_key { "key" } else { "value" }, out);
    let (start, end) = match location.part {
        Part::Body => body.range(&it.span),
        Part::Path | Part::Query | Part::Header | Part::Trailer => {
            Offsets::of(part_text(location, message)).range(&it.span)
        }
    };
    member("start", out);
    serde_json::to_writer(&mut *out, &start)?;
    member("end", out);
    serde_json::to_writer(&mut *out, &end)?;
    out.push(b'}');
    Ok(())
}

fn gap(it: &Gap, out: &mut Vec<u8>) -> io::Result<()> {
    out.extend_from_slice(b"{\"kind\":\"");
    out.extend_from_slice(it.kind.as_str().as_bytes());
    out.push(b'"');
    word("part", it.location.part.as_str(), out);
    if let Some(steps) = &it.location.path {
        member("path", out);
        path(steps, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// Begins a member that is not the first.
fn member(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// A member whose value is a word of ours, without anything to escape.
fn word(name: &str, value: &str, out: &mut Vec<u8>) {
    member(name, out);
    out.push(b'"');
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

fn string(text: &str, out: &mut Vec<u8>) -> io::Result<()> {
    Ok(serde_json::to_writer(out, text)?)
}

/// A normalized path as a string.
fn path(steps: &[Step], out: &mut Vec<u8>) -> io::Result<()> {
    let is_plain = |it: &Step| match it {
        Step::Index(_) => true,
        Step::Name(name) => !name.bytes().any(|it| it < b' ' || b"\"'\\".contains(&it)),
    };
    if !steps.iter().all(is_plain) {
        return string(&normalized_path(steps), out);
    }
    out.extend_from_slice(b"\"$");
    for step in steps {
        match step {
            Step::Index(at) => {
                out.push(b'[');
                serde_json::to_writer(&mut *out, at)?;
                out.push(b']');
            }
            Step::Name(name) => {
                out.extend_from_slice(b"['");
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(b"']");
            }
        }
    }
    out.push(b'"');
    Ok(())
}

/// The text in which a part's spans count.
fn part_text<'m>(location: &Location, message: &'m Message) -> Option<&'m str> {
    let field = |fields: &'m HeaderMap| {
        let name = location.name.as_deref()?;
        std::str::from_utf8(fields.get(name)?.as_bytes()).ok()
    };
    match location.part {
        Part::Body => None,
        Part::Path => Some(&message.path),
        Part::Query => message.query.as_deref(),
        Part::Header => field(&message.headers),
        Part::Trailer => field(&message.trailers),
    }
}

/// Bytes to code points, walking forward once: spans come in the order of the text.
pub(super) struct Offsets<'a> {
    /// `None` where bytes and code points agree, or the part is no text.
    text: Option<&'a [u8]>,
    byte: usize,
    point: usize,
}

impl<'a> Offsets<'a> {
    pub(super) fn of(text: Option<&'a str>) -> Self {
        Self {
            text: text.filter(|it| !it.is_ascii()).map(str::as_bytes),
            byte: 0,
            point: 0,
        }
    }

    pub(super) fn range(&mut self, span: &std::ops::Range<usize>) -> (usize, usize) {
        let start = self.at(span.start);
        (start, self.at(span.end))
    }

    /// The code points before byte `at`.
    fn at(&mut self, at: usize) -> usize {
        let Some(text) = self.text else {
            return at;
        };
        if at < self.byte {
            self.byte = 0;
            self.point = 0;
        }
        let between = text.get(self.byte..at.min(text.len())).unwrap_or_default();
        self.point += between
            .iter()
            .filter(|it| **it & 0b1100_0000 != 0b1000_0000)
            .count();
        self.byte = at.min(text.len());
        self.point
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_they_are_normalized() {
        for name in ["a", "a'b", "a\"b", "a\\b", "a\nb", "имя"] {
            let steps = [Step::Name(name.into()), Step::Index(12)];
            let mut out = Vec::new();
            path(&steps, &mut out).unwrap();
            let read: String = serde_json::from_slice(&out).unwrap();
            assert_eq!(read, normalized_path(&steps));
        }
    }
}
