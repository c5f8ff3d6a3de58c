//! What stands encoded inside a text: percent escapes, character references, backslash escapes, quoted-printable, base64,
//! base32, hexadecimal digits, lists of character codes, tags between letters. Receivers undo these as a matter of course, so senders
//! who mean to pass a gate use them.
//!
//! Nothing is decided here: a stretch that decodes to text is read as a text of its own, and only what is found there counts.
//! Text without a stretch costs one pass over its bytes.

mod escape;
mod stretch;

use super::{
    super::signs::{Signs, sign},
    codes::{self, Inflated},
    magic::{self, Magic},
    mail::encoded_word,
    sealed,
};
use escape::unescaped;
use stretch::{decode_run, runs};

/// Shortest stretch that is undone: the base64 of nine characters, the shortest address in use.
pub(super) const STRETCH_MIN: usize = 12;

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

/// What is under the veils of one text.
#[derive(Debug)]
pub(crate) struct Unveiled {
    /// The text without its escapes, and what its stretches decode to.
    pub(crate) texts: Vec<String>,
    /// Mails that stretches decode to. Each part of a mail has a charset of its own, so they are no text as a whole.
    pub(crate) mails: Vec<Vec<u8>>,
    /// A stretch is what nobody can read here: a compressed or binary file in base64, an encrypted message.
    pub(crate) is_opaque: bool,
    /// What a stretch is by its first bytes.
    pub(crate) magic: Option<Magic>,
    /// Stretches of compressed data, each with its coding.
    pub(crate) compressed: Vec<(Vec<u8>, &'static str)>,
}

/// Looks under the veils of `text`; `None` when there are none. Most texts have no sign of one and cost a pass or two over them.
pub(crate) fn lift(text: &str, signs: Signs) -> Option<Unveiled> {
    // Without a capital or a digit nothing is base64 or base32, nor a sign of ASCII in hexadecimal digits.
    let may_have_run = text.len() >= STRETCH_MIN && signs.has_any(sign::UPPER | sign::DIGIT);
    let is_list = !signs.has(sign::NOT_CODES) && text.len() >= CODES_MIN;
    if !may_have_run && !is_list && !signs.has_any(sign::ESCAPE | sign::BRACKET | sign::TAG) {
        return None;
    }
    let mut found = Unveiled {
        texts: Vec::new(),
        mails: Vec::new(),
        is_opaque: signs.has(sign::DASH | sign::UPPER | sign::SPACE) && is_armoured(text),
        magic: None,
        compressed: Vec::new(),
    };
    if signs.has(sign::ESCAPE) {
        found.texts.extend(unescaped(text));
        if let Some(decoded) = encoded_word::decode(text) {
            found.is_opaque |= decoded.fault.is_some();
            found
                .texts
                .extend(Some(decoded.text).filter(|it| it != text));
        }
    }
    let mut has_run = false;
    for run in runs(if may_have_run { text } else { "" }, signs) {
        has_run = true;
        let signs = if run.len() == text.len() {
            signs
        } else {
            Signs::of(run)
        };
        found.note_file(run, signs);
        // The base64 of a zlib stream begins with a small letter and a capital.
        if signs.has(sign::UPPER | sign::LOWER) {
            found.note_streams(run);
        }
        decode_run(run, signs, &mut found);
    }
    // The base64 of a head that names a content encryption holds capitals, however it is aligned.
    if has_run && signs.has(sign::DOT | sign::UPPER) {
        found.is_opaque |= is_sealed_token(text);
    }
    if is_list {
        codes::of_list(text, &mut found.texts);
    }
    if signs.has(sign::BRACKET | sign::DIGIT) {
        found.texts.extend(codes::of_calls(text));
    }
    if signs.has(sign::BRACKET) {
        found.texts.extend(codes::spelt(text));
    }
    if signs.has(sign::TAG) {
        codes::over_tags(text, &mut found.texts);
    }
    let has_file = found.is_opaque || found.magic.is_some();
    (has_file || !found.is_bare()).then_some(found)
}

impl Unveiled {
    /// Whether there is nothing to read in it.
    pub(crate) const fn is_bare(&self) -> bool {
        self.texts.is_empty() && self.mails.is_empty() && self.compressed.is_empty()
    }

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
    fn note_file(&mut self, run: &str, signs: Signs) {
        if run.len() < magic::ARMOURED_MIN {
            return;
        }
        let may_be_assigned = signs.has(sign::PARTING);
        let assigned = || may_be_assigned.then(|| run.split_once('=').map(|it| it.1))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn lift_all(text: &str) -> Option<Unveiled> {
        lift(text, Signs::of(text))
    }

    fn decoded(text: &str) -> Vec<String> {
        lift_all(text).map(|it| it.texts).unwrap_or_default()
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
            // Field 1 of Protocol Buffers holds the number, field 2 the address.
            (
                "Cgw5OTEyMzExMDAwMTASEWFpZ3VsQGV4YW1wbGUuY29t",
                "\n\u{c}991231100010\u{12}\u{11}aigul@example.com",
            ),
            (
                "AW51bWJlciA5OTEyMzExMDAwMTAgb2YgQWlndWw=",
                "\u{1}number 991231100010 of Aigul",
            ),
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
    fn more_streams_than_are_followed_are_opaque() {
        let streams = |count: usize| format!("a/{}", "eJyzBAAAOgA6/".repeat(count));
        assert!(lift_all(&streams(STREAMS_MAX)).is_some_and(|it| !it.is_opaque));
        assert!(lift_all(&streams(STREAMS_MAX + 1)).is_some_and(|it| it.is_opaque));
        // Half a byte is left over: no digits of a text.
        assert_eq!(decoded("3939313233313130303031303"), Vec::<String>::new());
    }

    #[test]
    fn a_text_of_beginnings_costs_one_pass() {
        // Without a bound, each `&` would look for its `;` to the end: 10^12 steps.
        let text = "&".repeat(1 << 20);
        assert!(lift_all(&text).is_none());
        // Nor does each comment look for its end.
        assert!(lift_all(&"a<!--".repeat(1 << 18)).is_none());
    }

    #[test]
    fn files_and_sealed_messages_are_opaque() {
        let jpeg = format!("data:image/jpeg;base64,/9j/{}", "A".repeat(40));
        let jwe = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..a.b.c";
        for text in [jpeg.as_str(), jwe, "-----BEGIN PGP MESSAGE-----\n\nabc"] {
            assert!(lift_all(text).is_some_and(|it| it.is_opaque), "{text}");
        }
        for text in [
            "/9j/A",
            "eyJhbGciOiJub25lIn0.e30.",
            "a.b.c.d.e",
            "-----BEGIN CERTIFICATE-----",
        ] {
            assert!(lift_all(text).is_none_or(|it| !it.is_opaque), "{text}");
        }
    }
}
