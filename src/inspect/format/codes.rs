//! Text written as the codes of its characters: lists of numbers, UTF-16 and compressed data under base64, tags between letters.

use std::io::Read as _;

use flate2::read::ZlibDecoder;

use super::sealed;

/// Fewest characters that are written as codes: the shortest address in use.
const CODES_MIN: usize = 9;

/// Most bytes that are inflated out of one stretch.
const INFLATED_MAX: u64 = 256 * 1024;

/// Longest code without zeros before it: `0x41`.
const CODE_MAX: usize = 4;

/// Longest tag that is looked for: with its attributes.
const TAG_MAX: usize = 256;

/// Bytes of text around a tag that are read with it.
const BESIDE_TAG: usize = 48;

/// Elements whose content stands apart from what is before and behind.
const BLOCKS: &[&str] = &[
    "address", "article", "br", "caption", "dd", "div", "dl", "dt", "footer", "form", "h1", "h2",
    "h3", "h4", "h5", "h6", "header", "hr", "li", "ol", "option", "p", "pre", "section", "table",
    "tbody", "td", "th", "thead", "title", "tr", "ul",
];

/// `text` with `[at]` and `(dot)` as the signs that they spell; `None` when no address is spelt so.
pub(super) fn spelt(text: &str) -> Option<String> {
    let is_spelt = memchr::memchr2_iter(b']', b')', text.as_bytes()).any(|at| {
        let head = text.get(..at).unwrap_or_default();
        head.ends_with("at") || head.ends_with("AT")
    });
    if !is_spelt {
        return None;
    }
    let (mut out, mut rest, mut has_at) = (String::new(), text, false);
    while let Some((before, behind)) = rest.split_once(['(', '[']) {
        let word = behind
            .get(..4)
            .or_else(|| behind.get(..3))
            .unwrap_or_default();
        let word = word
            .split_once([')', ']'])
            .map(|it| it.0.to_ascii_lowercase());
        let sign = match word.as_deref() {
            Some("at") => '@',
            Some("dot") => '.',
            _ => {
                let kept = rest.len() - behind.len();
                out.push_str(rest.get(..kept)?);
                rest = behind;
                continue;
            }
        };
        has_at |= sign == '@';
        out.push_str(before.trim_end_matches(' '));
        out.push(sign);
        rest = behind.split_once([')', ']'])?.1.trim_start_matches(' ');
    }
    out.push_str(rest);
    has_at.then_some(out)
}

/// What a list of codes reads as: bytes in base 2, 10 or 16. All of `text` is the list.
pub(super) fn of_list(text: &str, out: &mut Vec<String>) {
    let codes = || {
        text.split(|it: char| !it.is_ascii_alphanumeric())
            .filter(|it| !it.is_empty())
    };
    // A hash or an id, as most are: no code has so many digits, but for zeros before it or when they are bits.
    let is_code = |it: &str| {
        it.len() <= CODE_MAX
            || it.starts_with('0')
            || it.bytes().all(|it| matches!(it, b'0' | b'1'))
    };
    if !codes().next().is_some_and(is_code) {
        return;
    }
    let bits: String = codes().collect();
    if bits.len() >= 8 * CODES_MIN
        && bits.len().is_multiple_of(8)
        && bits.bytes().all(|it| matches!(it, b'0' | b'1'))
    {
        let bytes = bits.as_bytes().chunks_exact(8);
        let value = |it: &[u8]| it.iter().fold(0, |sum, bit| sum << 1 | (bit - b'0'));
        return out.extend(text_of(bytes.map(value).collect()));
    }
    let Some(second) = codes().nth(1) else {
        return;
    };
    let hexadecimal = || {
        codes().map(|it| {
            let digits = it.strip_prefix("0x").or_else(|| it.strip_prefix("0X"));
            let digits = digits.or_else(|| it.strip_prefix('x')).unwrap_or(it);
            (digits.len() == 2)
                .then(|| u8::from_str_radix(digits, 16).ok())
                .flatten()
        })
    };
    if second.len() > 1 {
        out.extend(hexadecimal().collect::<Option<Vec<u8>>>().and_then(text_of));
    }
    let decimal: Option<Vec<u8>> = codes().map(|it| it.parse().ok()).collect();
    out.extend(decimal.and_then(text_of));
}

