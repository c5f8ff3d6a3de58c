//! What the bytes of a text say of its contents, in one pass that all readers and detectors share: most texts hold nothing that any of
//! them starts from.

/// Kinds of bytes, one bit each.
pub(crate) mod sign {
    /// A validator may start here.
    pub(crate) const CANDIDATE: u32 = 1;
    /// It is a control character or leads a character that may be folded.
    pub(crate) const FOREIGN: u32 = 1 << 1;
    /// It is white space, or may be the lead of such.
    pub(crate) const SPACE: u32 = 1 << 2;
    /// A mark of code, logs and markup.
    pub(crate) const CODE: u32 = 1 << 3;
    /// It leads the combining marks of Cyrillic, and letters of Kazakh.
    pub(crate) const COMBINING: u32 = 1 << 4;
    /// An escape may begin here.
    pub(crate) const ESCAPE: u32 = 1 << 5;
    pub(crate) const DASH: u32 = 1 << 6;
    pub(crate) const DOT: u32 = 1 << 7;
    pub(crate) const UPPER: u32 = 1 << 8;
    pub(crate) const LOWER: u32 = 1 << 9;
    pub(crate) const DIGIT: u32 = 1 << 10;
    /// Parts a path or an assignment.
    pub(crate) const PARTING: u32 = 1 << 11;
    /// A bracket that is round or square.
    pub(crate) const BRACKET: u32 = 1 << 12;
    pub(crate) const BRACE: u32 = 1 << 13;
    pub(crate) const TAG: u32 = 1 << 14;
    pub(crate) const BREAK: u32 = 1 << 15;
    pub(crate) const EQUALS: u32 = 1 << 16;
    /// It is no character of base64 in either alphabet, nor a line break between such.
    pub(crate) const NOT_RUN: u32 = 1 << 17;
    pub(crate) const NOT_HEXADECIMAL: u32 = 1 << 18;
    pub(crate) const NOT_BASE32: u32 = 1 << 19;
    /// It may not stand in a list of character codes.
    pub(crate) const NOT_CODES: u32 = 1 << 20;
}

/// The kinds of every byte. A table, because each byte of each value is looked up.
const SIGNS: [u32; 256] = {
    let mut signs = [0; 256];
    let mut byte = 0_u8;
    loop {
        #[expect(
            clippy::indexing_slicing,
            reason = "the index is a byte, the table has 256 places"
        )]
        {
            signs[byte as usize] = marks_of(byte) | letters_of(byte) | encodings_of(byte);
        }
        if byte == u8::MAX {
            break signs;
        }
        byte += 1;
    }
};

const fn if_so(is_so: bool, sign: u32) -> u32 {
    if is_so { sign } else { 0 }
}

/// The signs for detectors.
const fn marks_of(byte: u8) -> u32 {
    // U+0085, U+00A0, U+1680, U+2000 and on, U+3000.
    let is_space = matches!(byte, b'\t'..=b'\r' | b' ' | 0xc2 | 0xe1..=0xe3);
    let is_code = matches!(
        byte,
        b'{' | b'}'
            | b'['
            | b']'
            | b'<'
            | b'>'
            | b'='
            | b';'
            | b'('
            | b')'
            | b'_'
            | b'&'
            | b'|'
            | b'\\'
            | b'`'
            | b'#'
            | b'*'
            | b'/'
    );
    if_so(is_candidate(byte), sign::CANDIDATE)
        | if_so(is_foreign(byte), sign::FOREIGN)
        | if_so(is_space, sign::SPACE)
        | if_so(is_code, sign::CODE)
        | if_so(byte == 0xd2, sign::COMBINING)
}

/// The signs of single characters and classes of them.
const fn letters_of(byte: u8) -> u32 {
    if_so(byte == b'-', sign::DASH)
        | if_so(byte == b'.', sign::DOT)
        | if_so(byte.is_ascii_uppercase(), sign::UPPER)
        | if_so(byte.is_ascii_lowercase(), sign::LOWER)
        | if_so(byte.is_ascii_digit(), sign::DIGIT)
        | if_so(matches!(byte, b'(' | b'['), sign::BRACKET)
        | if_so(byte == b'{', sign::BRACE)
        | if_so(byte == b'<', sign::TAG)
        | if_so(matches!(byte, b'\r' | b'\n'), sign::BREAK)
        | if_so(byte == b'=', sign::EQUALS)
}

