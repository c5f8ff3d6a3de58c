//! Stretches of a text that are the base64, base32 or hexadecimal digits of another.

use encoding_rs::WINDOWS_1251;

use super::{
    super::{
        super::signs::{Signs, of_byte, sign},
        codes::{self, is_text},
        mail, sealed,
    },
    STRETCH_MIN, Unveiled,
    escape::hexadecimal,
};

/// Shortest base64 that is taken for text of one byte a character, or for text with control characters in it.
const NARROW_MIN: usize = 32;

/// Bytes of a decoded stretch that are looked at before the rest is decoded.
const BEGINNING: usize = 4;

/// Runs of base64 characters of some length. A line break inside belongs to the run, since MIME folds base64 at 76 columns.
///
/// A stretch that is long enough reaches the last byte of any window of its least length, so windows are read from their ends and
/// most bytes of prose not at all.
pub(super) fn runs(text: &str, signs: Signs) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let is_inside = |it: &u8| of_byte(*it) & sign::NOT_RUN == 0;
    let is_whole = !signs.has(sign::NOT_RUN) && text.len() >= STRETCH_MIN;
    let mut whole = is_whole.then_some(text);
    let mut at = if is_whole { text.len() } else { 0 };
    std::iter::from_fn(move || {
        if let Some(text) = whole.take() {
            return Some(text);
        }
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

/// Appends the texts and mails that `run` decodes to.
pub(super) fn decode_run(run: &str, signs: Signs, out: &mut Unveiled) {
    if !signs.has(sign::BREAK) {
        return decode_word(run, signs, out);
    }
    let unfolded = sealed::unfolded(run);
    let mails = out.mails.len();
    decode_word(&unfolded, Signs::of(&unfolded), out);
    if out.mails.len() > mails {
        // Its lines are no values by themselves.
        return;
    }
    for line in sealed::lines(run) {
        if line.len() >= STRETCH_MIN {
            decode_word(line, Signs::of(line), out);
        }
    }
}

/// A path or an assignment may stand before the stretch, so the pieces are tried too.
fn decode_word(word: &str, signs: Signs, out: &mut Unveiled) {
    let bytes = word.as_bytes();
    let is_padded = bytes.first() == Some(&b'=') || bytes.last() == Some(&b'=');
    let (bare, signs) = if is_padded {
        let bare = word.trim_matches('=');
        (bare, Signs::of(bare))
    } else {
        (word, signs)
    };
    if bare.len() < STRETCH_MIN {
        return;
    }
    if let Some(bytes) = mail_in_base64(bare, signs) {
        // The beginning of a mail alone is a mail without its end, so its pieces are none.
        return out.mails.push(bytes);
    }
    out.texts.extend(decode_piece(bare, signs));
    if !signs.has(sign::PARTING) {
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
            out.texts.extend(decode_piece(piece, Signs::of(piece)));
        }
        from += length + 1;
    }
}

/// What `piece`, whose bytes have these `signs`, decodes to. Of base64 there is a capital, of the others none but their own digits.
fn decode_piece(piece: &str, signs: Signs) -> Option<String> {
    let is_of_digits = signs.is_hexadecimal() || signs.is_base32() || piece.starts_with('0');
    if !is_of_digits && !signs.has(sign::UPPER) {
        return None;
    }
    from_hexadecimal(piece, signs)
        .or_else(|| from_base32(piece, signs))
        .or_else(|| from_base64(piece, signs))
}

/// Base64 of text in either alphabet. Text holds letters of both cases when encoded, a word of a language does not; a number may
/// come to capitals and digits alone.
fn from_base64(run: &str, signs: Signs) -> Option<String> {
    if !signs.has(sign::UPPER) {
        return None;
    }
    let is_mixed = signs.has(sign::LOWER);
    // What does not begin with characters of base64 is none; what mixes its alphabets is none either, whichever is taken here.
    let beginning = sealed::beginning(run)?;
    let is_possible = (is_mixed || signs.has(sign::DIGIT)) && may_begin(&beginning);
    (is_possible && goes_on(run, may_begin))
        .then(|| sealed::decode(run))
        .flatten()
        .filter(|it| is_text(it) && (is_mixed || is_number(it)))
        .or_else(|| codes::wide(run))
        .or_else(|| (is_mixed && beginning.iter().all(is_narrow)).then(|| narrow(run))?)
        .or_else(|| (is_mixed && may_begin_utf_8(&beginning)).then(|| with_controls(run))?)
}

/// UTF-8 with control characters in it, such as a message of a binary format. Random bytes of this length are no UTF-8.
fn with_controls(run: &str) -> Option<String> {
    let is_possible = run.len() >= NARROW_MIN && goes_on(run, may_begin_utf_8);
    is_possible.then(|| sealed::decode(run)).flatten()
}

/// Whether a long `run` goes on as it begins: `accepts` takes what its first characters decode to. A file may begin with a line of text.
fn goes_on(run: &str, accepts: impl FnOnce(&[u8]) -> bool) -> bool {
    const LOOK: usize = 256;
    const LONG: usize = 2 * LOOK;
    let mut space = [0; LOOK / 4 * 3];
    match run.get(..LOOK) {
        Some(start) if run.len() >= LONG => sealed::head(start, &mut space).is_some_and(accepts),
        _ => true,
    }
}

/// The bytes of a mail, whatever charsets its parts are in: so mailing APIs take a mail as a whole.
fn mail_in_base64(run: &str, signs: Signs) -> Option<Vec<u8>> {
    let may_be_mail = run.len() >= NARROW_MIN
        && signs.has(sign::UPPER | sign::LOWER)
        && sealed::beginning(run).is_some_and(|it| mail::may_begin(&it));
    let bytes = may_be_mail.then(|| sealed::decode_bytes(run)).flatten()?;
    mail::begins(&bytes).then_some(bytes)
}

/// Text of one byte a character, as windows-1251 reads it: identifiers are ASCII in all such charsets, and which one it is nobody says.
/// Random bytes of this length are no such text but once in ten thousand.
fn narrow(run: &str) -> Option<String> {
    let is_possible = run.len() >= NARROW_MIN && goes_on(run, |it| it.iter().all(is_narrow));
    let bytes = is_possible.then(|| sealed::decode_bytes(run)).flatten()?;
    let is_text = bytes.iter().all(is_narrow);
    is_text.then(|| {
        let (text, _) = WINDOWS_1251.decode_without_bom_handling(&bytes);
        text.into_owned()
    })
}

/// Whether the byte is a letter, a sign or white space in windows-1251.
fn is_narrow(byte: &u8) -> bool {
    matches!(
        byte,
        b'\t' | b'\r' | b'\n' | b' '..=b'~' | 0x85 | 0x91..=0x97 | 0xa0 | 0xa3 | 0xa8 | 0xab
            | 0xb3 | 0xb8 | 0xb9 | 0xbb | 0xc0..
    )
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
        Some(bare) => Signs::of(bare).is_hexadecimal(),
        None => signs.is_hexadecimal(),
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
    if !signs.is_base32() {
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

/// Whether UTF-8 may begin with `bytes`, which may end inside a character.
fn may_begin_utf_8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or_else(|it| it.error_len().is_none(), |_| true)
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
