//! The header fields of a part (RFC 7578 §4, RFC 2183, RFC 8187), strictly.

use std::{borrow::Cow, ops::Range};

use super::super::{
    super::media_type::is_token,
    layer::{Escape, unescape_percent},
};
use crate::model::finding::GapKind;

/// Most fields of a part: no client sends more than a handful.
const FIELDS_MAX: usize = 64;

/// One field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Field<'b> {
    pub(super) name: &'b str,
    /// Where the name starts in the body.
    pub(super) name_at: usize,
    pub(super) value: &'b str,
    /// Where the value starts in the body.
    pub(super) at: usize,
}

impl Field<'_> {
    /// Whether it is called `name`.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// The fields in `bytes`, which start at byte `base` of the body and end in `end` each.
///
/// # Errors
/// `Ambiguous` where parsers are known to differ, `Malformed` where it is no field at all.
pub(super) fn fields<'b>(
    bytes: &'b [u8],
    base: usize,
    end: &str,
) -> Result<Vec<Field<'b>>, GapKind> {
    let text = std::str::from_utf8(bytes).map_err(|_| GapKind::UnsupportedCharset)?;
    let mut out = Vec::new();
    let mut at = base;
    for line in text.split_terminator(end) {
        let start = at;
        at += line.len() + end.len();
        if line
            .bytes()
            .any(|it| it < b' ' && it != b'\t' || it == 0x7f)
        {
            return Err(GapKind::Ambiguous);
        }
        // A folded line belongs to the field before it for some, and is dropped by others.
        if line.starts_with([' ', '\t']) || out.len() >= FIELDS_MAX {
            return Err(GapKind::Ambiguous);
        }
        let (name, rest) = line.split_once(':').ok_or(GapKind::Malformed)?;
        if !is_token(name) {
            return Err(GapKind::Ambiguous);
        }
        let value = rest.trim_matches([' ', '\t']);
        let leading = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        out.push(Field {
            name,
            name_at: start,
            value,
            at: start + name.len() + 1 + leading,
        });
    }
    Ok(out)
}

/// A parameter of a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Parameter<'b> {
    /// In lower case, without what RFC 2231 appends.
    pub(super) name: String,
    /// Without quotes, as it is written otherwise.
    pub(super) raw: &'b str,
    pub(super) is_quoted: bool,
    /// Where `raw` starts in the value of the field.
    pub(super) at: usize,
    /// Written as RFC 8187 says: charset, language and percent escapes.
    pub(super) is_extended: bool,
    /// A piece of a value (RFC 2231 §3), which few parsers put together.
    pub(super) is_piece: bool,
}

/// A value of the form `kind; name=value; …`, such as those of `Content-Disposition` and `Content-Type`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Parameterised<'b> {
    /// In lower case.
    pub(super) kind: String,
    pub(super) parameters: Vec<Parameter<'b>>,
}

impl<'b> Parameterised<'b> {
    /// Reads `value`.
    ///
    /// # Errors
    /// `Ambiguous` where parsers are known to differ on it.
    pub(super) fn parse(value: &'b str) -> Result<Self, GapKind> {
        let mut pieces = pieces(value).into_iter();
        let kind = pieces.next().and_then(|it| value.get(it));
        let kind = kind.unwrap_or_default().to_ascii_lowercase();
        let mut parameters: Vec<Parameter<'_>> = Vec::new();
        for piece in pieces.filter(|it| !it.is_empty()) {
            let parameter = parameter(value.get(piece.clone()).unwrap_or_default(), piece.start)?;
            let is_same = |it: &Parameter<'_>| {
                it.name == parameter.name
                    && it.is_extended == parameter.is_extended
                    && !(it.is_piece && parameter.is_piece)
            };
            if parameters.iter().any(is_same) {
                return Err(GapKind::Ambiguous);
            }
            parameters.push(parameter);
        }
        Ok(Self { kind, parameters })
    }

    /// The parameter `name`, which must not be written in pieces, nor plain and extended at once.
    ///
    /// # Errors
    /// `Ambiguous` when it is.
    pub(super) fn one(&self, name: &str) -> Result<Option<&Parameter<'b>>, GapKind> {
        let mut all = self.parameters.iter().filter(|it| it.name == name);
        match (all.next(), all.next()) {
            (None, _) => Ok(None),
            (Some(it), None) if !it.is_piece => Ok(Some(it)),
            (Some(_), _) => Err(GapKind::Ambiguous),
        }
    }
}

/// The pieces of `value` between semicolons outside quotes, without the spaces around them.
fn pieces(value: &str) -> Vec<Range<usize>> {
    let (mut is_quoted, mut is_escaped, mut from) = (false, false, 0);
    let mut ends: Vec<usize> = Vec::new();
    for (at, byte) in value.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b';' if !is_quoted => ends.push(at),
            _ => {}
        }
    }
    ends.push(value.len());
    let space = [' ', '\t'];
    ends.into_iter()
        .map(|end| {
            let piece = value.get(from..end).unwrap_or_default();
            let start = from + (piece.len() - piece.trim_start_matches(space).len());
            from = end + 1;
            start..start + piece.trim_matches(space).len()
        })
        .collect()
}

