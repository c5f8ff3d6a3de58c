//! What the head says of the body: RFC 9110 §8.3 media types, parsed so that a doubtful label is never guessed at.

use http::{HeaderMap, header::CONTENT_TYPE};

use crate::model::finding::GapKind;

/// How a body is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    /// A body that is not text.
    Binary(Binary),
    /// `text/csv` and its old names.
    Csv,
    /// vCard and iCalendar: `text/vcard`, `text/calendar` and their old names.
    ContentLines,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `application/graphql`.
    GraphQl,
    /// `application/http` and `message/http`: a request or response inside a body.
    Http,
    /// `application/json`, `*+json` and their old names.
    Json,
    /// One JSON document a line: `application/x-ndjson` and its many other names.
    Lines,
    /// `message/rfc822` and `message/global`.
    Mail,
    /// `multipart/*`.
    Multipart,
    /// JSON documents, each after a record separator: `application/json-seq`, RFC 7464.
    Sequence,
    /// Text of no further structure: `text/plain` and most of `text/*`.
    Text,
    /// `text/tab-separated-values`.
    Tsv,
    /// `application/xml`, `text/xml` and `*+xml`.
    Xml,
}

/// How a body that is not text is read. It has no charset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Binary {
    /// `application/bson`.
    Bson,
    /// `application/cbor`, `*+cbor`.
    Cbor,
    /// Messages in frames: gRPC, gRPC-Web, Connect.
    Frames(Framed),
    /// `application/msgpack` and its other names.
    MessagePack,
    /// `application/x-protobuf` and its other names.
    Protobuf,
}

/// What the frames of a body hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Framed {
    Json,
    Protobuf,
    /// The frames as a whole are in base64.
    ProtobufInBase64,
}

impl Format {
    /// Whether such a content is bytes: it has no charset of its own.
    pub(crate) const fn is_bytes(self) -> bool {
        matches!(
            self,
            Self::Binary(_) | Self::Http | Self::Mail | Self::Multipart
        )
    }
}

/// Types whose body is one JSON document a line.
const LINES: &[&str] = &[
    "application/json-lines",
    "application/json-stream",
    "application/jsonl",
    "application/jsonlines",
    "application/ndjson",
    // By its suffix it would be one document; it is what ndjson was called in one framework.
    "application/stream+json",
    "application/x-json-stream",
    "application/x-jsonl",
    "application/x-jsonlines",
    "application/x-ndjson",
    // Headers and payloads of items, a line each. An attachment's bytes are no line of JSON, and so a gap.
    "application/x-sentry-envelope",
    "text/jsonl",
    "text/ndjson",
    "text/x-jsonl",
    "text/x-ndjson",
];

/// Types below `text/` that name their values in a way of their own: without a reader for it, names of persons would not be seen.
const STRUCTURED_TEXTS: &[&str] = &["rtf", "x-yaml", "yaml"];

/// A media type with its parameters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MediaType {
    pub(crate) format: Format,
    /// Names in lower case, values without quotes, in the order of the field.
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// The media type in `headers`; `None` when there is none.
    ///
    /// # Errors
    /// The gap, when the label is doubtful or names what is not read.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, GapKind> {
        let mut labels = headers.get_all(CONTENT_TYPE).iter();
        match (labels.next(), labels.next()) {
            (None, _) => Ok(None),
            (Some(label), None) => {
                Self::parse(label.to_str().map_err(|_| GapKind::Ambiguous)?).map(Some)
            }
            (Some(_), Some(_)) => Err(GapKind::Ambiguous),
        }
    }

    /// The media type that `label` is.
    ///
    /// # Errors
    /// As [`MediaType::of`].
    pub(crate) fn parse(label: &str) -> Result<Self, GapKind> {
        // What nearly every interface speaks.
        match label {
            "application/json" => return Ok(Self::bare(Format::Json)),
            "application/x-www-form-urlencoded" => return Ok(Self::bare(Format::Form)),
            _ => {}
        }
        let mut pieces = Pieces(label);
        let essence = pieces.next().unwrap_or_default().to_ascii_lowercase();
        let format = format_of(&essence)?;
        let parameters = pieces
            .filter_map(|it| it.split_once('='))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), unquote(value.trim())))
            .collect();
        Ok(Self { format, parameters })
    }

    /// A media type without parameters.
    pub(crate) const fn bare(format: Format) -> Self {
        Self {
            format,
            parameters: Vec::new(),
        }
    }

    /// The same, for a body that is of another format than its type says.
    pub(crate) fn read_as(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// The value of the parameter `name` (in lower case).
    ///
    /// # Errors
    /// `Ambiguous` when it is given twice and not the same, or in the pieces of RFC 2231, which few put together.
    pub(crate) fn parameter(&self, name: &str) -> Result<Option<&str>, GapKind> {
        let mut found: Option<&str> = None;
        for (own, value) in &self.parameters {
            let Some(rest) = own.strip_prefix(name) else {
                continue;
            };
            if rest.starts_with('*') {
                return Err(GapKind::Ambiguous);
            }
            if rest.is_empty() && *found.get_or_insert(value) != value {
                return Err(GapKind::Ambiguous);
            }
        }
        Ok(found)
    }
}

