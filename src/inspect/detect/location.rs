//! Coordinates in text: two numbers of degrees that are close enough to show a house.

use std::ops::Range;

use super::{
    Context, Sink,
    nearby::{comes_from, goes_on, has_word, is_free},
};
use crate::model::{Category, finding::Confidence};

/// Fewest decimals of each number: four are eleven metres.
const DECIMALS_MIN: usize = 4;

/// Words before a pair.
const WORDS: &[&str] = &[
    "координат",
    "coordinat",
    "gps",
    "геолокац",
    "локаци",
    "location",
    "широта",
    "latitude",
    "lat",
    "орналас",
    "geo",
    "point",
    "ll",
    "точка",
];

/// Reads the pair whose first number has its digits at `start`; returns its end.
pub(super) fn pair(
    text: &str,
    start: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    let is_keyed = context.names(Category::Location);
    if !is_keyed && !is_free(context) {
        return None;
    }
    let from = sign_before(text, start);
    let (first, first_end) = degrees(text, from)?;
    let rest = text.get(first_end..)?;
    let bare = rest.trim_start_matches([',', ';', ' ']);
    let gap = rest.len() - bare.len();
    if !(1..=2).contains(&gap) || comes_from(text, from) {
        return None;
    }
    let (second, end) = degrees(text, first_end + gap)?;
    let is_on_earth = (first.abs() <= 90.0 && second.abs() <= 180.0)
        || (first.abs() <= 180.0 && second.abs() <= 90.0);
    let is_small = first.abs() < 1.0 && second.abs() < 1.0;
    if !is_on_earth || is_small || is_part_of_list(text, &(from..end)) {
        return None;
    }
    sink.spend_validator();
    let around = [text.get(..from)?, text.get(end..)?];
    let is_alone = around.iter().all(|it| {
        it.chars()
            .all(|ch| matches!(ch, ' ' | '(' | ')' | '[' | ']' | '@'))
    });
    let sure = if is_keyed {
        Confidence::Certain
    } else if is_alone || around[0].ends_with('@') || has_word(text, from, end, WORDS) {
        Confidence::High
    } else {
        Confidence::Medium
    };
    sink.push(Category::Location, "coordinates", sure, from..end, None);
    Some(end)
}

/// The place of the sign, or of the first digit.
fn sign_before(text: &str, start: usize) -> usize {
    let has_sign = text.get(..start).is_some_and(|it| it.ends_with('-'));
    start - usize::from(has_sign)
}

/// A number with enough decimals at `at`, and where it ends.
fn degrees(text: &str, at: usize) -> Option<(f64, usize)> {
    let rest = text.get(at..)?;
    let unsigned = rest.strip_prefix('-').unwrap_or(rest);
    let (whole, after) = unsigned.split_once('.')?;
    let decimals = after.bytes().take_while(u8::is_ascii_digit).count();
    let is_whole = (1..=3).contains(&whole.len()) && whole.bytes().all(|it| it.is_ascii_digit());
    if !is_whole || !(DECIMALS_MIN..=16).contains(&decimals) {
        return None;
    }
    let length = rest.len() - after.len() + decimals;
    let end = at + length;
    (!goes_on(text, end)).then(|| rest.get(..length)?.parse().ok().map(|it| (it, end)))?
}

/// Whether further numbers stand before or after, as in a vector or a drawing.
fn is_part_of_list(text: &str, range: &Range<usize>) -> bool {
    let separators = [',', ';', ' '];
    // `17z` is how near a map is looked at.
    let number_follows = |it: &str| {
        it.starts_with(|ch: char| ch.is_ascii_digit() || matches!(ch, '-' | '.'))
            && !it
                .trim_start_matches(|ch: char| ch.is_ascii_digit() || ch == '.')
                .starts_with('z')
    };
    let after = text.get(range.end..).unwrap_or_default();
    let before = text.get(..range.start).unwrap_or_default();
    let goes_on = after.starts_with('.')
        || (after.starts_with(separators) && number_follows(after.trim_start_matches(separators)));
    goes_on
        || (before.ends_with(separators)
            && before
                .trim_end_matches(separators)
                .ends_with(|it: char| it.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_found, check_keyed, check_none, order_key};
    use super::*;

    #[test]
    fn pairs() {
        check_found(
            Category::Location,
            &[
                (
                    "43.238949, 76.889709",
                    "43.238949, 76.889709",
                    Confidence::High,
                ),
                ("geo:43.2389,76.8897", "43.2389,76.8897", Confidence::High),
                (
                    "POINT(76.889709 43.238949)",
                    "76.889709 43.238949",
                    Confidence::High,
                ),
                (
                    "https://maps.example.org/@43.238949,76.889709,17z",
                    "43.238949,76.889709",
                    Confidence::High,
                ),
                (
                    "координаты курьера: -43.2389;-76.8897",
                    "-43.2389;-76.8897",
                    Confidence::High,
                ),
                (
                    "между 43.238949,76.889709 и домом",
                    "43.238949,76.889709",
                    Confidence::Medium,
                ),
            ],
        );
        check_none(&[
            "43.23, 76.88",
            "0.238949, 0.889709",
            "43.238949, 76.889709, 12.345678, 1.234567",
            "243.238949, 76.889709",
            "43.238949, 196.889709",
            "v43.238949, 76.889709",
        ]);
        check_keyed(
            Some(Category::Location),
            "43.238949,76.889709",
            Some((Category::Location, Confidence::Certain)),
        );
        order_key("43.238949, 76.889709", None);
    }
}
