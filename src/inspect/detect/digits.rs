//! Digit runs: read once with their separators, refused early when part of a word, UUID or decimal, then given to the validators.

use super::{
    Context, Sink, card, disguised, document, health, iban, ip, lettered, location, national, phone,
};

/// Most digits of a number that any validator knows (ISO/IEC 7812).
const DIGITS_MAX: usize = 19;

/// Fewest digits of such a number.
const DIGITS_MIN: usize = 7;

/// Fewest digits of a card's number, the one that is looked for in the middle of a token.
const GLUED_MIN: usize = 13;

/// Most groups: `+7 (701) 000-00-01` has five.
const GROUPS_MAX: usize = 8;

/// A number of one or more groups of digits, as validators see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<'a> {
    /// Digit values.
    pub(super) digits: &'a [u8],
    /// Digits in each group.
    pub(super) sizes: &'a [usize],
    /// The separators used; `+` and the first group have none.
    pub(super) separators: Separators,
    /// A `+` stands before the first digit.
    pub(super) has_plus: bool,
    /// It is the whole text after one space: form decoding makes a space of an unescaped `+`.
    pub(super) has_lost_plus: bool,
    /// Nothing else stands in the text.
    pub(super) is_whole: bool,
    /// The text with separators and `+`.
    pub(super) text: &'a str,
    /// Byte of the text at which it starts, `+` included.
    pub(super) start: usize,
}

impl Number<'_> {
    /// Byte after the last digit.
    pub(super) const fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is written without separators.
    pub(super) const fn is_run(&self) -> bool {
        self.sizes.len() == 1
    }
}

/// Which separators stand between groups.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Separators {
    pub(super) space: bool,
    pub(super) hyphen: bool,
    pub(super) dot: bool,
    pub(super) bracket: bool,
}

impl Separators {
    const fn add(&mut self, byte: u8) {
        match byte {
            b' ' => self.space = true,
            b'-' => self.hyphen = true,
            b'.' => self.dot = true,
            _ => self.bracket = true,
        }
    }
}

/// Groups read from one place of a text.
#[derive(Debug, Default)]
struct Groups {
    digits: [u8; DIGITS_MAX],
    count: usize,
    sizes: [usize; GROUPS_MAX],
    ends: [usize; GROUPS_MAX],
    separators: [Separators; GROUPS_MAX],
    groups: usize,
}

impl Groups {
    /// Reads groups from `start` while they fit; false if the first group alone is too long.
    fn read(&mut self, bytes: &[u8], start: usize) -> bool {
        let mut at = start;
        let mut seen = Separators::default();
        loop {
            let run = run_length(bytes, at);
            let fits = self.count + run <= DIGITS_MAX && self.groups < GROUPS_MAX;
            if run == 0 || !fits {
                return self.groups > 0;
            }
            let source = bytes.iter().skip(at).take(run);
            for (slot, byte) in self.digits.iter_mut().skip(self.count).zip(source) {
                *slot = byte - b'0';
            }
            self.count += run;
            at += run;
            if let (Some(size), Some(end), Some(used)) = (
                self.sizes.get_mut(self.groups),
                self.ends.get_mut(self.groups),
                self.separators.get_mut(self.groups),
            ) {
                (*size, *end, *used) = (run, at, seen);
            }
            self.groups += 1;
            let gap = bytes
                .iter()
                .skip(at)
                .take(2)
                .take_while(|it| matches!(it, b' ' | b'-' | b'.' | b'(' | b')'));
            for byte in gap {
                seen.add(*byte);
                at += 1;
            }
        }
    }
}

/// Whether another group follows the one that ends at `end`.
fn goes_on(bytes: &[u8], end: usize) -> bool {
    let is_separator = |it: &u8| matches!(it, b' ' | b'-' | b'.' | b'(' | b')');
    let mut next = bytes.iter().skip(end);
    next.next().is_some_and(is_separator)
        && match next.next() {
            Some(second) if is_separator(second) => next.next().is_some_and(u8::is_ascii_digit),
            Some(second) => second.is_ascii_digit(),
            None => false,
        }
}

