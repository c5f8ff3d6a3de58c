//! What a file is, by its name and its first bytes.

use std::path::Path;

/// Media types by the end of a file's name.
const TYPES: &[(&str, &str)] = &[
    ("bson", "application/bson"),
    ("cbor", "application/cbor"),
    ("csv", "text/csv"),
    ("form", "application/x-www-form-urlencoded"),
    ("gql", "application/graphql"),
    ("graphql", "application/graphql"),
    ("ics", "text/calendar"),
    ("json", "application/json"),
    ("jsonl", "application/x-ndjson"),
    ("msgpack", "application/msgpack"),
    ("ndjson", "application/x-ndjson"),
    ("pb", "application/x-protobuf"),
    ("tab", "text/tab-separated-values"),
    ("tsv", "text/tab-separated-values"),
    ("vcf", "text/vcard"),
    ("xml", "application/xml"),
];

/// First bytes of files that are no text, whatever their names say.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
];

/// Content codings by the end of a file's name, which stands behind the type's: `orders.csv.gz`.
const CODINGS: &[(&str, &str)] = &[("br", "br"), ("gz", "gzip"), ("zst", "zstd")];

/// The end of the file's name, in lower case, and its content coding where the name ends with one.
pub(super) fn extension(file: &Path) -> (String, Option<&'static str>) {
    let of = |it: &Path| {
        it.extension()
            .and_then(|it| it.to_str())
            .map(str::to_lowercase)
    };
    let last = of(file).unwrap_or_default();
    let coding = CODINGS.iter().find(|(end, _)| *end == last);
    match coding {
        Some((_, coding)) => (
            of(&file.with_extension("")).unwrap_or_default(),
            Some(coding),
        ),
        None => (last, None),
    }
}

/// Media type by the file's first bytes where these tell it from text, by its name, else by its first byte.
pub(super) fn guess_type(file: &Path, content: &[u8]) -> &'static str {
    if let Some((_, binary)) = SIGNATURES.iter().find(|it| content.starts_with(it.0)) {
        return binary;
    }
    let (end, coding) = extension(file);
    if let Some((_, named)) = TYPES.iter().find(|(name, _)| *name == end) {
        return named;
    }
    match (content, content.trim_ascii_start().first()) {
        ([0xff, 0xfe, ..] | [0xfe, 0xff, ..], _) => "text/plain; charset=utf-16",
        (_, Some(b'{' | b'[')) if is_lines(content) => "application/x-ndjson",
        (_, Some(b'{' | b'[')) => "application/json",
        (_, Some(b'<')) => "application/xml",
        // Nothing is known of what a coding hides but the name.
        _ if coding.is_some() => "application/octet-stream",
        _ => "text/plain; charset=utf-8",
    }
}

/// Whether the first line is a JSON document of its own, and others follow.
fn is_lines(content: &[u8]) -> bool {
    let mut lines = content.split(|it| *it == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.find(|it| !it.is_empty()).unwrap_or_default();
    lines.any(|it| !it.is_empty()) && serde_json::from_slice::<serde::de::IgnoredAny>(first).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_guessed() {
        let table: &[(&str, &[u8], &str)] = &[
            ("a.csv", b"x", "text/csv"),
            ("a.CSV", b"x", "text/csv"),
            ("a.csv.gz", b"x", "text/csv"),
            ("a.gz", b"\x1f\x8b", "application/octet-stream"),
            ("-", b" {}", "application/json"),
            ("-", b"{}\n{}\n", "application/x-ndjson"),
            ("-", b"{\n}\n", "application/json"),
            ("a", b"<a/>", "application/xml"),
            ("a.vcf", b"BEGIN:VCARD", "text/vcard"),
            ("a.txt", b"x", "text/plain; charset=utf-8"),
            ("a.txt", b"\xff\xfex\0", "text/plain; charset=utf-16"),
            ("a.txt", b"%PDF-1.7", "application/pdf"),
            ("a.json", b"\x89PNG\r\n\x1a\n", "image/png"),
        ];
        for (file, content, expected) in table {
            assert_eq!(guess_type(Path::new(file), content), *expected, "{file}");
        }
        assert_eq!(
            extension(Path::new("a.json.zst")),
            ("json".to_owned(), Some("zstd"))
        );
        assert_eq!(extension(Path::new("a")), (String::new(), None));
    }
}
