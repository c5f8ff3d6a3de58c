//! What stands encoded inside a text: percent escapes, character references, backslash escapes, quoted-printable, base64,
//! base32, hexadecimal digits, lists of character codes, tags between letters. Receivers undo these as a matter of course, so senders
//! who mean to pass a gate use them.
//!
//! Nothing is decided here: a stretch that decodes to text is read as a text of its own, and only what is found there counts.
//! Text without a stretch costs one pass over its bytes.

use super::{
    codes::{self, Inflated, is_text},
    magic::{self, Magic},
    sealed,
};

/// Shortest stretch that is undone: the base64 of nine characters, the shortest address in use.
const STRETCH_MIN: usize = 12;

/// Beginnings of compressed texts in one run of base64 that are followed; more of them are a gap.
const STREAMS_MAX: usize = 4;

/// Shortest list of character codes: nine of two digits each, and what parts them.
const CODES_MIN: usize = 26;

/// Beginnings of encrypted messages in armour.
const ARMOUR: &[&str] = &[
    "-----BEGIN PGP MESSAGE",
    "-----BEGIN AGE ENCRYPTED",
    "-----BEGIN CMS",
    "-----BEGIN PKCS7",
];

/// Bytes of a decoded stretch that are looked at before the rest is decoded.
const BEGINNING: usize = 4;

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
fn unescaped(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut is_changed = false;
    let (mut copied, mut at) = (0, 0);
    while let Some(offset) = text
        .as_bytes()
        .get(at..)?
        .iter()
        .position(|it| is_escape(*it))
    {
        at += offset;
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

const fn is_escape(byte: u8) -> bool {
    matches!(byte, b'%' | b'&' | b'=' | b'\\')
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

fn hexadecimal(digits: &[u8]) -> Option<u32> {
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

/// What is under the veils of one text.
#[derive(Debug)]
pub(crate) struct Unveiled {
    /// The text without its escapes, and what its stretches decode to.
    pub(crate) texts: Vec<String>,
    /// A stretch is what nobody can read here: a compressed or binary file in base64, an encrypted message.
    pub(crate) is_opaque: bool,
    /// What a stretch is by its first bytes.
    pub(crate) magic: Option<Magic>,
    /// Stretches of compressed data, each with its coding.
    pub(crate) compressed: Vec<(Vec<u8>, &'static str)>,
}

/// Kinds of bytes, one bit each.
mod kind {
    pub(super) const RUN: u16 = 1;
    pub(super) const ESCAPE: u16 = 1 << 1;
    pub(super) const DASH: u16 = 1 << 2;
    pub(super) const DOT: u16 = 1 << 3;
    pub(super) const UPPER: u16 = 1 << 4;
    pub(super) const LOWER: u16 = 1 << 5;
    pub(super) const HEXADECIMAL: u16 = 1 << 6;
    pub(super) const BASE32: u16 = 1 << 7;
    /// Parts a path or an assignment.
    pub(super) const PARTING: u16 = 1 << 8;
    /// May stand in a list of character codes.
    pub(super) const CODES: u16 = 1 << 9;
    pub(super) const BRACKET: u16 = 1 << 10;
    pub(super) const TAG: u16 = 1 << 11;
    pub(super) const DIGIT: u16 = 1 << 12;
}

/// The kinds of every byte. A table, because each byte of each value is looked up.
const KINDS: [u16; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0_u8;
    loop {
        let mut it = 0;
        if is_in_run(byte) {
            it |= kind::RUN;
        }
        if is_escape(byte) {
            it |= kind::ESCAPE;
        }
        if byte.is_ascii_uppercase() {
            it |= kind::UPPER;
        }
        if byte.is_ascii_lowercase() {
            it |= kind::LOWER;
        }
        if byte.is_ascii_hexdigit() {
            it |= kind::HEXADECIMAL;
        }
        if matches!(byte, b'A'..=b'Z' | b'2'..=b'7') {
            it |= kind::BASE32;
        }
        if matches!(byte, b'/' | b'=' | b'-') {
            it |= kind::PARTING;
        }
        if codes::is_in_list(byte) {
            it |= kind::CODES;
        }
        if matches!(byte, b'(' | b'[') {
            it |= kind::BRACKET;
        }
        if byte == b'<' {
            it |= kind::TAG;
        }
        if byte.is_ascii_digit() {
            it |= kind::DIGIT;
        }
        if byte == b'-' {
            it |= kind::DASH;
        }
        if byte == b'.' {
            it |= kind::DOT;
        }
        #[expect(
            clippy::indexing_slicing,
            reason = "the index is a byte, the table has 256 places"
        )]
        {
            kinds[byte as usize] = it;
        }
        if byte == u8::MAX {
            break kinds;
        }
        byte += 1;
    }
};

fn kinds_of(byte: u8) -> u16 {
    KINDS.get(usize::from(byte)).copied().unwrap_or_default()
}

/// What the bytes of a stretch say of its encoding, in one pass.
#[derive(Debug, Clone, Copy)]
struct Signs {
    /// Kinds that some byte has.
    some: u16,
    /// Kinds that every byte has.
    every: u16,
}

impl Signs {
    fn of(text: &str) -> Self {
        let mut signs = Self {
            some: 0,
            every: u16::MAX,
        };
        for byte in text.bytes() {
            let kinds = kinds_of(byte);
            signs.some |= kinds;
            signs.every &= kinds;
        }
        signs
    }

    const fn has(self, kinds: u16) -> bool {
        self.some & kinds == kinds
    }

    const fn is_all(self, kinds: u16) -> bool {
        self.every & kinds == kinds
    }
}

/// Looks under the veils of `text`; `None` when there are none. Most texts have no sign of one and cost a pass or two over them.
pub(crate) fn lift(text: &str) -> Option<Unveiled> {
    let signs = Signs::of(text);
    let mut found = Unveiled {
        texts: Vec::new(),
        is_opaque: signs.has(kind::DASH | kind::UPPER) && is_armoured(text),
        magic: None,
        compressed: Vec::new(),
    };
    if signs.has(kind::ESCAPE) {
        found.texts.extend(unescaped(text));
    }
    let mut has_run = false;
    for run in runs(text) {
        has_run = true;
        found.note_file(run);
        found.note_streams(run);
        decode_run(run, &mut found.texts);
    }
    // The base64 of a head that names a content encryption holds capitals, however it is aligned.
    if has_run && signs.has(kind::DOT | kind::UPPER) {
        found.is_opaque |= is_sealed_token(text);
    }
    if signs.is_all(kind::CODES) && text.len() >= CODES_MIN {
        codes::of_list(text, &mut found.texts);
    }
    if signs.has(kind::BRACKET | kind::DIGIT) {
        found.texts.extend(codes::of_calls(text));
    }
    if signs.has(kind::BRACKET) {
        found.texts.extend(codes::spelt(text));
    }
    if signs.has(kind::TAG) {
        codes::over_tags(text, &mut found.texts);
    }
    let has_file = found.is_opaque || found.magic.is_some();
    let is_something = has_file || !found.texts.is_empty() || !found.compressed.is_empty();
    is_something.then_some(found)
}

/// Characters of base64 in either alphabet, and the line breaks that MIME puts between them.
const fn is_in_run(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=' | b'\r' | b'\n')
}

impl Unveiled {
    /// Notes the compressed texts of which the base64 stands in `run`: all of it, or what follows a path or an assignment.
    fn note_streams(&mut self, run: &str) {
        let bytes = run.as_bytes();
        let parted = memchr::memchr2_iter(b'=', b'/', bytes).map(|at| at + 1);
        let starts = std::iter::once(0).chain(parted);
        let streams = starts.filter_map(|at| run.get(at..).filter(|it| codes::is_stream(it)));
        for (number, stream) in streams.enumerate() {
            if number == STREAMS_MAX {
                self.is_opaque = true;
                return;
            }
            match codes::inflate(stream) {
                Some(Inflated::Text(text)) => self.texts.push(text),
                Some(Inflated::Opaque) => self.is_opaque = true,
                None => {}
            }
        }
    }

    /// Notes the file of which `run` is the base64, perhaps after the media type of a `data:` URL.
    fn note_file(&mut self, run: &str) {
        let assigned = || run.split_once('=').map(|it| it.1);
        let file = [Some(run), assigned()].into_iter().flatten();
        let mut files = file.filter_map(|it| Some((it, magic::of_base64(it)?)));
        let Some((raw, magic)) = files.next() else {
            return;
        };
        let coded = match magic {
            Magic::Compressed(coding) => sealed::decode_bytes(raw).map(|it| (it, coding)),
            Magic::Biometric | Magic::File | Magic::Picture | Magic::Sound => None,
        };
        // A template is the data itself: it is found, and nothing else is in it to be read.
        self.is_opaque |= coded.is_none() && magic != Magic::Biometric;
        self.compressed.extend(coded);
        self.magic = self.magic.or(Some(magic));
    }
}

/// Whether an encrypted message in armour begins in `text`.
fn is_armoured(text: &str) -> bool {
    text.contains("-----BEGIN") && ARMOUR.iter().any(|it| text.contains(it))
}

/// Five parts of which the first names a content encryption: a JWE (RFC 7516 §3.1).
fn is_sealed_token(text: &str) -> bool {
    text.split_ascii_whitespace().any(|word| {
        word.starts_with("ey")
            && word.bytes().filter(|it| *it == b'.').count() == 4
            && word
                .split_once('.')
                .and_then(|(head, _)| sealed::decode(head))
                .is_some_and(|it| it.contains("\"enc\""))
    })
}

/// Runs of base64 characters of some length. A line break inside belongs to the run, since MIME folds base64 at 76 columns.
///
/// A stretch that is long enough reaches the last byte of any window of its least length, so windows are read from their ends and
/// most bytes of prose not at all.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let is_inside = |it: &u8| kinds_of(*it) & kind::RUN != 0;
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let window = bytes.get(at..at + STRETCH_MIN)?;
            if let Some(outside) = window.iter().rposition(|it| !is_inside(it)) {
                at += outside + 1;
                continue;
            }
            let start = at;
            let rest = bytes.get(start + STRETCH_MIN..)?;
            at = start + STRETCH_MIN + rest.iter().take_while(|it| is_inside(it)).count();
            return text.get(start..at);
        }
    })
}