/// Whether a byte is part of a token of letters, digits and underscores.
const fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_before_token(text: &str, start: usize) -> bool {
    let before = start.checked_sub(1).and_then(|it| text.as_bytes().get(it));
    before.is_some_and(|it| is_of_token(*it))
}

/// Whether the first two digits at `start` belong to a percent escape of a sign behind another one: `%3A%22`.
fn is_after_escapes(bytes: &[u8], start: usize) -> bool {
    let sign = |at: usize| match bytes.get(at..at + 3) {
        Some([b'%', high, low]) => {
            let digit = |it: u8| char::from(it).to_digit(16);
            matches!(
                (digit(*high), digit(*low)),
                (Some(2), Some(_)) | (Some(3), Some(10..))
            )
        }
        _ => false,
    };
    start >= 4 && sign(start - 1) && sign(start - 4)
}

/// Number of digits at `at`.
fn run_length(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter()
        .position(|it| !it.is_ascii_digit())
        .unwrap_or(rest.len())
}

/// Coordinates, codes of illnesses, documents and plates, which have no check digit; the end of what was found.
fn by_shape(
    text: &str,
    start: usize,
    run_end: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    if run_end - start <= 3 && text.as_bytes().get(run_end) == Some(&b'.') {
        let pair = location::pair(text, start, context, sink);
        if pair.is_some() {
            return pair;
        }
    }
    let code = (run_end - start == health::DIGITS)
        .then(|| health::code(text, start, run_end, context, sink))
        .flatten();
    code.or_else(|| document::at(text, start, run_end, context, sink))
        .or_else(|| lettered::at(text, start, run_end, context, sink))
}

/// Reads the number that starts with the digit at `start`; returns where to go on.
#[inline]
pub(super) fn at(text: &str, start: usize, context: &Context, sink: &mut Sink<'_>) -> usize {
    let bytes = text.as_bytes();
    let run_end = start + run_length(bytes, start);
    end_of_no_number(bytes, start, run_end)
        .unwrap_or_else(|| number(text, start, run_end, context, sink))
}

