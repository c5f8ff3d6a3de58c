//! The line of a message, read without a tree and in one pass: most of it is the body, most of whose escapes are of quotes.
//!
//! Only what is plainly written is read here. Every other line, the wrong ones among them, goes the long way, which knows all of JSON
//! and says what is wrong.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};

use crate::model::message::Message;

/// Longest string that is read here other than the body; a longer one goes the long way.
const HEAD_MAX: usize = 512;

/// Longest name of a member that is known here.
const NAME_MAX: usize = 17;

/// Bytes of a string that are looked at together.
const CHUNK: usize = 16;

/// Strings of a line, by their members.
#[derive(Default)]
struct Strings<'l> {
    id: Option<&'l str>,
    method: Option<Vec<u8>>,
    host: Option<Vec<u8>>,
    path: Option<Vec<u8>>,
    content_type: Option<Vec<u8>>,
    content_encoding: Option<Vec<u8>>,
    body: Option<Vec<u8>>,
}

/// The id of the message, as it is written, and the message; `None` for a line that must go the long way.
pub(super) fn read(line: &[u8]) -> Option<(Option<&str>, Message)> {
    let strings = Strings::read(std::str::from_utf8(line).ok()?)?;
    let method = match strings.method {
        Some(name) => Method::from_bytes(&name).ok()?,
        None => Method::POST,
    };
    let mut headers = HeaderMap::with_capacity(4);
    for (name, value) in [
        (header::HOST, strings.host),
        (header::CONTENT_TYPE, strings.content_type),
        (header::CONTENT_ENCODING, strings.content_encoding),
    ] {
        if let Some(value) = value {
            headers.insert(
                name,
                HeaderValue::from_maybe_shared(Bytes::from(value)).ok()?,
            );
        }
    }
    let mut path = match strings.path {
        Some(it) => String::from_utf8(it).ok()?,
        None => "/".to_owned(),
    };
    let query = path.split_once('?').map(|it| it.1.to_owned());
    if let Some(query) = &query {
        path.truncate(path.len() - query.len() - 1);
    }
    let message = Message {
        method,
        path,
        query,
        headers,
        body: strings.body.map(Bytes::from).unwrap_or_default(),
        trailers: HeaderMap::new(),
    };
    Some((strings.id, message))
}

impl<'l> Strings<'l> {
    /// One object of strings with names that are known here, each at most once.
    fn read(line: &'l str) -> Option<Self> {
        let mut it = Self::default();
        let mut rest = behind_space(line).strip_prefix('{')?;
        loop {
            let (name, behind) = name(behind_space(rest).strip_prefix('"')?)?;
            let behind = behind_space(behind).strip_prefix(':')?;
            let value = behind_space(behind);
            let inside = value.strip_prefix('"')?;
            let length = if name == "id" {
                let length = inside.bytes().position(is_special)?;
                it.id = match (it.id, inside.as_bytes().get(length)) {
                    (None, Some(b'"')) => value.get(..length + 2),
                    _ => return None,
                };
                length
            } else {
                let slot = match name {
                    "method" => &mut it.method,
                    "host" => &mut it.host,
                    "path" => &mut it.path,
                    "content_type" => &mut it.content_type,
                    "content_encoding" => &mut it.content_encoding,
                    "body" => &mut it.body,
                    _ => return None,
                };
                if slot.is_some() {
                    return None;
                }
                // The body is most of what is left of the line; others are short, and seldom hold an escape.
                let (length, text) = if name == "body" {
                    string(inside.as_bytes(), vec![0; inside.len()])?
                } else {
                    let inside = inside.as_bytes();
                    let length = inside
                        .iter()
                        .take(HEAD_MAX)
                        .position(|it| is_special(*it))?;
                    match inside.split_at_checked(length)? {
                        (text, [b'"', ..]) => (length, text.to_vec()),
                        _ => string(inside, vec![0; inside.len().min(HEAD_MAX)])?,
                    }
                };
                *slot = Some(text);
                length
            };
            rest = behind_space(inside.get(length + 1..)?);
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => {
                    return behind_space(rest.strip_prefix('}')?)
                        .is_empty()
                        .then_some(it);
                }
            }
        }
    }
}