fn decode_run(run: &str, out: &mut Vec<String>) {
    if memchr::memchr2(b'\r', b'\n', run.as_bytes()).is_none() {
        return decode_word(run, out);
    }
    for line in run.split(['\r', '\n']).filter(|it| it.len() >= STRETCH_MIN) {
        decode_word(line, out);
    }
    decode_word(&run.replace(['\r', '\n'], ""), out);
}

/// A path or an assignment may stand before the stretch, so the pieces are tried too.
fn decode_word(word: &str, out: &mut Vec<String>) {
    let bare = word.trim_matches('=');
    if bare.len() < STRETCH_MIN {
        return;
    }
    let signs = Signs::of(bare);
    out.extend(decode_piece(bare, signs));
    if !signs.has(kind::PARTING) {
        return;
    }
    let bytes = bare.as_bytes();
    let mut from = 0;
    while from + STRETCH_MIN <= bytes.len() {
        let rest = bytes.get(from..).unwrap_or_default();
        let length = memchr::memchr3(b'/', b'=', b'-', rest).unwrap_or(rest.len());
        if length >= STRETCH_MIN
            && let Some(piece) = bare.get(from..from + length)
        {
            out.extend(decode_piece(piece, Signs::of(piece)));
        }
        from += length + 1;
    }
}