/// Reads the number that starts with the digits from `start` to `run_end`; returns where to go on.
fn number(
    text: &str,
    start: usize,
    run_end: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> usize {
    let bytes = text.as_bytes();
    let run = run_end - start;
    if run <= 3
        && bytes.get(run_end) == Some(&b'.')
        && let Some(end) = ip::v4(text, start, context, sink)
    {
        return end;
    }
    if let Some(end) = by_shape(text, start, run_end, context, sink) {
        return end;
    }
    let before = start.checked_sub(1).and_then(|it| bytes.get(it)).copied();
    let next = bytes.get(run_end).copied();
    if run < DIGITS_MAX
        && (disguised::may_touch(before) || disguised::may_touch(next))
        && let Some(end) = disguised::with_letters(text, start, context, sink)
    {
        return end;
    }
    if before.is_some_and(is_of_token) {
        return behind_word(text, start, run_end, context, sink).unwrap_or(run_end);
    }
    if before == Some(b'%') && is_after_escapes(bytes, start) {
        // The digits after the escape are read where it is undone.
        return run_end;
    }
    if let Some(end) = uuid_end(bytes, start, run_end) {
        return end;
    }
    if before == Some(b'.')
        && start
            .checked_sub(2)
            .and_then(|it| bytes.get(it))
            .is_some_and(u8::is_ascii_digit)
    {
        return run_end;
    }
    if matches!(run, 1..=4 | 6)
        && let Some(end) = disguised::spread(text, start, run, context, sink)
    {
        return end;
    }
    if run < DIGITS_MIN && !goes_on(bytes, run_end) {
        return run_end;
    }
    if run == 12
        && next.is_some_and(|it| it.is_ascii_alphabetic() || it == b'_' || it >= 0x80)
        && let Some(end) = national::glued_before(text, start, run_end, context, sink)
    {
        return end;
    }
    let mut groups = Groups::default();
    if run > DIGITS_MAX || !groups.read(bytes, start) || groups.count < DIGITS_MIN {
        return run_end;
    }
    let has_plus = before == Some(b'+');
    let first = if has_plus { start - 1 } else { start };
    for kept in (1..=groups.groups).rev() {
        if let Some(end) = try_groups(text, first, has_plus, &groups, kept, context, sink) {
            return end;
        }
    }
    run_end
}

/// Takes the number that starts with the `run` digits at `start`, which letters or an underscore touch, if it is a card's.
fn glued(
    text: &str,
    start: usize,
    run: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_run = (GLUED_MIN..=DIGITS_MAX).contains(&run);
    let is_grouped = run == 4 && goes_on(bytes, start + run);
    if !is_run && !is_grouped {
        return None;
    }
    let mut groups = Groups::default();
    if !groups.read(bytes, start) {
        return None;
    }
    (1..=groups.groups)
        .rev()
        .find_map(|kept| try_groups(text, start, false, &groups, kept, context, sink))
}

/// Gives the first `kept` groups to the validators; returns the end of the number when one of them took it.
fn try_groups(
    text: &str,
    first: usize,
    has_plus: bool,
    groups: &Groups,
    kept: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    let sizes = groups.sizes.get(..kept)?;
    let count: usize = sizes.iter().sum();
    let end = *groups.ends.get(kept - 1)?;
    let mut after = text.as_bytes().get(end..)?.iter();
    let next = after.next().copied();
    let is_decimal =
        next == Some(b'.') && kept == 1 && after.next().is_some_and(u8::is_ascii_digit);
    let is_glued = next.is_some_and(is_of_token) || (!has_plus && is_before_token(text, first));
    if count < if is_glued { GLUED_MIN } else { DIGITS_MIN } || is_decimal {
        return None;
    }
    let number = Number {
        digits: groups.digits.get(..count)?,
        sizes,
        separators: *groups.separators.get(kept - 1)?,
        has_plus,
        has_lost_plus: first == 1 && text.starts_with(' ') && end == text.len(),
        is_whole: first == 0 && end == text.len(),
        text: text.get(first..end)?,
        start: first,
    };
    if is_glued {
        return card::glued(&number, text, context, sink).then_some(end);
    }
    let taken = phone::keyed_or_international(&number, context, sink)
        || national::read(&number, context, sink)
        || card::read(&number, context, sink)
        || (!is_among_fours(text, &number) && phone::local(&number, context, sink));
    taken.then_some(end)
}

/// Whether the number is the rest of digits in fours, which is how cards are written: `0031-2200-3222` of `2223-0031-2200-3222`.
fn is_among_fours(text: &str, number: &Number<'_>) -> bool {
    let before = number.start.checked_sub(5).and_then(|it| {
        let bytes = text.as_bytes();
        bytes.get(it..number.start)
    });
    number.sizes.iter().all(|it| *it == 4)
        && before.is_some_and(
            |it| matches!(it, [digits @ .., b' ' | b'-'] if digits.iter().all(u8::is_ascii_digit)),
        )
}

/// The end of the number that the digits from `start` to `run_end`, which follow a letter or `_`, are a part of.
fn behind_word(
    text: &str,
    start: usize,
    run_end: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    let run = run_end - start;
    let iban = (run >= 2)
        .then(|| iban::before_digits(text, start, context, sink))
        .flatten();
    let iin = |sink: &mut Sink<'_>| {
        (run == 12).then(|| national::glued(text, start, run_end, context, sink))?
    };
    iban.or_else(|| iin(sink))
        .or_else(|| card::of_track(text, start, run_end, context, sink))
        .or_else(|| glued(text, start, run, context, sink))
}