/// The signs for what a text may be encoded in.
const fn encodings_of(byte: u8) -> u32 {
    let is_base32 = matches!(byte, b'A'..=b'Z' | b'2'..=b'7');
    let is_parting = matches!(byte, b'/' | b'=' | b'-');
    if_so(is_escape(byte), sign::ESCAPE)
        | if_so(is_parting, sign::PARTING)
        | if_so(!is_in_run(byte), sign::NOT_RUN)
        | if_so(!byte.is_ascii_hexdigit(), sign::NOT_HEXADECIMAL)
        | if_so(!is_base32, sign::NOT_BASE32)
        | if_so(!is_in_list(byte), sign::NOT_CODES)
}

/// A digit, `:` (which follows `9` in ASCII) or `@`.
pub(crate) const fn is_candidate(byte: u8) -> bool {
    byte.wrapping_sub(b'0') <= 10 || byte == b'@'
}

/// Whether the byte is a control character or leads a character that may be folded: all but ASCII, Latin letters and Cyrillic.
pub(crate) const fn is_foreign(byte: u8) -> bool {
    matches!(byte, 0..=8 | 11 | 12 | 14..=31 | 127 | 0xc2 | 0xcc | 0xcd | 0xd9..=0xff)
}

/// Whether an escape of percent, markup, quoted-printable or a program may begin with the byte.
pub(crate) const fn is_escape(byte: u8) -> bool {
    matches!(byte, b'%' | b'&' | b'=' | b'\\')
}

/// Characters of base64 in either alphabet, and the line breaks that MIME puts between them.
const fn is_in_run(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=' | b'\r' | b'\n')
}

/// Whether the byte may stand in a list of the codes of characters.
const fn is_in_list(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
        || matches!(
            byte,
            b'x' | b'X' | b' ' | b',' | b';' | b':' | b'-' | b'[' | b']' | b'\\' | b'\n' | b'\r'
        )
}

/// The signs of `byte`.
pub(crate) fn of_byte(byte: u8) -> u32 {
    SIGNS.get(usize::from(byte)).copied().unwrap_or_default()
}

/// The signs that some byte of a text has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Signs(u32);

impl Signs {
    /// The signs of `text`. Costs two or three instructions a byte.
    pub(crate) fn of(text: &str) -> Self {
        let (blocks, rest) = text.as_bytes().as_chunks::<8>();
        let of = |bytes: &[u8]| bytes.iter().fold(0, |signs, it| signs | of_byte(*it));
        Self(blocks.iter().fold(of(rest), |signs, it| signs | of(it)))
    }

    /// Whether one of `signs` is there.
    pub(crate) const fn has_any(self, signs: u32) -> bool {
        self.0 & signs != 0
    }

    /// Whether all of `signs` are there.
    pub(crate) const fn has(self, signs: u32) -> bool {
        self.0 & signs == signs
    }

    /// Whether there is nothing but hexadecimal digits.
    pub(crate) const fn is_hexadecimal(self) -> bool {
        !self.has(sign::NOT_HEXADECIMAL)
    }

    /// Whether there is nothing but capitals and digits of base32 (RFC 4648 §6).
    pub(crate) const fn is_base32(self) -> bool {
        !self.has(sign::NOT_BASE32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_white_space_is_missed() {
        for ch in ('\0'..=char::MAX).filter(|it| it.is_whitespace()) {
            assert!(Signs::of(&ch.to_string()).has(sign::SPACE), "{ch:?}");
        }
    }

    #[test]
    fn the_signs_of_a_text_are_those_of_its_bytes() {
        let text = "ab cd-ef/0123456789 {x}";
        let expected = text.bytes().fold(0, |signs, it| signs | of_byte(it));
        assert_eq!(Signs::of(text), Signs(expected));
        assert!(Signs::of("0123456789abcdefABCDEF").is_hexadecimal());
        assert!(!Signs::of("0123456789abcdefg").is_hexadecimal());
        assert!(Signs::of("MFRGGZDFMZTWQ2LK").is_base32());
        assert!(!Signs::of("MFRGGZDFMZTWQ2L1").is_base32());
    }
}