fn decode_piece(piece: &str, signs: Signs) -> Option<String> {
    from_hexadecimal(piece, signs)
        .or_else(|| from_base32(piece, signs))
        .or_else(|| from_base64(piece, signs))
}

/// Base64 of text in either alphabet. Text holds letters of both cases when encoded, a word of a language does not; a number may
/// come to capitals and digits alone.
fn from_base64(run: &str, signs: Signs) -> Option<String> {
    let is_mixed = signs.has(kind::UPPER | kind::LOWER);
    let is_possible = signs.has(kind::UPPER)
        && (is_mixed || signs.has(kind::DIGIT))
        && sealed::first_bytes(run).is_none_or(|it| may_begin(&it))
        && sealed::begins_with(run, may_begin);
    is_possible
        .then(|| sealed::decode(run))
        .flatten()
        .filter(|it| is_text(it) && (is_mixed || is_number(it)))
        .or_else(|| signs.has(kind::UPPER).then(|| codes::wide(run)).flatten())
}

/// Whether there is no letter in it.
fn is_number(text: &str) -> bool {
    text.bytes()
        .all(|it| it.is_ascii() && !it.is_ascii_alphabetic())
}

/// Hexadecimal digits of text, perhaps with the mark of their base.
fn from_hexadecimal(run: &str, signs: Signs) -> Option<String> {
    let bare = run.strip_prefix("0x").or_else(|| run.strip_prefix("0X"));
    let digits = bare.unwrap_or(run).as_bytes();
    let is_all = match bare {
        Some(bare) => Signs::of(bare).is_all(kind::HEXADECIMAL),
        None => signs.is_all(kind::HEXADECIMAL),
    };
    if !digits.len().is_multiple_of(2) || !is_all {
        return None;
    }
    let byte = |it: &[u8]| u8::try_from(hexadecimal(it)?).ok();
    // Hashes and ids are everywhere: most show in the first bytes that they are no text.
    let mut first = [0; BEGINNING];
    let mut count = 0;
    for (slot, pair) in first.iter_mut().zip(digits.chunks_exact(2)) {
        *slot = byte(pair)?;
        count += 1;
    }
    if !may_begin(first.get(..count)?) {
        return None;
    }
    let bytes: Option<Vec<u8>> = digits.chunks_exact(2).map(byte).collect();
    String::from_utf8(bytes?).ok().filter(|it| is_text(it))
}