/// What the codes in calls like `String.fromCharCode(57, 57)`, `chr(57).chr(57)` or `CHAR(57, 57)` read as.
pub(super) fn of_calls(text: &str) -> Option<String> {
    const CALLS: [&str; 6] = ["harCode(", "chr(", "CHR(", "CHAR(", "char(", "Char("];
    let call = memchr::memchr_iter(b'(', text.as_bytes()).find(|at| {
        let head = text.get(..=*at).unwrap_or_default();
        CALLS.iter().any(|it| head.ends_with(it))
    });
    let codes = text
        .get(call?..)?
        .split(|it: char| !it.is_ascii_digit())
        .filter(|it| !it.is_empty());
    let codes: Option<Vec<u8>> = codes.map(|it| it.parse().ok()).collect();
    codes.and_then(text_of)
}

/// What the numbers in a JSON array read as, when they are bytes: so a buffer is written by libraries.
pub(super) fn of_array(raw: &str) -> Option<String> {
    let codes = raw.trim_matches(['[', ']']).split(',');
    let codes: Option<Vec<u8>> = codes.map(|it| it.trim_ascii().parse().ok()).collect();
    codes.and_then(text_of)
}

fn text_of(bytes: Vec<u8>) -> Option<String> {
    (bytes.len() >= CODES_MIN).then_some(())?;
    String::from_utf8(bytes).ok().filter(|it| is_text(it))
}

/// Whether it is something people or programs write, not a number read as characters.
pub(super) fn is_text(text: &str) -> bool {
    !text.is_empty()
        && !text
            .chars()
            .any(|it| it.is_control() && !matches!(it, '\t' | '\n' | '\r'))
}

/// Whether text in UTF-16 may begin with `bytes`: every second byte is that of ASCII or Cyrillic.
fn may_begin_wide(bytes: &[u8]) -> bool {
    let is_high = |it: Option<&u8>| matches!(it, Some(0 | 4));
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
        || is_high(bytes.first()) && is_high(bytes.get(2))
        || is_high(bytes.get(1)) && is_high(bytes.get(3).or(Some(&0)))
}

/// What the base64 in `run` reads as in UTF-16; UTF-7 puts a plus before it.
pub(super) fn wide(run: &str) -> Option<String> {
    let run = run.strip_prefix('+').unwrap_or(run);
    // What is shorter is looked at as a whole.
    let is_possible = sealed::first_bytes(run).is_some_and(|it| may_begin_wide(&it))
        && sealed::beginning(run).is_none_or(|it| may_begin_wide(&it));
    let bytes = is_possible.then(|| sealed::decode_bytes(run)).flatten()?;
    let (is_little, bytes) = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => (true, rest),
        [0xfe, 0xff, rest @ ..] => (false, rest),
        [0 | 4, _, 0 | 4, ..] => (false, bytes.as_slice()),
        all => (true, all),
    };
    let (units, _) = bytes.as_chunks::<2>();
    let units = units.iter().map(|it| match is_little {
        true => u16::from_le_bytes(*it),
        false => u16::from_be_bytes(*it),
    });
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.ok().filter(|it| is_text(it))
}

/// What inflating the base64 in `run` came to.
pub(super) enum Inflated {
    Text(String),
    /// It is more than is inflated here.
    Opaque,
}

/// Whether the base64 `run` begins as that of a zlib stream does (RFC 1950 §2.2). Looks at four characters.
pub(super) fn is_stream(run: &str) -> bool {
    let first = run.starts_with('e').then(|| sealed::first_bytes(run));
    matches!(first.flatten(), Some([0x78, 0x01 | 0x5e | 0x9c | 0xda, _]))
}

