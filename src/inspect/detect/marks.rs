//! What the bytes of a text say of its contents, in one pass: most texts hold nothing that a detector starts from.

use super::{fold, is_candidate};

/// Marks of a byte, one bit each.
pub(super) mod mark {
    /// A validator may start here.
    pub(in super::super) const CANDIDATE: u8 = 1;
    /// It leads a character that may be folded.
    pub(in super::super) const FOREIGN: u8 = 1 << 1;
    /// It is white space, or may be the lead of such.
    pub(in super::super) const SPACE: u8 = 1 << 2;
    /// A mark of code, logs and markup.
    pub(in super::super) const CODE: u8 = 1 << 3;
    /// It leads the combining marks of Cyrillic, and letters of Kazakh.
    pub(in super::super) const COMBINING: u8 = 1 << 4;
}

/// The marks of every byte. A table, because each byte of each value is looked up.
const MARKS: [u8; 256] = {
    let mut marks = [0; 256];
    let mut byte = 0_u8;
    loop {
        let mut it = 0;
        if is_candidate(byte) {
            it |= mark::CANDIDATE;
        }
        if fold::is_foreign(byte) {
            it |= mark::FOREIGN;
        }
        if byte == 0xd2 {
            it |= mark::COMBINING;
        }
        // U+0085, U+00A0, U+1680, U+2000 and on, U+3000.
        if matches!(byte, b'\t'..=b'\r' | b' ' | 0xc2 | 0xe1..=0xe3) {
            it |= mark::SPACE;
        }
        if matches!(
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
        ) {
            it |= mark::CODE;
        }
        #[expect(
            clippy::indexing_slicing,
            reason = "the index is a byte, the table has 256 places"
        )]
        {
            marks[byte as usize] = it;
        }
        if byte == u8::MAX {
            break marks;
        }
        byte += 1;
    }
};

/// The marks of `byte`.
pub(super) fn of_byte(byte: u8) -> u8 {
    MARKS.get(usize::from(byte)).copied().unwrap_or_default()
}

/// The marks that some byte of a text has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks(u8);

impl Marks {
    pub(super) fn of(text: &str) -> Self {
        let (blocks, rest) = text.as_bytes().as_chunks::<8>();
        let of = |bytes: &[u8]| bytes.iter().fold(0, |marks, it| marks | of_byte(*it));
        Self(blocks.iter().fold(of(rest), |marks, it| marks | of(it)))
    }

    pub(super) const fn has(self, mark: u8) -> bool {
        self.0 & mark != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_white_space_is_missed() {
        for ch in ('\0'..=char::MAX).filter(|it| it.is_whitespace()) {
            assert!(Marks::of(&ch.to_string()).has(mark::SPACE), "{ch:?}");
        }
    }
}