/// Where to go on behind digits that are no number for where they stand: in the middle of a word, in a time.
#[inline]
fn end_of_no_number(bytes: &[u8], start: usize, run_end: usize) -> Option<usize> {
    match run_end - start {
        1 if is_in_row(bytes, start) => Some(run_end),
        2 if lettered::may_begin(bytes, start) => None,
        1..DIGITS_MIN if is_inside_word(bytes, start, run_end) => Some(run_end),
        4 => timestamp_end(bytes, start),
        _ => None,
    }
}

/// Whether the digit at `start` is in the middle of a row of single digits with one sign between: a number that is written so begins
/// where the row does.
fn is_in_row(bytes: &[u8], start: usize) -> bool {
    let row = start.checked_sub(2).and_then(|it| bytes.get(it..start + 5));
    let is_alone = |at: usize| !bytes.get(at).is_some_and(u8::is_ascii_digit);
    let Some([one, sign, _, second, two, third, three]) = row else {
        return false;
    };
    matches!(sign, b' ' | b'-' | b'.')
        && sign == second
        && sign == third
        && [one, two, three].iter().all(|it| it.is_ascii_digit())
        && start.checked_sub(3).is_none_or(is_alone)
        && is_alone(start + 5)
}

/// Whether the few digits from `start` to `end` are in the middle of a word, as most are in hashes and base64: every number of so few
/// digits begins or ends a word, but for letters that are drawn like digits.
fn is_inside_word(bytes: &[u8], start: usize, end: usize) -> bool {
    const BEFORE: usize = 3;
    let is_word = |it: &u8| it.is_ascii_alphanumeric() || *it == b'_';
    let is_plain = |it: Option<&u8>| {
        it.is_some_and(|it| it.is_ascii_alphanumeric() && !disguised::may_touch(Some(*it)))
    };
    is_plain(bytes.get(end))
        && start.checked_sub(BEFORE).is_some_and(|from| {
            let before = bytes.get(from..start).unwrap_or_default();
            is_plain(before.last()) && before.iter().all(is_word)
        })
}

/// End of the seconds of the time (`2026-11-25T10:00:00`, RFC 3339) that begins at `start`: none of its digits are a number.
fn timestamp_end(bytes: &[u8], start: usize) -> Option<usize> {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let end = start + SHAPE.len();
    let is_alike = |(byte, sign): (&u8, &u8)| {
        if *sign == b'0' {
            byte.is_ascii_digit()
        } else {
            byte == sign
        }
    };
    let before = start.checked_sub(1).and_then(|it| bytes.get(it));
    let touches =
        |it: &u8| !it.is_ascii() || it.is_ascii_alphanumeric() || matches!(it, b'_' | b':');
    let is_time = bytes.get(start + 10) == Some(&b'T')
        && bytes.get(start..end)?.iter().zip(SHAPE).all(is_alike)
        && !before.is_some_and(touches)
        && !bytes.get(end).is_some_and(touches);
    is_time.then_some(end)
}

/// End of the UUID (8-4-4-4-12 hex digits) of which the run is a part.
fn uuid_end(bytes: &[u8], start: usize, run_end: usize) -> Option<usize> {
    const LENGTH: usize = 36;
    let is_part = |it: &&u8| it.is_ascii_hexdigit() || **it == b'-';
    let touches_more = bytes.get(run_end).as_ref().is_some_and(is_part)
        || start
            .checked_sub(1)
            .and_then(|it| bytes.get(it))
            .as_ref()
            .is_some_and(is_part);
    if bytes.len() < LENGTH || !touches_more {
        return None;
    }
    let back = bytes
        .get(..start)?
        .iter()
        .rev()
        .take(LENGTH)
        .take_while(is_part)
        .count();
    let from = start - back;
    let token = bytes.get(from..from + LENGTH)?;
    let is_uuid = token.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    (is_uuid && !bytes.get(from + LENGTH).as_ref().is_some_and(is_part)).then_some(from + LENGTH)
}