/// The name at the start of `text`, and what is behind its closing quote.
fn name(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().take(NAME_MAX).position(|it| it == b'"')?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// `text` without the white space that it begins with (RFC 8259 §2).
fn behind_space(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

const fn is_special(byte: u8) -> bool {
    byte < b' ' || matches!(byte, b'"' | b'\\')
}

/// The string at the start of `bytes`, behind its opening quote: its length as it is written, and its text. `space` is as long as the
/// text may be.
///
/// Sixteen bytes are copied at a time, and of those only as many counted as stand for themselves: cheaper than a copy of just enough.
fn string(bytes: &[u8], mut space: Vec<u8>) -> Option<(usize, Vec<u8>)> {
    let (mut at, mut end) = (0, 0);
    loop {
        while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<CHUNK>)
            && let Some(slot) = space
                .get_mut(end..)
                .and_then(<[u8]>::first_chunk_mut::<CHUNK>)
        {
            *slot = *chunk;
            let count = plain(chunk);
            at += count;
            end += count;
            if count == CHUNK {
                continue;
            }
            // Nearly every escape in the string of a document is that of a quote.
            if bytes.get(at..at + 2) != Some(b"\\\"") {
                break;
            }
            *space.get_mut(end)? = b'"';
            at += 2;
            end += 1;
        }
        let escape = match bytes.get(at)? {
            b'"' => {
                space.truncate(end);
                return Some((at, space));
            }
            b'\\' => bytes.get(at + 1)?,
            control if *control < b' ' => return None,
            plain => {
                *space.get_mut(end)? = *plain;
                at += 1;
                end += 1;
                continue;
            }
        };
        at += 2;
        let byte = match escape {
            b'"' | b'\\' | b'/' => *escape,
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 8,
            b'f' => 12,
            b'u' => {
                let (length, ch) = unicode(bytes.get(at..)?)?;
                at += length;
                end += ch
                    .encode_utf8(space.get_mut(end..end + ch.len_utf8())?)
                    .len();
                continue;
            }
            _ => return None,
        };
        *space.get_mut(end)? = byte;
        end += 1;
    }
}

/// How many bytes stand for themselves before the first quote, backslash or control character. Without branches, which the compiler
/// makes one comparison of all sixteen of.
fn plain(chunk: &[u8; CHUNK]) -> usize {
    let mut marks = [0_u8; CHUNK];
    for (mark, byte) in marks.iter_mut().zip(chunk) {
        *mark = if is_special(*byte) { u8::MAX } else { 0 };
    }
    (u128::from_le_bytes(marks).trailing_zeros() / 8) as usize
}

/// The bytes that the escape takes behind its `\u`, and its character. A pair of surrogates is one.
fn unicode(bytes: &[u8]) -> Option<(usize, char)> {
    let unit = |at: usize| {
        let digits = bytes.get(at..at + 4)?;
        digits.iter().try_fold(0_u32, |sum, it| {
            Some(sum << 4 | char::from(*it).to_digit(16)?)
        })
    };
    let first = unit(0)?;
    let (length, code) = if (0xd800..0xdc00).contains(&first) {
        let second = unit(6).filter(|it| (0xdc00..0xe000).contains(it))?;
        let is_pair = bytes.get(4..6) == Some(b"\\u");
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        (10, is_pair.then_some(code)?)
    } else {
        (4, first)
    };
    Some((length, char::from_u32(code)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Line, message};
    use super::*;

    /// Both ways are given `line`: where the short one reads it, the long one reads the same.
    fn check(line: &str) -> bool {
        let Some((id, short)) = read(line.as_bytes()) else {
            return false;
        };
        let parsed: Line<'_> = serde_json::from_str(line).expect(line);
        assert_eq!(id, parsed.id.map(|it| it.get()), "{line}");
        let long = message(parsed).expect(line);
        assert_eq!(short.method, long.method, "{line}");
        assert_eq!(short.path, long.path, "{line}");
        assert_eq!(short.query, long.query, "{line}");
        assert_eq!(short.headers, long.headers, "{line}");
        assert_eq!(short.body, long.body, "{line}");
        true
    }

    #[test]
    fn plain_lines_are_read_as_the_long_way_reads_them() {
        for line in [
            "{\"id\":\"a\"}",
            " {\"id\" : \"a\" , \"method\":\"PUT\",\"host\":\"a.test\",\"path\":\"/x?y=1\"} \n",
            r#"{"body":"{\"a\":\"b\\n\\u0041\",\n\t\r\b\f\/ \u0041\ud83d\ude00 имя and more of it}"}"#,
            r#"{"content_type":"application/json","content_encoding":"gzip","body":""}"#,
            r#"{"body":"1234567","path":"/12345678"}"#,
        ] {
            assert!(check(line), "{line}");
        }
        for line in [
            "",
            "{",
            "{}",
            "[]",
            r#"{"id":7}"#,
            r#"{"id":"a","id":"b"}"#,
            r#"{"body":"a","body":"b"}"#,
            r#"{"body":"a","body_base64":"b"}"#,
            r#"{"body":"a"}}"#,
            r#"{"body":"a",}"#,
            r#"{"body":"a" "id":"b"}"#,
            r#"{"body":"\x"}"#,
            r#"{"body":"\ud800"}"#,
            r#"{"body":"\ud800\u0041"}"#,
            r#"{"body":"\udc00"}"#,
            r#"{"body":"\u12g4"}"#,
            "{\"body\":\"a\tb\"}",
            "{\"body\":\"a",
            "{\x0c\"body\":\"a\"}",
            "{\"body\":\"1234567\u{1}\"}",
            r#"{"method":"a b"}"#,
            "{\"host\":\"a\\nb\"}",
            r#"{"headers":{}}"#,
            r#"{"other":"a"}"#,
        ] {
            assert!(read(line.as_bytes()).is_none(), "{line}");
        }
        let long = format!(r#"{{"host":"{}","id":"a"}}"#, "a".repeat(HEAD_MAX + 1));
        assert!(read(long.as_bytes()).is_none());
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_as_the_long_way_reads_it(
            body in "[\\x00-\\x7f]{0,40}|\\PC{0,20}",
            path in "/[a-z?%]{0,12}",
        ) {
            let line = serde_json::json!({"id": "a", "path": path, "body": body}).to_string();
            prop_assert!(check(&line));
        }
    }
}
