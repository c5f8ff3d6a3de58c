//! Escapes inside a text: of percent, of markup, of programs and style sheets, of mail.

use super::super::super::signs::is_escape;

/// Longest character reference that is looked for, with `&` and `;`: the zeros before a number are no more than these.
const REFERENCE_MAX: usize = 24;

/// Character references by name that hide a separator, an escape or an `@`.
const NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("apos", '\''),
    ("ZeroWidthSpace", '\u{200b}'),
    ("colon", ':'),
    ("comma", ','),
    ("commat", '@'),
    ("dash", '-'),
    ("emsp", ' '),
    ("ensp", ' '),
    ("gt", '>'),
    ("hyphen", '-'),
    ("lt", '<'),
    ("lowbar", '_'),
    ("lpar", '('),
    ("mdash", '\u{2014}'),
    ("nbsp", ' '),
    ("ndash", '\u{2013}'),
    ("num", '#'),
    ("numsp", ' '),
    ("percnt", '%'),
    ("period", '.'),
    ("plus", '+'),
    ("quot", '"'),
    ("rpar", ')'),
    ("shy", '\u{ad}'),
    ("sol", '/'),
    ("thinsp", ' '),
    ("zwj", '\u{200d}'),
    ("zwnj", '\u{200c}'),
];

/// A text with the escapes in it undone, all kinds in one pass; `None` when there is none. Nothing is copied before the first.
pub(super) fn unescaped(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut is_changed = false;
    let (mut copied, mut at) = (0, 0);
    while let Some(next) = next_escape(text.as_bytes(), at) {
        at = next;
        let Some(undone) = undo(text.get(at..)?) else {
            at += 1;
            continue;
        };
        if !is_changed {
            is_changed = true;
            out.reserve(text.len());
        }
        out.extend_from_slice(text.as_bytes().get(copied..at)?);
        out.extend_from_slice(undone.bytes.get(..undone.count)?);
        at += undone.length;
        copied = at;
    }
    if !is_changed {
        return None;
    }
    out.extend_from_slice(text.as_bytes().get(copied..)?);
    Some(match String::from_utf8(out) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// Position of the next byte at or after `from` with which an escape may begin.
fn next_escape(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let (blocks, _) = rest.as_chunks::<16>();
    let has_none = |it: &[u8; 16]| !it.iter().fold(false, |any, it| any | is_escape(*it));
    let passed = 16 * blocks.iter().take_while(|it| has_none(it)).count();
    let offset = rest.get(passed..)?.iter().position(|it| is_escape(*it))?;
    Some(from + passed + offset)
}

/// What an escape stands for.
#[derive(Debug)]
struct Undone {
    /// Its bytes, the first `count` of these.
    bytes: [u8; 4],
    count: usize,
    /// Length of the escape.
    length: usize,
}

/// What the escape at the start of `text` stands for.
fn undo(text: &str) -> Option<Undone> {
    let bytes = text.as_bytes();
    let character = |code: u32, length: usize| {
        let mut space = [0; 4];
        let count = char::from_u32(code)?.encode_utf8(&mut space).len();
        Some(Undone {
            bytes: space,
            count,
            length,
        })
    };
    let byte = |value: u8, count: usize, length: usize| Undone {
        bytes: [value, 0, 0, 0],
        count,
        length,
    };
    match bytes {
        [b'\\', b'u' | b'U' | b'x', b'{', ..] => {
            let digits = bytes.iter().skip(3).take(9);
            let count = digits.take_while(|it| it.is_ascii_hexdigit()).count();
            let is_closed = count > 0 && bytes.get(3 + count) == Some(&b'}');
            let code = hexadecimal(bytes.get(3..3 + count)?).filter(|_| is_closed)?;
            character(code, count + 4)
        }
        [b'\\', b'U', b'0', b'0', b'0', ..] if hexadecimal(bytes.get(2..10)?).is_some() => {
            character(hexadecimal(bytes.get(2..10)?)?, 10)
        }
        [b'%' | b'\\', b'u' | b'U', ..] => character(hexadecimal(bytes.get(2..6)?)?, 6),
        [b'\\', b'x' | b'X', ..] => character(hexadecimal(bytes.get(2..4)?)?, 4),
        [b'\\', b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..] => {
            let (code, length) = style_escape(bytes).or_else(|| {
                let code = octal(bytes.get(1..4)?)?;
                (code < 0x100).then_some((code, 4))
            })?;
            character(code, length)
        }
        [b'=', b'\r', b'\n', ..] => Some(byte(0, 0, 3)),
        [b'=', b'\n', ..] => Some(byte(0, 0, 2)),
        [b'%' | b'=', ..] => {
            let value = u8::try_from(hexadecimal(bytes.get(1..3)?)?).ok()?;
            Some(byte(value, 1, 3))
        }
        [b'&', b'#', ..] => {
            let (code, length) = numeric_reference(text)?;
            character(code, length)
        }
        [b'&', ..] => {
            let end = bytes
                .iter()
                .take(REFERENCE_MAX)
                .position(|it| *it == b';')?;
            let name = text.get(1..end)?;
            let (_, ch) = NAMED.iter().find(|it| it.0 == name)?;
            character(u32::from(*ch), name.len() + 2)
        }
        _ => None,
    }
}

/// The code of the reference at the start of `text`, and its length. The semicolon may be missing, as it may in HTML.
fn numeric_reference(text: &str) -> Option<(u32, usize)> {
    let body = text.strip_prefix("&#")?;
    let (radix, digits) = match body.strip_prefix(['x', 'X']) {
        Some(digits) => (16, digits),
        None => (10, body),
    };
    let count = digits
        .chars()
        .take(REFERENCE_MAX)
        .take_while(|it| it.is_digit(radix))
        .count();
    let (digits, rest) = digits.split_at_checked(count)?;
    let code = u32::from_str_radix(digits, radix).ok()?;
    Some((
        code,
        text.len() - rest.len() + usize::from(rest.starts_with(';')),
    ))
}

/// The number that `digits` of base sixteen are.
pub(super) fn hexadecimal(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |sum, it| Some(sum << 4 | char::from(*it).to_digit(16)?))
}

/// The code and length of an escape of a style sheet (CSS Syntax 3 §4.3.7): six digits, or two and a space. Others are of paths and
/// other languages as often.
fn style_escape(bytes: &[u8]) -> Option<(u32, usize)> {
    let of_six = bytes.get(1..7).filter(|it| it.starts_with(b"00"));
    if let Some(code) = of_six.and_then(hexadecimal) {
        return Some((code, 7));
    }
    let code = hexadecimal(bytes.get(1..3)?)?;
    let is_written = matches!(code, 0x2b..=0x7a) && bytes.get(3) == Some(&b' ');
    is_written.then_some((code, 4))
}

fn octal(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |sum, it| Some(sum << 3 | char::from(*it).to_digit(8)?))
}

#[cfg(test)]
mod tests {
    use super::unescaped;

    #[test]
    fn escapes_of_every_kind_are_undone_in_one_pass() {
        let table = [
            ("%39%u0039", "99"),
            ("&#57;&#x39;&commat;&nbsp;", "99@ "),
            ("&#57&#x39 &#0000057x", "99 9x"),
            (r"\u0039\x39\071", "999"),
            (r"\u{39}\x{0039}\U00000039", "999"),
            (r"\39 \000039x\31 0", "99x10"),
            ("9&zwnj;9&ZeroWidthSpace;1", "9\u{200c}9\u{200b}1"),
            ("=39=\r\n9=40", "99@"),
            ("50% &copy; a=b \\d %D0%9F", "50% &copy; a=b \\d П"),
        ];
        for (text, expected) in table {
            assert_eq!(unescaped(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "plain",
            "50%",
            "a=b&c=d",
            "R&D;",
            r"C:\dir",
            r"C:\dad\face\12",
            r"\u{}",
            r"\u{110000}",
            "&#xffffffff;",
            "%",
            "&",
            "\\",
            "=",
        ] {
            assert_eq!(unescaped(text), None, "{text}");
        }
    }
}
