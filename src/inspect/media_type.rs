//! What the head says of the body: RFC 9110 §8.3 media types, parsed so that a doubtful label is never guessed at.

use http::{HeaderMap, header::CONTENT_TYPE};

use crate::model::finding::GapKind;

/// How a body is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `application/json`, `*+json` and their old names.
    Json,
    /// `text/plain`.
    Text,
}

/// The reader for a body with these fields.
///
/// # Errors
/// The gap, when the label is missing, doubtful, not supported, or names a charset that is not.
pub(crate) fn format_of(headers: &HeaderMap) -> Result<Format, GapKind> {
    let mut labels = headers.get_all(CONTENT_TYPE).iter();
    let label = match (labels.next(), labels.next()) {
        (None, _) => return Err(GapKind::UnsupportedMediaType),
        (Some(label), None) => label.to_str().map_err(|_| GapKind::Ambiguous)?,
        (Some(_), Some(_)) => return Err(GapKind::Ambiguous),
    };
    let mut pieces = Pieces(label);
    let essence = pieces.next().unwrap_or_default().to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/').unwrap_or_default();
    if !is_token(kind) || !is_token(subtype) {
        return Err(GapKind::Ambiguous);
    }
    let format = match essence.as_str() {
        "application/json" | "text/json" | "application/x-json" | "text/x-json" => Format::Json,
        "application/x-www-form-urlencoded" => Format::Form,
        "text/plain" => Format::Text,
        "application/octet-stream" | "application/pdf" | "application/zip" => {
            return Err(GapKind::Opaque);
        }
        _ if subtype.ends_with("+json") => Format::Json,
        _ if matches!(kind, "image" | "audio" | "video") => return Err(GapKind::Opaque),
        _ => return Err(GapKind::UnsupportedMediaType),
    };
    charset(pieces)?;
    Ok(format)
}

/// Accepts UTF-8 and its subset; two different labels are ambiguous.
fn charset(parameters: Pieces<'_>) -> Result<(), GapKind> {
    let mut seen: Option<String> = None;
    for parameter in parameters {
        let Some((name, value)) = parameter.split_once('=') else {
            continue;
        };
        if !name.trim().eq_ignore_ascii_case("charset") {
            continue;
        }
        let label = unquote(value.trim()).to_ascii_lowercase();
        if seen.as_ref().is_some_and(|it| *it != label) {
            return Err(GapKind::Ambiguous);
        }
        seen = Some(label);
    }
    match seen.as_deref() {
        None | Some("utf-8" | "utf8" | "us-ascii" | "ascii") => Ok(()),
        Some(_) => Err(GapKind::UnsupportedCharset),
    }
}

/// The content of a quoted string, or `value` itself.
fn unquote(value: &str) -> String {
    let Some(quoted) = value.strip_prefix('"').and_then(|it| it.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut out = String::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    while let Some(ch) = chars.next() {
        out.extend(if ch == '\\' { chars.next() } else { Some(ch) });
    }
    out
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&it))
}

/// The pieces between semicolons that stand outside quoted strings, trimmed.
struct Pieces<'a>(&'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        let (mut is_quoted, mut is_escaped) = (false, false);
        let end = self.0.bytes().position(|byte| {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if is_quoted => is_escaped = true,
                b'"' => is_quoted = !is_quoted,
                b';' if !is_quoted => return true,
                _ => {}
            }
            false
        });
        let (piece, rest) = match end {
            Some(at) => (
                self.0.get(..at).unwrap_or_default(),
                self.0.get(at + 1..).unwrap_or_default(),
            ),
            None => (self.0, ""),
        };
        self.0 = rest;
        Some(piece.trim_matches([' ', '\t']))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn labels_are_read_or_refused_never_guessed() {
        use {Format::*, GapKind::*};
        let check = |label: &str, expected: Result<Format, GapKind>| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(label).unwrap());
            assert_eq!(format_of(&headers), expected, "{label}");
        };
        check("application/json", Ok(Json));
        check("\tApplication/JSON;;a", Ok(Json));
        check("application/json; charset=\"UT\\F-8\"", Ok(Json));
        check(
            "application/vnd.api+json; profile=\"a;charset=x\"",
            Ok(Json),
        );
        check("text/x-json", Ok(Json));
        check(
            "application/x-www-form-urlencoded; charset=us-ascii",
            Ok(Form),
        );
        check("text/plain; format=flowed", Ok(Text));
        check("text/plain; charset=utf-16", Err(UnsupportedCharset));
        check(
            "application/json; charset=utf-8; charset=utf-7",
            Err(Ambiguous),
        );
        check("text/plain, application/json", Err(Ambiguous));
        check("json", Err(Ambiguous));
        check("", Err(Ambiguous));
        check("text/html", Err(UnsupportedMediaType));
        check("multipart/form-data; boundary=a", Err(UnsupportedMediaType));
        check("application/x-ndjson", Err(UnsupportedMediaType));
        check("image/png", Err(Opaque));
        check("application/octet-stream", Err(Opaque));
    }

    #[test]
    fn no_label_and_two_labels_are_gaps() {
        let mut headers = HeaderMap::new();
        assert_eq!(format_of(&headers), Err(GapKind::UnsupportedMediaType));
        for _ in 0..2 {
            headers.append(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        assert_eq!(format_of(&headers), Err(GapKind::Ambiguous));
    }
}