/// Base32 (RFC 4648 §6) of text.
fn from_base32(run: &str, signs: Signs) -> Option<String> {
    if !signs.is_all(kind::BASE32) {
        return None;
    }
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::with_capacity(run.len()));
    for byte in run.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            _ => byte.saturating_sub(b'2') + 26,
        };
        bits = bits << 5 | u32::from(value);
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok().filter(|it| is_text(it))
}

/// Whether text may begin with `bytes`, which may end inside a character.
fn may_begin(bytes: &[u8]) -> bool {
    // Decides most stretches that are no text, without reading them as UTF-8.
    let is_never = |it: &u8| {
        it.is_ascii_control() && !matches!(it, b'\t' | b'\n' | b'\r')
            || matches!(it, 0xc0 | 0xc1 | 0xf5..=0xff)
    };
    if bytes.iter().any(is_never) || matches!(bytes.first(), Some(0x80..=0xbf)) {
        return false;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => is_text(text),
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let is_cut = error.error_len().is_none();
            is_cut && std::str::from_utf8(valid).is_ok_and(|it| it.is_empty() || is_text(it))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn decoded(text: &str) -> Vec<String> {
        lift(text).map(|it| it.texts).unwrap_or_default()
    }

    #[test]
    fn stretches_that_hold_text_are_found() {
        let table = [
            ("OTkxMjMxMTAwMDEw", "991231100010"),
            ("NTU1NTU1NTU1NTU1NDQ0NA==", "5555555555554444"),
            ("34313131313131313131313131313131", "4111111111111111"),
            ("a.k [at] example [dot] org", "a.k@example.org"),
            ("a.k(at)example.org", "a.k@example.org"),
            ("see OTkxMjMxMTAwMDEw.", "991231100010"),
            ("data:text/plain;base64,OTkxMjMxMTAwMDEw", "991231100010"),
            ("https://x.example/c/OTkxMjMxMTAwMDEw", "991231100010"),
            ("id=OTkxMjMxMTAwMDEw", "991231100010"),
            ("OTkxMjMx\nMTAwMDEw", "991231100010"),
            ("393931323331313030303130", "991231100010"),
            ("0x393931323331313030303130", "991231100010"),
            ("39 39 31 32 33 31 31 30 30 30 31 30", "991231100010"),
            ("x +ADkAOQAxADIAMwAxADEAMAAwADAAMQAw-", "991231100010"),
            ("OQA5ADEAMgAzADEAMQAwADAAMAAxADAA", "991231100010"),
            ("<b>991231<i></i>100010</b>", "991231100010"),
            ("eJyztDQ0MjY0NDAwMDQAAA++Alw=", "991231100010"),
            ("iin=eJyztDQ0MjY0NDAwMDQAAA++Alw=", "991231100010"),
            ("/v1/eJyztDQ0MjY0NDAwMDQAAA++Alw=", "991231100010"),
            ("HE4TCMRTGEYTAMBQGEYA====", "991231100010"),
        ];
        for (text, expected) in table {
            assert!(
                decoded(text).iter().any(|it| it == expected),
                "{text}: {:?}",
                decoded(text)
            );
        }
        for text in [
            "internationalization",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "7f3c2b1e-9a4d-4c55-8f60-1d2e3f405162",
            "sk_test_4eC39HqLyjWDarjtT1zdp7dc",
            "991231100010",
        ] {
            assert_eq!(decoded(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_text_of_beginnings_costs_one_pass() {
        // Without a bound, each `&` would look for its `;` to the end: 10^12 steps.
        let text = "&".repeat(1 << 20);
        assert!(lift(&text).is_none());
    }

    #[test]
    fn files_and_sealed_messages_are_opaque() {
        let jpeg = format!("data:image/jpeg;base64,/9j/{}", "A".repeat(40));
        let jwe = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..a.b.c";
        for text in [jpeg.as_str(), jwe, "-----BEGIN PGP MESSAGE-----\n\nabc"] {
            assert!(lift(text).is_some_and(|it| it.is_opaque), "{text}");
        }
        for text in [
            "/9j/A",
            "eyJhbGciOiJub25lIn0.e30.",
            "a.b.c.d.e",
            "-----BEGIN CERTIFICATE-----",
        ] {
            assert!(lift(text).is_none_or(|it| !it.is_opaque), "{text}");
        }
    }
}