/// Inflates the zlib stream whose base64 is `run`; `None` when it is none. Its check sum leaves no doubt.
pub(super) fn inflate(run: &str) -> Option<Inflated> {
    let bytes = sealed::decode_bytes(run.trim_matches('='))?;
    let mut out = Vec::new();
    let mut stream = ZlibDecoder::new(bytes.as_slice()).take(INFLATED_MAX);
    stream.read_to_end(&mut out).ok()?;
    if out.len() as u64 == INFLATED_MAX {
        return Some(Inflated::Opaque);
    }
    // Strings of a binary form are read between what is none.
    let is_control = |it: char| it.is_control() && !matches!(it, '\t' | '\n' | '\r');
    let is_foreign = |it: char| is_control(it) || it == char::REPLACEMENT_CHARACTER;
    let text = String::from_utf8_lossy(&out).replace(is_foreign, " ");
    Some(Inflated::Text(text))
}

/// What people read where tags of markup stand between two letters or digits: each such place with the text around it.
pub(super) fn over_tags(text: &str, out: &mut Vec<String>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(offset) = bytes.get(at..).and_then(|it| memchr::memchr(b'<', it)) {
        let start = at + offset;
        at = start + 1;
        let before = text.get(..start).unwrap_or_default();
        if !before.ends_with(is_of_word) {
            continue;
        }
        let mut joined: String = tail(before).to_owned();
        let known = joined.len();
        let mut rest = text.get(start..).unwrap_or_default();
        while joined.len() < known + BESIDE_TAG {
            if let Some(length) = tag(rest) {
                rest = rest.get(length..).unwrap_or_default();
            } else if let Some(ch) = rest.chars().next() {
                joined.push(ch);
                rest = rest.get(ch.len_utf8()..).unwrap_or_default();
            } else {
                break;
            }
            let follows = joined.get(known..).unwrap_or_default();
            if !follows.trim().is_empty() && !goes_on(before, follows) {
                break;
            }
        }
        // The window has moved on over whatever it joined.
        at = at.max(text.len() - rest.len());
        let follows = joined.get(known..).unwrap_or_default();
        if goes_on(before, follows) && text.get(start..).and_then(tag).is_some() {
            out.push(joined);
        }
    }
}

/// Whether what `follows` a tag goes on with the word `before` it, or with its number after a space.
fn goes_on(before: &str, follows: &str) -> bool {
    let is_digit = |it: char| it.is_ascii_digit();
    follows.starts_with(is_of_word)
        || (before.ends_with(is_digit) && follows.trim_start().starts_with(is_digit))
}

fn is_of_word(ch: char) -> bool {
    ch.is_alphanumeric() || matches!(ch, '@' | '.' | '-' | '+')
}

/// The end of `text` that is read with what follows, from a space on.
fn tail(text: &str) -> &str {
    let from = text.len().saturating_sub(BESIDE_TAG);
    let from = (from..text.len()).find(|it| text.is_char_boundary(*it));
    let tail = from.and_then(|it| text.get(it..)).unwrap_or_default();
    tail.rfind(['<', '>'])
        .map_or(tail, |at| tail.get(at + 1..).unwrap_or_default())
}

