//! A text parted into words and marks, without their hashes.

use std::ops::Range;

use super::{
    super::letters::{Letters, kind, letters},
    token::{Script, Shape},
};

/// What is seen of a token at first.
#[derive(Clone, Debug)]
pub(super) struct Outline {
    /// Bytes of the text.
    pub(super) range: Range<usize>,
    pub(super) shape: Shape,
    pub(super) script: Script,
    /// Nothing stands before it in its sentence.
    pub(super) is_first: bool,
    /// It stands between `«` and `»`.
    pub(super) is_quoted: bool,
}

/// Parts a text into tokens.
#[derive(Debug)]
pub(super) struct Outliner<'t> {
    text: &'t str,
    /// What is not read yet: the end of `text`.
    rest: &'t [u8],
    letters: &'static Letters,
    is_first: bool,
    is_quoted: bool,
    /// Words in Cyrillic so far, less those in Latin before them.
    cyrillic: i32,
}

impl<'t> Outliner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            rest: text.as_bytes(),
            letters: letters(),
            is_first: true,
            is_quoted: false,
            cyrillic: 0,
        }
    }

    /// Appends the tokens that come next: `most` or, to the end of a sentence, up to twice as many.
    pub(super) fn read(&mut self, out: &mut Vec<Outline>, most: usize) {
        while let Some(next) = self.letters.next(self.text, self.rest) {
            if out.len() >= most && (self.is_first || out.len() / 2 >= most) {
                break;
            }
            if next.kind & kind::SPACE != 0 {
                self.is_first |= next.ch == '\n';
                self.rest = next.rest;
            } else if next.kind & kind::ALPHANUMERIC == 0 {
                self.is_quoted = (self.is_quoted || next.ch == '«') && next.ch != '»';
                out.push(Outline {
                    range: self.at(self.rest)..self.at(next.rest),
                    shape: Shape::Mark,
                    script: Script::Other,
                    is_first: self.is_first,
                    is_quoted: false,
                });
                self.is_first = matches!(next.ch, '.' | '!' | '?');
                self.rest = next.rest;
            } else {
                out.push(self.word(next.ch, next.kind, next.rest));
                self.is_first = false;
            }
        }
    }

    /// The word whose first letter is `first`, of `kind`; `rest` is what follows that.
    fn word(&mut self, first: char, first_kind: u8, rest: &'t [u8]) -> Outline {
        let start = self.at(self.rest);
        let mut others = 0;
        let mut rest = rest;
        loop {
            let (kinds, behind) = self.letters.run(rest, kind::ALPHANUMERIC);
            others |= kinds;
            rest = behind;
            let Some(next) = self.letters.next(self.text, rest) else {
                break;
            };
            let is_inside = next.kind & kind::ALPHANUMERIC != 0
                || (is_apostrophe(next.ch)
                    && (self.text.get(self.at(next.rest)..)).is_some_and(is_rest_of_word));
            if !is_inside {
                break;
            }
            others |= next.kind | kind::ALPHANUMERIC;
            rest = next.rest;
        }
        self.rest = rest;
        Outline {
            range: start..self.at(self.rest),
            shape: shape(first_kind, others),
            script: self.script(first),
            is_first: self.is_first,
            is_quoted: self.is_quoted,
        }
    }

    /// The byte of the text at which `rest` begins.
    const fn at(&self, rest: &[u8]) -> usize {
        self.text.len().saturating_sub(rest.len())
    }

    /// The script of a word by its first letter.
    const fn script(&mut self, first: char) -> Script {
        match first as u32 {
            0x400..=0x52f => {
                self.cyrillic = self.cyrillic.saturating_add(1);
                Script::Cyrillic
            }
            0x41..=0x5a | 0x61..=0x7a | 0xc0..=0x24f | 0x1e00..=0x1eff => {
                if self.cyrillic > 0 {
                    return Script::Foreign;
                }
                self.cyrillic = self.cyrillic.saturating_sub(1);
                Script::Latin
            }
            _ => Script::Other,
        }
    }
}

const fn is_apostrophe(ch: char) -> bool {
    matches!(ch, '\'' | '’' | 'ʼ')
}

/// Whether what follows an apostrophe belongs to the word before: `O'Brien`, but not the `s` of `Brien's`.
fn is_rest_of_word(rest: &str) -> bool {
    let mut chars = rest.chars();
    match (chars.next(), chars.next()) {
        (Some('s' | 'S'), second) => second.is_some_and(char::is_alphanumeric),
        (Some(first), _) => first.is_alphabetic(),
        (None, _) => false,
    }
}

/// The shape of a word by the kinds of its first letter and of all others.
const fn shape(first: u8, rest: u8) -> Shape {
    if first & kind::ALPHABETIC == 0 {
        return Shape::Number;
    }
    let is_capital = first & kind::CAPITAL != 0;
    let has_small = (first | rest) & kind::SMALL != 0;
    let has_capitals = rest & kind::CAPITAL != 0;
    match (is_capital, rest == 0) {
        (true, true) => Shape::Initial,
        (true, false) if !has_small => Shape::Capitals,
        (true, false) if has_capitals => Shape::Mixed,
        (true, false) => Shape::Capitalised,
        (false, _) if has_capitals => Shape::Inner,
        (false, _) => Shape::Small,
    }
}
