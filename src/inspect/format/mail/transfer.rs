//! Content transfer encodings (RFC 2045 §6).

use super::super::sealed;
use crate::model::finding::GapKind;

/// How the content of a part is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Transfer {
    Base64,
    Plain,
    QuotedPrintable,
}

impl Transfer {
    /// The encoding called `name`.
    ///
    /// # Errors
    /// `UnsupportedCoding` for any other.
    pub(super) fn of(name: &str) -> Result<Self, GapKind> {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "7bit" | "8bit" | "binary" => Ok(Self::Plain),
            "base64" => Ok(Self::Base64),
            "quoted-printable" => Ok(Self::QuotedPrintable),
            _ => Err(GapKind::UnsupportedCoding),
        }
    }

    /// What `bytes` stand for; `None` when they are not so written.
    pub(super) fn undo(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Base64 => base64(bytes),
            Self::Plain => Some(bytes.to_vec()),
            Self::QuotedPrintable => quoted_printable(bytes),
        }
    }
}

/// Base64 with line breaks. Some readers skip what is not of the alphabet and others end there, so that is no base64.
fn base64(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.iter().any(|it| matches!(it, b' ' | b'\t')) {
        let bare: Vec<u8> = bytes
            .iter()
            .copied()
            .filter(|it| !it.is_ascii_whitespace())
            .collect();
        return sealed::decode_folded(&bare);
    }
    sealed::decode_folded(bytes)
}

/// Undoes quoted-printable, with line breaks of either kind and blanks at the end of lines, which are no text (RFC 2045 §6.7 (3)).
fn quoted_printable(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|it| *it == b'\n') {
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
        let end = line.get(bare.len()..).unwrap_or_default();
        let text = bare.trim_ascii_end();
        let (text, end) = match text.strip_suffix(b"=") {
            Some(text) => (text, &[][..]),
            None => (text, end),
        };
        let mut rest = text;
        while let Some(at) = memchr::memchr(b'=', rest) {
            let (plain, escape) = rest.split_at_checked(at)?;
            out.extend_from_slice(plain);
            let digits = std::str::from_utf8(escape.get(1..3)?).ok()?;
            let is_hexadecimal = digits.bytes().all(|it| it.is_ascii_hexdigit());
            out.push(
                u8::from_str_radix(digits, 16)
                    .ok()
                    .filter(|_| is_hexadecimal)?,
            );
            rest = escape.get(3..)?;
        }
        out.extend_from_slice(rest);
        out.extend_from_slice(end);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_undone_or_not_at_all() {
        let undo = |name: &str, text: &str| {
            let bytes = Transfer::of(name).unwrap().undo(text.as_bytes());
            bytes.map(|it| String::from_utf8_lossy(&it).into_owned())
        };
        for (name, text, expected) in [
            ("7bit", "a=41", Some("a=41")),
            ("Quoted-Printable", "a=41=\r\nb=\nc", Some("aAbc")),
            (
                "quoted-printable",
                "9912=\t \r\n31  \r\nx",
                Some("991231\r\nx"),
            ),
            ("quoted-printable", "=d0=90=3D", Some("А=")),
            ("quoted-printable", "a=4", None),
            ("quoted-printable", "a=zz", None),
            ("quoted-printable", "a=+1", None),
            ("BASE64", "OTkx\r\nMjMx\n", Some("991231")),
            ("base64", "OTkx MjMx", Some("991231")),
            ("base64", "OTkx*MjMx", None),
            ("base64", "OQ==OTkx", None),
        ] {
            assert_eq!(undo(name, text).as_deref(), expected, "{text:?}");
        }
        assert_eq!(Transfer::of("x-uuencode"), Err(GapKind::UnsupportedCoding));
    }
}