/// Length of the tag or comment at the start of `text`, unless it is one that parts what it stands between.
fn tag(text: &str) -> Option<usize> {
    let body = text.strip_prefix('<')?;
    if let Some(comment) = body.strip_prefix("!--") {
        let longest = comment.len().min(TAG_MAX + "-->".len());
        let near = comment.as_bytes().get(..longest)?;
        return memchr::memmem::find(near, b"-->").map(|it| it + "<!---->".len());
    }
    let name = body.strip_prefix('/').unwrap_or(body);
    let length = name.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = name.get(..length)?;
    let is_tag = name.starts_with(|it: char| it.is_ascii_alphabetic())
        && !BLOCKS.iter().any(|it| it.eq_ignore_ascii_case(name));
    if !is_tag {
        return None;
    }
    let near = body.as_bytes().get(..body.len().min(TAG_MAX))?;
    Some(memchr::memchr(b'>', near)? + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        of_list(text, &mut out);
        out
    }

    #[test]
    fn lists_of_codes_are_read_in_every_base() {
        for text in [
            "57, 57, 49, 50, 51, 49, 49, 48, 48, 48, 49, 48",
            "39 39 31 32 33 31 31 30 30 30 31 30",
            "0x39,0x39,0x31,0x32,0x33,0x31,0x31,0x30,0x30,0x30,0x31,0x30",
            "39:39:31:32:33:31:31:30:30:30:31:30",
            "0X39 0X39 0X31 0X32 0X33 0X31 0X31 0X30 0X30 0X30 0X31 0X30",
            "00111001 00111001 00110001 00110010 00110011 00110001 00110001 00110000 00110000 00110000 00110001 00110000",
            "001110010011100100110001001100100011001100110001001100010011000000110000001100000011000100110000",
        ] {
            assert!(list(text).iter().any(|it| it == "991231100010"), "{text}");
        }
        for text in [
            "39 39 31",
            "2026-11-25 10:15:30",
            "00:1a:2b:3c:4d:5e",
            "1, 2, 3, 4, 5, 6, 7, 8, 9, 10",
            "300, 400, 500, 600, 700, 800, 900, 901, 902",
        ] {
            assert_eq!(list(text), Vec::<String>::new(), "{text}");
        }
        let call = "String.fromCharCode(57,57,49,50,51,49,49,48,48,48,49,48)";
        assert_eq!(of_calls(call).as_deref(), Some("991231100010"));
        let call = "chr(57).chr(57).chr(49).chr(50).chr(51).chr(49).chr(49).chr(48).chr(48)";
        assert_eq!(of_calls(call).as_deref(), Some("991231100"));
        assert_eq!(of_calls("f(57,57,49,50,51,49,49,48,48,48,49,48)"), None);
        assert_eq!(
            of_array("[57, 57,49,50,51,49,49,48,48]").as_deref(),
            Some("991231100")
        );
        assert_eq!(of_array("[57, 57,49,50,51,49,49,48,480]"), None);
    }

    #[test]
    fn wide_and_compressed_text_is_found_under_base64() {
        for run in [
            "OQA5ADEAMgAzADEAMQAwADAAMAAxADAA",
            "//45ADkAMQAyADMAMQAxADAAMAAwADEAMAA=",
            "ADkAOQAxADIAMwAxADEAMAAwADAAMQAw",
            "+ADkAOQAxADIAMwAxADEAMAAwADAAMQAw",
        ] {
            assert_eq!(wide(run).as_deref(), Some("991231100010"), "{run}");
        }
        assert_eq!(wide("q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ"), None);
        let text = inflate("eJyztDQ0MjY0NDAwMDQAAA++Alw=");
        assert!(matches!(text, Some(Inflated::Text(it)) if it == "991231100010"));
        assert!(inflate("eJyztDQ0MjY0NDAwMDQAAA++Al0=").is_none());
        assert!(inflate("eJwAAAAAAAAAAAAA").is_none());
    }

    #[test]
    fn tags_between_digits_hide_nothing() {
        let joined = |text: &str| {
            let mut out = Vec::new();
            over_tags(text, &mut out);
            out
        };
        for text in [
            "<p>991231<b></b>100010</p>",
            "991231<b>100010</b>",
            "99<i>12</i>31<span class='a'>10</span>0010",
            "991231<!-- x -->100010",
            "a 9912<b>31</b>100010 z",
        ] {
            let texts = joined(text);
            assert!(
                texts.iter().any(|it| it.contains("991231100010")),
                "{text}: {texts:?}"
            );
        }
        assert_eq!(joined("9912<b> </b>3110 0010"), ["9912 3110 0010"]);
        for text in [
            "<td>991231</td><td>100010</td>",
            "991231<br>100010",
            "a<b d",
            "<p>one <b>two</b> three</p>",
            "1<2, 3>2",
        ] {
            assert_eq!(joined(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_text_of_tags_costs_one_pass() {
        let mut out = Vec::new();
        over_tags(&"a<".repeat(1 << 20), &mut out);
        over_tags(&"a<b>".repeat(1 << 18), &mut out);
        assert!(out.len() < 1 << 13, "{}", out.len());
    }
}