/// The reader for a type and subtype, in lower case.
fn format_of(essence: &str) -> Result<Format, GapKind> {
    let (kind, subtype) = essence.split_once('/').unwrap_or_default();
    if !is_token(kind) || !is_token(subtype) {
        return Err(GapKind::Ambiguous);
    }
    match (kind, subtype) {
        _ if LINES.contains(&essence) || subtype.ends_with("+x-ndjson") => Ok(Format::Lines),
        _ if subtype == "json-seq" || subtype.ends_with("+json-seq") => Ok(Format::Sequence),
        (_, "csv" | "x-csv" | "comma-separated-values") => Ok(Format::Csv),
        (_, "tab-separated-values") => Ok(Format::Tsv),
        (_, "xml") | ("text", "xml-external-parsed-entity") => Ok(Format::Xml),
        (_, "json" | "x-json") | ("application", "csp-report") => Ok(Format::Json),
        ("application", _) if let Some(it) = binary_of(subtype) => Ok(Format::Binary(it)),
        _ if subtype.ends_with("+json") => Ok(Format::Json),
        _ if subtype.ends_with("+xml") => Ok(Format::Xml),
        ("application", "x-www-form-urlencoded") => Ok(Format::Form),
        ("multipart", _) => Ok(Format::Multipart),
        ("message", "rfc822" | "global") => Ok(Format::Mail),
        ("application" | "message", "http") => Ok(Format::Http),
        ("text", "vcard" | "x-vcard" | "directory" | "calendar" | "x-vcalendar") => {
            Ok(Format::ContentLines)
        }
        ("application", "graphql") => Ok(Format::GraphQl),
        ("text", _) if STRUCTURED_TEXTS.contains(&subtype) => Err(GapKind::UnsupportedMediaType),
        ("text", _) | ("application", "jwt") => Ok(Format::Text),
        ("application", "octet-stream" | "pdf" | "zip") | ("image" | "audio" | "video", _) => {
            Err(GapKind::Opaque)
        }
        _ => Err(GapKind::UnsupportedMediaType),
    }
}

