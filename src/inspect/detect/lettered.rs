//! National numbers that are written with letters, whose shape and check sign are rarely anything else: no key need name them.

use super::{Context, Sink, ValueKind, checksum, date::is_month_and_day};
use crate::model::{
    Category,
    finding::Confidence,
    subject::{Identifier, IdentifierKind},
};

/// Name of the detector.
const DETECTOR: &str = "national-id";

/// Letters before the first digit of an Italian tax code.
const NAME_LETTERS: usize = 6;

/// Whether the digits at `start` may be the year in an Italian tax code: six capitals stand before them, and nothing else.
pub(super) fn may_begin(bytes: &[u8], start: usize) -> bool {
    start.checked_sub(NAME_LETTERS).is_some_and(|from| {
        let letters = bytes.get(from..start).unwrap_or_default();
        letters.iter().all(u8::is_ascii_uppercase)
            && !from.checked_sub(1).is_some_and(|it| is_word(bytes, it))
    })
}

/// Reads the number of which the digits from `start` to `run_end` are the first; returns its end. It stands alone: letters, digits and
/// underscores around it make it a part of something else.
pub(super) fn at(
    text: &str,
    start: usize,
    run_end: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    let (before, length) = match run_end - start {
        2 => (NAME_LETTERS, 16),
        6 => (0, 11),
        // The number of a foreigner in Spain begins with a letter.
        7 if start > 0 && is_word(text.as_bytes(), start - 1) => (1, 9),
        7 => (0, 14),
        8 => (0, 9),
        _ => return None,
    };
    let from = start.checked_sub(before)?;
    let (end, bytes) = (from + length, text.as_bytes());
    let is_alone =
        !from.checked_sub(1).is_some_and(|it| is_word(bytes, it)) && !is_word(bytes, end);
    let token = text.get(from..end)?;
    let is_capital = !token.bytes().any(|it| it.is_ascii_lowercase());
    if !is_alone || !is_capital || context.kind == ValueKind::Key {
        return None;
    }
    sink.spend_validator();
    let sure = match token.len() {
        16 => checksum::codice_fiscale(token.as_bytes()).then_some(Confidence::High),
        14 => is_belarusian(token.as_bytes()).then_some(Confidence::High),
        11 => is_finnish(token.as_bytes()).then_some(Confidence::High),
        // One code of a letter and eight digits in twenty-three has the letter.
        9 => checksum::dni(token.as_bytes()).then_some(Confidence::Medium),
        _ => None,
    }?;
    let sure = if context.names(Category::NationalId) {
        Confidence::Certain
    } else if context.is_order_like {
        Confidence::Medium
    } else {
        sure
    };
    let identifier = Identifier::normalise(IdentifierKind::NationalId, token);
    sink.push(Category::NationalId, DETECTOR, sure, from..end, identifier);
    Some(end)
}

/// Whether a letter, a digit, an underscore or a sign of another script stands at `at`.
fn is_word(bytes: &[u8], at: usize) -> bool {
    bytes
        .get(at)
        .is_some_and(|it| it.is_ascii_alphanumeric() || *it == b'_' || *it >= 0x80)
}

fn two(bytes: &[u8], at: usize) -> Option<u8> {
    match bytes.get(at..at + 2)? {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + ones - b'0'),
        _ => None,
    }
}

/// Whether six digits at `at` are day, month and year.
fn has_day_first(bytes: &[u8], at: usize) -> bool {
    two(bytes, at)
        .zip(two(bytes, at + 2))
        .is_some_and(|(day, month)| is_month_and_day(month, day))
}

/// Henkilötunnus: `ddmmyy`, a sign of the century, three digits, a check sign.
fn is_finnish(token: &[u8]) -> bool {
    let century = token.get(6).copied().unwrap_or_default();
    has_day_first(token, 0)
        && matches!(century, b'+' | b'-' | b'A'..=b'F' | b'U'..=b'Y')
        && checksum::henkilotunnus(token)
}

/// Identification number of Belarus: sex and century, `ddmmyy`, the letter of a region, three digits, the letters of citizenship, a
/// check digit. Its shape alone says enough.
fn is_belarusian(token: &[u8]) -> bool {
    let is_digit = |it: &u8| it.is_ascii_digit();
    matches!(
        token,
        [b'1'..=b'6', _, _, _, _, _, _, b'A' | b'B' | b'C' | b'E' | b'H' | b'K' | b'M', serial @ .., b'P', b'A' | b'B', check]
        | [b'1'..=b'6', _, _, _, _, _, _, b'A' | b'B' | b'C' | b'E' | b'H' | b'K' | b'M', serial @ .., b'B', b'A' | b'I', check]
            if serial.len() == 3 && serial.iter().chain([check]).all(is_digit)
    ) && has_day_first(token, 1)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_found, check_none, order_key};
    use crate::model::{Category, finding::Confidence};

    #[test]
    fn shapes_with_a_check_sign_need_no_key() {
        check_found(
            Category::NationalId,
            &[
                ("RSSMRA85T10A562S", "RSSMRA85T10A562S", Confidence::High),
                (
                    "C.F. RSSMRA85T10A562S,",
                    "RSSMRA85T10A562S",
                    Confidence::High,
                ),
                ("131052-308T", "131052-308T", Confidence::High),
                ("3110281A015PB5", "3110281A015PB5", Confidence::High),
                ("12345678Z", "12345678Z", Confidence::Medium),
                ("X1234567L", "X1234567L", Confidence::Medium),
            ],
        );
        check_none(&[
            "RSSMRA85T10A562T",
            "XRSSMRA85T10A562S",
            "131052-308U",
            "133052-308T",
            "3113281A015PB5",
            "3110281A015XX5",
            "12345678A",
            "A12345678Z",
            "12345678Z9",
        ]);
        order_key(
            "RSSMRA85T10A562S",
            Some((Category::NationalId, Confidence::Medium)),
        );
    }
}
