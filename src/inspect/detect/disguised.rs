//! Numbers that people read and programs pass over: letters drawn like digits, and separators nobody uses by chance.
//!
//! Only what a check digit confirms is taken, in groups of one size: what looks like a list is left alone.

use super::{
    Context, Sink, card, checksum,
    digits::{Number, Separators},
    national,
};

/// Letters drawn like a digit, Greek and Cyrillic.
const LETTERS: &[(char, u8)] = &[
    ('Ο', 0),
    ('ο', 0),
    ('О', 0),
    ('о', 0),
    ('І', 1),
    ('і', 1),
    ('Ӏ', 1),
    ('ӏ', 1),
    ('З', 3),
    ('з', 3),
    ('Ч', 4),
    ('ч', 4),
    ('Ѕ', 5),
    ('б', 6),
    ('В', 8),
];

/// Most characters of such a number (ISO/IEC 7812).
const LENGTH_MAX: usize = 19;

/// Fewest digits among them: a word of look-alikes alone is a word. One of a card's length is long enough to be none.
const DIGITS_MIN: usize = 4;
const CARD_LENGTH: usize = 16;

/// Longest separator: a sign between spaces.
const SEPARATOR_MAX: usize = 3;

/// Whether a letter drawn like a digit may end (`before`) or begin with this byte. Most bytes beside a run of digits are none.
pub(super) const fn may_touch(byte: Option<u8>) -> bool {
    matches!(
        byte,
        Some(b'I' | b'O' | b'S' | b'Z' | b'l' | b'o' | 0x80..=0xbf | 0xce | 0xcf | 0xd0..=0xd3)
    )
}

fn value(ch: char) -> Option<u8> {
    match u8::try_from(ch).unwrap_or(u8::MAX) {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        b'O' | b'o' => Some(0),
        b'I' | b'l' => Some(1),
        b'Z' => Some(2),
        b'S' => Some(5),
        0..=127 => None,
        _ => LETTERS.iter().find(|it| it.0 == ch).map(|it| it.1),
    }
}

/// Takes the word around the digit at `start` if it is a number with letters in place of some digits; returns its end.
pub(super) fn with_letters(
    text: &str,
    start: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    if is_inside_word(text.as_bytes(), start) {
        return None;
    }
    let (before, after) = text.split_at_checked(start)?;
    let back = before
        .chars()
        .rev()
        .take(LENGTH_MAX + 1)
        .take_while(|it| value(*it).is_some());
    let first = start - back.map(char::len_utf8).sum::<usize>();
    let ahead = after
        .chars()
        .take(LENGTH_MAX + 1)
        .take_while(|it| value(*it).is_some());
    let end = start + ahead.map(char::len_utf8).sum::<usize>();
    let is_word = |it: char| it.is_alphanumeric() || it == '_';
    let is_part = text.get(..first)?.ends_with(is_word) || text.get(end..)?.starts_with(is_word);
    let word = text.get(first..end)?;
    let mut digits = [0_u8; LENGTH_MAX];
    let mut count = 0;
    for ch in word.chars() {
        *digits.get_mut(count)? = value(ch)?;
        count += 1;
    }
    let written = word.bytes().filter(u8::is_ascii_digit).count();
    if is_part || (written < DIGITS_MIN && count != CARD_LENGTH) || written == count {
        return None;
    }
    let number = Number {
        digits: digits.get(..count)?,
        sizes: &[count],
        separators: Separators::default(),
        has_plus: false,
        has_lost_plus: false,
        is_whole: false,
        text: word,
        start: first,
    };
    take(&number, context, sink).then_some(end)
}

/// Whether more than digits and letters drawn like them goes with the digit at `start` in one word. A look at bytes, which tells most
/// digits of hashes and base64; where it meets other letters than those of ASCII, it tells nothing.
fn is_inside_word(bytes: &[u8], start: usize) -> bool {
    let is_other = |it: Option<&u8>| it.is_some_and(|it| it.is_ascii_alphanumeric() || *it == b'_');
    let is_value = |it: &&u8| it.is_ascii() && value(char::from(**it)).is_some();
    let (before, after) = bytes.split_at_checked(start).unwrap_or_default();
    let mut back = before.iter().rev().take(LENGTH_MAX + 1);
    let mut ahead = after.iter().take(LENGTH_MAX + 1);
    is_other(back.find(|it| !is_value(it))) || is_other(ahead.find(|it| !is_value(it)))
}

/// Takes the number that begins with the `run` digits at `start` if it is written in groups of one size with one separator that is
/// not of the usual ones; returns its end.
pub(super) fn spread(
    text: &str,
    start: usize,
    run: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    let bytes = text.as_bytes();
    let rest = bytes.get(start + run..)?;
    let width = rest
        .iter()
        .take(SEPARATOR_MAX + 1)
        .take_while(|it| is_separator(**it))
        .count();
    if width == 0 || width > SEPARATOR_MAX || !rest.get(width)?.is_ascii_digit() {
        return None;
    }
    let separator = rest.get(..width)?;
    let is_usual = matches!(separator, b" " | b"-" | b".");
    let (before, _) = bytes.split_at_checked(start)?;
    let is_list = before
        .strip_suffix(separator)
        .and_then(<[u8]>::last)
        .is_some_and(u8::is_ascii_digit);
    if (is_usual && run > 1) || is_list {
        return None;
    }
    let cards = !matches!(separator.trim_ascii(), b"," | b";");
    let counts = [12 / run, if run == 4 && cards { 4 } else { 0 }];
    let groups = Run {
        text,
        start,
        size: run,
        separator,
    };
    counts
        .into_iter()
        .filter(|it| *it > 1)
        .find_map(|count| groups.take(count, context, sink))
}