/// The reader for a subtype of `application` whose bodies are bytes.
fn binary_of(subtype: &str) -> Option<Binary> {
    Some(match subtype {
        "grpc" | "grpc+proto" | "grpc-web" | "grpc-web+proto" | "connect+proto" => {
            Binary::Frames(Framed::Protobuf)
        }
        "grpc-web-text" | "grpc-web-text+proto" => Binary::Frames(Framed::ProtobufInBase64),
        "grpc+json" | "grpc-web+json" | "connect+json" => Binary::Frames(Framed::Json),
        "protobuf" | "x-protobuf" | "proto" | "vnd.google.protobuf" | "x-google-protobuf" => {
            Binary::Protobuf
        }
        "msgpack" | "x-msgpack" | "vnd.msgpack" => Binary::MessagePack,
        "cbor" => Binary::Cbor,
        "bson" | "x-bson" | "vnd.mongodb.bson" => Binary::Bson,
        _ if subtype.ends_with("+cbor") => Binary::Cbor,
        _ if subtype.ends_with("+msgpack") => Binary::MessagePack,
        _ if subtype.ends_with("+protobuf") || subtype.ends_with("+proto") => Binary::Protobuf,
        _ => return None,
    })
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
pub(crate) fn is_token(text: &str) -> bool {
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
            let found = MediaType::parse(label).map(|it| it.format);
            assert_eq!(found, expected, "{label}");
        };
        check("application/json", Ok(Json));
        check("\tApplication/JSON;;a", Ok(Json));
        check(
            "application/vnd.api+json; profile=\"a;charset=x\"",
            Ok(Json),
        );
        check("text/x-json", Ok(Json));
        check("application/csp-report", Ok(Json));
        check("application/problem+json", Ok(Json));
        check("application/x-ndjson", Ok(Lines));
        check("application/stream+json", Ok(Lines));
        check(
            "application/vnd.elasticsearch+x-ndjson;compatible-with=8",
            Ok(Lines),
        );
        check("application/x-sentry-envelope", Ok(Lines));
        check("application/json-seq", Ok(Sequence));
        check("application/geo+json-seq", Ok(Sequence));
        check("application/graphql", Ok(GraphQl));
        check("text/html;charset=utf-8", Ok(Text));
        check("text/markdown", Ok(Text));
        check("text/event-stream", Ok(Text));
        check("text/vcard", Ok(ContentLines));
        check("text/calendar; method=REQUEST", Ok(ContentLines));
        check("text/yaml", Err(UnsupportedMediaType));
        check("application/xml", Ok(Xml));
        check("text/xml; charset=utf-8", Ok(Xml));
        check("application/soap+xml; action=\"a\"", Ok(Xml));
        check("image/svg+xml", Ok(Xml));
        check("text/csv; header=present", Ok(Csv));
        check("text/tab-separated-values", Ok(Tsv));
        check(
            "application/x-protobuf",
            Ok(Binary(super::Binary::Protobuf)),
        );
        check(
            "application/grpc",
            Ok(Binary(super::Binary::Frames(Framed::Protobuf))),
        );
        check(
            "application/grpc-web-text",
            Ok(Binary(super::Binary::Frames(Framed::ProtobufInBase64))),
        );
        check(
            "application/connect+json",
            Ok(Binary(super::Binary::Frames(Framed::Json))),
        );
        check("application/grpc+thrift", Err(UnsupportedMediaType));
        check(
            "application/vnd.msgpack",
            Ok(Binary(super::Binary::MessagePack)),
        );
        check("application/senml+cbor", Ok(Binary(super::Binary::Cbor)));
        check("application/bson", Ok(Binary(super::Binary::Bson)));
        check("application/avro", Err(UnsupportedMediaType));
        check("application/x-www-form-urlencoded", Ok(Form));
        check("text/plain; format=flowed", Ok(Text));
        check("multipart/form-data; boundary=a", Ok(Multipart));
        check("text/plain, application/json", Err(Ambiguous));
        check("json", Err(Ambiguous));
        check("", Err(Ambiguous));
        check("image/png", Err(Opaque));
        check("application/octet-stream", Err(Opaque));
    }

    #[test]
    fn a_parameter_has_one_value_or_none() {
        let charset = |label: &str| {
            let media_type = MediaType::parse(label).unwrap();
            media_type
                .parameter("charset")
                .map(|it| it.map(str::to_owned))
        };
        let is = |label: &str, expected: &str| {
            assert_eq!(charset(label), Ok(Some(expected.to_owned())), "{label}");
        };
        is("application/json; charset=\"UT\\F-8\"", "UTF-8");
        is("application/json ; Charset = \"UTF-8\"", "UTF-8");
        is("text/plain; charset=a; CHARSET=a", "a");
        for label in [
            "application/json",
            "application/json; profile=\"a;charset=x\"",
            "text/plain; charset",
            "text/plain; charsets=x",
        ] {
            assert_eq!(charset(label), Ok(None), "{label}");
        }
        for label in [
            "application/json; charset=utf-8; charset=utf-7",
            "application/json; charset=utf-8; charset=",
            "application/json; charset=utf-8; charset=UTF-8",
            "text/plain; charset*=utf-8''utf-7",
            "text/plain; charset*0=utf-; charset*1=7",
        ] {
            assert_eq!(charset(label), Err(GapKind::Ambiguous), "{label}");
        }
    }

    #[test]
    fn no_label_and_two_labels_are_told() {
        let mut headers = HeaderMap::new();
        assert_eq!(MediaType::of(&headers), Ok(None));
        for expected in [
            Ok(Some(MediaType::bare(Format::Json))),
            Err(GapKind::Ambiguous),
        ] {
            headers.append(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            assert_eq!(MediaType::of(&headers), expected);
        }
    }
}