/// One `name=value`, which starts at `base` of the value of its field.
fn parameter(piece: &str, base: usize) -> Result<Parameter<'_>, GapKind> {
    let (name, written) = piece.split_once('=').ok_or(GapKind::Ambiguous)?;
    let (own, further) = match name.split_once('*') {
        Some((own, further)) => (own, Some(further)),
        None => (name, None),
    };
    if !is_token(own) {
        return Err(GapKind::Ambiguous);
    }
    let is_quoted = written.len() > 1 && written.starts_with('"') && written.ends_with('"');
    let raw = if is_quoted {
        written.get(1..written.len() - 1).unwrap_or_default()
    } else {
        written
    };
    // A quote that is escaped ends the value for some; single quotes are quotes for some.
    let is_clear = if is_quoted {
        !raw.contains('"') && !raw.ends_with('\\')
    } else {
        is_token(raw) && !raw.starts_with('\'')
    };
    if !is_clear {
        return Err(GapKind::Ambiguous);
    }
    Ok(Parameter {
        name: own.to_ascii_lowercase(),
        raw,
        is_quoted,
        at: base + name.len() + 1 + usize::from(is_quoted),
        is_extended: further == Some(""),
        is_piece: further.is_some_and(|it| !it.is_empty()),
    })
}

impl Parameter<'_> {
    /// The value without its escapes.
    ///
    /// # Errors
    /// It is in a charset that is not UTF-8, or not in the form of RFC 8187.
    pub(super) fn text(&self) -> Result<Cow<'_, str>, GapKind> {
        if !self.is_extended {
            return Ok(self.raw.into());
        }
        let mut pieces = self.raw.splitn(3, '\'');
        let (charset, Some(_language), Some(rest)) = (pieces.next(), pieces.next(), pieces.next())
        else {
            return Err(GapKind::Ambiguous);
        };
        if !charset.is_some_and(|it| it.eq_ignore_ascii_case("utf-8")) {
            return Err(GapKind::UnsupportedCharset);
        }
        match unescape_percent(rest, Escape::Percent) {
            Ok(text) => Ok(text.map_or(rest.into(), Cow::Owned)),
            Err(_) => Err(GapKind::Ambiguous),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_lines_of_name_and_value() {
        let bytes = b"A: b\r\nContent-Type:\ttext/plain \r\n";
        let found = fields(bytes, 10, "\r\n").unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|it| (it.name, it.name_at, it.value, it.at))
            .collect();
        assert_eq!(
            found,
            [("A", 10, "b", 13), ("Content-Type", 16, "text/plain", 30)]
        );
        assert_eq!(fields(b"", 0, "\r\n"), Ok(vec![]));
        for (bytes, fault) in [
            (&b"a: b\r\n c\r\n"[..], GapKind::Ambiguous),
            (b"a: b\rc: d\r\n", GapKind::Ambiguous),
            (b"a: b\nc: d\r\n", GapKind::Ambiguous),
            (b"a: b\0\r\n", GapKind::Ambiguous),
            (b"a : b\r\n", GapKind::Ambiguous),
            (b": b\r\n", GapKind::Ambiguous),
            (b"a\r\n", GapKind::Malformed),
            (b"a: \xff\r\n", GapKind::UnsupportedCharset),
        ] {
            assert_eq!(fields(bytes, 0, "\r\n"), Err(fault), "{bytes:?}");
        }
        let many = "a: b\r\n".repeat(FIELDS_MAX + 1);
        assert_eq!(fields(many.as_bytes(), 0, "\r\n"), Err(GapKind::Ambiguous));
    }

    #[test]
    fn parameters_are_read_where_all_agree() {
        let value = "Form-Data;name=\"a;b\" ; filename=x.txt;filename*=UTF-8''%e2%82%ac;";
        let it = Parameterised::parse(value).unwrap();
        assert_eq!(it.kind, "form-data");
        let found: Vec<_> = it
            .parameters
            .iter()
            .map(|it| {
                assert_eq!(value.get(it.at..it.at + it.raw.len()), Some(it.raw));
                (it.name.as_str(), it.text().unwrap().into_owned())
            })
            .collect();
        assert_eq!(
            found,
            [
                ("name", "a;b".to_owned()),
                ("filename", "x.txt".to_owned()),
                ("filename", "€".to_owned())
            ]
        );
        assert!(it.one("name").unwrap().is_some());
        assert_eq!(it.one("filename"), Err(GapKind::Ambiguous));
        assert_eq!(it.one("size"), Ok(None));
        for value in [
            "form-data; name=\"a\"; name=\"a\"",
            "form-data; name='x'",
            "form-data; name=\"a\\\"b\"",
            "form-data; name=\"a",
            "form-data; name=a b",
            "form-data; name",
            "form-data; na me=a",
            "form-data; name =a",
            "form-data; name*=utf-8''a; name*=utf-8''b",
        ] {
            assert_eq!(
                Parameterised::parse(value).map(|it| it.kind),
                Err(GapKind::Ambiguous),
                "{value}"
            );
        }
        let pieces = Parameterised::parse("form-data; name*0=a; name*1*=b").unwrap();
        assert_eq!(pieces.one("name"), Err(GapKind::Ambiguous));
        for (value, fault) in [
            ("x; f*=latin-1''a", GapKind::UnsupportedCharset),
            ("x; f*=utf-8'a", GapKind::Ambiguous),
            ("x; f*=utf-8''%f", GapKind::Ambiguous),
        ] {
            let it = Parameterised::parse(value).unwrap();
            assert_eq!(it.parameters[0].text(), Err(fault), "{value}");
        }
    }
}