/// What may stand between groups: signs and white space.
const fn is_separator(byte: u8) -> bool {
    byte.is_ascii_punctuation() || matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Groups of one size.
struct Run<'a> {
    text: &'a str,
    start: usize,
    size: usize,
    separator: &'a [u8],
}

impl Run<'_> {
    /// Takes `count` groups, if there are so many and no more.
    fn take(&self, count: usize, context: &Context, sink: &mut Sink<'_>) -> Option<usize> {
        let mut digits = [0_u8; LENGTH_MAX];
        let mut sizes = [0_usize; 12];
        let mut kept = 0;
        let mut rest = self.text.as_bytes().get(self.start..)?;
        for number in 0..count {
            if number > 0 {
                rest = rest.strip_prefix(self.separator)?;
            }
            for _ in 0..self.size {
                let (digit, tail) = rest.split_first()?;
                *digits.get_mut(kept)? = digit.is_ascii_digit().then(|| digit - b'0')?;
                kept += 1;
                rest = tail;
            }
            *sizes.get_mut(number)? = self.size;
        }
        let goes_on = rest
            .strip_prefix(self.separator)
            .unwrap_or(rest)
            .first()
            .is_some_and(u8::is_ascii_digit);
        if goes_on || rest.first().is_some_and(u8::is_ascii_alphanumeric) {
            return None;
        }
        let end = self.text.len() - rest.len();
        let number = Number {
            digits: digits.get(..kept)?,
            sizes: sizes.get(..count)?,
            separators: Separators::default(),
            has_plus: false,
            has_lost_plus: false,
            is_whole: false,
            text: self.text.get(self.start..end)?,
            start: self.start,
        };
        take(&number, context, sink).then_some(end)
    }
}

/// Takes a number whose check digit holds: an IIN or a card's.
fn take(number: &Number<'_>, context: &Context, sink: &mut Sink<'_>) -> bool {
    match number.digits.len() {
        12 => {
            checksum::iin(number.digits)
                && !national::is_time(number.digits)
                && national::push_iin(number, context, sink)
        }
        CARD_LENGTH => checksum::luhn(number.digits) && card::read(number, context, sink),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_found, check_none};
    use crate::model::{Category, finding::Confidence};

    #[test]
    fn letters_drawn_like_digits_hide_no_number() {
        check_found(
            Category::NationalId,
            &[
                ("99l23llOOOlO", "99l23llOOOlO", Confidence::High),
                ("9912З11ООО1О", "9912З11ООО1О", Confidence::High),
                ("ИИН 99I23I1ooo1o.", "99I23I1ooo1o", Confidence::High),
            ],
        );
        check_found(
            Category::PaymentCard,
            &[
                ("4lll1lll1lll1lll", "4lll1lll1lll1lll", Confidence::High),
                ("4lllllllllllllll", "4lllllllllllllll", Confidence::High),
            ],
        );
        check_none(&[
            "99l23llOOOl1",
            "9912З11ООО11",
            "x99l23llOOOlO",
            "99l23llOOOlOx",
            "lllllllOOOlO",
            "4llllllllllllllO",
            "5G 10о 2О мЗ",
        ]);
    }

    #[test]
    fn unusual_separators_hide_no_number() {
        check_found(
            Category::NationalId,
            &[
                ("991231/100010", "991231/100010", Confidence::High),
                ("991231_100010", "991231_100010", Confidence::High),
                ("991231\t100010", "991231\t100010", Confidence::High),
                ("991231 - 100010", "991231 - 100010", Confidence::High),
                ("9912|3110|0010", "9912|3110|0010", Confidence::High),
                (
                    "9 9 1 2 3 1 1 0 0 0 1 0",
                    "9 9 1 2 3 1 1 0 0 0 1 0",
                    Confidence::High,
                ),
                (
                    "9,9,1,2,3,1,1,0,0,0,1,0",
                    "9,9,1,2,3,1,1,0,0,0,1,0",
                    Confidence::High,
                ),
            ],
        );
        check_found(
            Category::PaymentCard,
            &[(
                "4111_1111_1111_1111",
                "4111_1111_1111_1111",
                Confidence::High,
            )],
        );
        check_none(&[
            "991231/100011",
            "123456/991231/100010",
            "991231/100010/123456",
            "05/03/14/10/00/13",
            "050314/100013",
            "4111_1111_1111_1112",
            "4000,4000,4000,4000",
            "1,9,9,1,2,3,1,1,0,0,0,1,0",
        ]);
    }
}
