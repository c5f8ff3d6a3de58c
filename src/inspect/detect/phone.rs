//! Telephone numbers (ITU-T E.164): international by country code and length, and the written forms of Kazakhstan, Russia and
//! North America.

use super::{Context, Sink, ValueKind, digits::Number};
use crate::model::{
    Category,
    finding::Confidence,
    subject::{Identifier, IdentifierKind},
};

/// Country codes with the least and greatest length of the national number (ITU-T E.164 annex, national plans).
const CODES: &[(u16, u8, u8)] = &[
    (1, 10, 10),
    (7, 10, 10),
    (20, 8, 10),
    (27, 5, 10),
    (30, 10, 12),
    (31, 5, 11),
    (32, 8, 9),
    (33, 9, 9),
    (34, 9, 9),
    (36, 8, 9),
    (39, 6, 12),
    (40, 9, 9),
    (41, 9, 12),
    (43, 4, 13),
    (44, 7, 10),
    (45, 8, 8),
    (46, 6, 12),
    (47, 5, 8),
    (48, 6, 10),
    (49, 4, 15),
    (51, 8, 9),
    (52, 10, 11),
    (53, 6, 10),
    (54, 10, 11),
    (55, 8, 11),
    (56, 9, 11),
    (57, 8, 11),
    (58, 10, 10),
    (60, 8, 10),
    (61, 5, 12),
    (62, 7, 13),
    (63, 6, 13),
    (64, 5, 11),
    (65, 8, 11),
    (66, 8, 13),
    (81, 8, 17),
    (82, 5, 14),
    (84, 7, 10),
    (86, 7, 12),
    (90, 7, 13),
    (91, 8, 13),
    (92, 8, 12),
    (93, 9, 9),
    (94, 9, 9),
    (95, 6, 10),
    (98, 4, 10),
    (211, 9, 9),
    (212, 9, 9),
    (213, 8, 9),
    (216, 8, 8),
    (218, 9, 9),
    (220, 7, 7),
    (221, 9, 9),
    (222, 8, 8),
    (223, 8, 8),
    (224, 8, 9),
    (225, 10, 10),
    (226, 8, 8),
    (227, 8, 8),
    (228, 8, 8),
    (229, 8, 10),
    (230, 7, 10),
    (231, 7, 9),
    (232, 8, 8),
    (233, 8, 9),
    (234, 7, 11),
    (235, 8, 8),
    (236, 8, 8),
    (237, 8, 9),
    (238, 7, 7),
    (239, 7, 7),
    (240, 9, 9),
    (241, 7, 8),
    (242, 9, 9),
    (243, 7, 10),
    (244, 9, 9),
    (245, 7, 9),
    (246, 7, 7),
    (247, 4, 6),
    (248, 7, 7),
    (249, 9, 9),
    (250, 8, 9),
    (251, 9, 9),
    (252, 6, 9),
    (253, 8, 8),
    (254, 7, 10),
    (255, 9, 9),
    (256, 9, 9),
    (257, 8, 8),
    (258, 8, 9),
    (260, 9, 9),
    (261, 9, 9),
    (262, 9, 9),
    (263, 5, 10),
    (264, 8, 9),
    (265, 7, 9),
    (266, 8, 8),
    (267, 7, 10),
    (268, 8, 9),
    (269, 7, 7),
    (290, 4, 5),
    (291, 7, 7),
    (297, 7, 7),
    (298, 6, 6),
    (299, 6, 6),
    (350, 8, 8),
    (351, 9, 9),
    (352, 4, 11),
    (353, 7, 10),
    (354, 7, 9),
    (355, 6, 9),
    (356, 8, 8),
    (357, 8, 8),
    (358, 5, 12),
    (359, 6, 9),
    (370, 8, 8),
    (371, 8, 8),
    (372, 7, 10),
    (373, 8, 8),
    (374, 8, 8),
    (375, 9, 11),
    (376, 6, 9),
    (377, 8, 9),
    (378, 6, 10),
    (380, 9, 10),
    (381, 6, 12),
    (382, 8, 9),
    (383, 8, 12),
    (385, 8, 9),
    (386, 5, 8),
    (387, 8, 9),
    (389, 8, 8),
    (420, 9, 12),
    (421, 6, 9),
    (423, 7, 9),
    (500, 5, 5),
    (501, 7, 11),
    (502, 8, 11),
    (503, 7, 11),
    (504, 8, 11),
    (505, 8, 8),
    (506, 8, 10),
    (507, 7, 11),
    (508, 6, 9),
    (509, 8, 8),
    (590, 9, 9),
    (591, 8, 9),
    (592, 7, 7),
    (593, 8, 11),
    (594, 9, 9),
    (595, 6, 11),
    (596, 9, 9),
    (597, 6, 7),
    (598, 7, 13),
    (599, 7, 8),
    (670, 7, 8),
    (672, 5, 6),
    (673, 7, 7),
    (674, 7, 7),
    (675, 7, 11),
    (676, 5, 7),
    (677, 5, 7),
    (678, 5, 7),
    (679, 7, 11),
    (680, 7, 7),
    (681, 6, 9),
    (682, 5, 5),
    (683, 4, 7),
    (685, 5, 10),
    (686, 5, 8),
    (687, 6, 6),
    (688, 5, 7),
    (689, 6, 8),
    (690, 4, 7),
    (691, 7, 7),
    (692, 7, 7),
    (800, 8, 8),
    (808, 8, 8),
    (850, 6, 10),
    (852, 5, 11),
    (853, 7, 8),
    (855, 8, 10),
    (856, 8, 10),
    (870, 9, 12),
    (878, 12, 12),
    (880, 6, 10),
    (881, 9, 9),
    (882, 7, 12),
    (883, 9, 12),
    (886, 7, 10),
    (888, 11, 11),
    (960, 7, 10),
    (961, 7, 8),
    (962, 8, 9),
    (963, 8, 9),
    (964, 8, 10),
    (965, 7, 8),
    (966, 8, 10),
    (967, 7, 9),
    (968, 7, 9),
    (970, 8, 10),
    (971, 8, 12),
    (972, 7, 12),
    (973, 8, 8),
    (974, 7, 8),
    (975, 7, 8),
    (976, 8, 10),
    (977, 8, 11),
    (979, 9, 9),
    (992, 9, 9),
    (993, 8, 8),
    (994, 9, 9),
    (995, 9, 9),
    (996, 9, 10),
    (998, 9, 9),
];

/// Takes a number with `+`, and any number that a phone key names.
pub(super) fn keyed_or_international(
    number: &Number<'_>,
    context: &Context,
    sink: &mut Sink<'_>,
) -> bool {
    let is_keyed = context.names(Category::Phone);
    if number.digits.len() > 15 || !(is_keyed || number.has_plus) {
        return false;
    }
    sink.spend_validator();
    let is_valid = is_international(number.digits)
        || (is_keyed && !number.has_plus && is_national(number.digits));
    let confidence = match (is_valid, is_keyed) {
        (true, true) => Confidence::Certain,
        (true, false) if context.is_order_like => Confidence::Medium,
        (true, false) | (false, true) => Confidence::High,
        (false, false) if context.is_person_key && number.digits.len() >= 8 => Confidence::High,
        // Nothing but a plus and digits is meant as a number, if a made-up one.
        (false, false) if number.is_whole && number.is_run() && number.digits.len() >= 10 => {
            Confidence::High
        }
        (false, false) => return false,
    };
    push(number, confidence, sink);
    true
}

/// Takes the written forms that name no country: `8 (701) 000-00-01`, `77010000001`, `(212) 555-0100`.
pub(super) fn local(number: &Number<'_>, context: &Context, sink: &mut Sink<'_>) -> bool {
    sink.spend_validator();
    let used = number.separators;
    let confidence = match (number.digits, number.sizes) {
        ([7 | 8, 3 | 4 | 7 | 8 | 9, ..], [1, 3..=5, _, ..]) if is_trunk(number) => Confidence::High,
        _ if number.has_lost_plus && is_international(number.digits) => Confidence::High,
        // `00` is dialled for the plus sign.
        ([0, 0, rest @ ..], [2..=5, _, _, ..])
            // With a dot it is a second and its parts, as in lines of a log.
            if (used.space || used.hyphen || used.bracket)
                && !used.dot
                && is_international(rest) =>
        {
            Confidence::High
        }
        ([7 | 8, 7 | 9, ..], [11]) if context.is_person_key => Confidence::High,
        ([7 | 8, 7 | 9, ..], [11]) => Confidence::Medium,
        _ if context.is_person_key
            && context.kind == ValueKind::String
            && number.digits.len() >= 11
            && !used.dot
            && is_international(number.digits) =>
        {
            Confidence::High
        }
        // Sent to a person: `to`. Ten digits from 1 on are as often seconds since 1970.
        ([2..=9, ..], [10]) if context.is_person_key && context.kind == ValueKind::String => {
            Confidence::High
        }
        ([2..=9, _, _, 2..=9, ..], [3, 3, 4]) if used.bracket => Confidence::High,
        ([2..=9, _, _, 2..=9, ..], [3, 3, 4]) if used.hyphen => Confidence::Medium,
        ([1, 2..=9, _, _, 2..=9, ..], [1, 3, 3, 4]) if used.hyphen || used.bracket => {
            Confidence::High
        }
        _ => return false,
    };
    let sure = if context.is_order_like {
        confidence.min(Confidence::Low)
    } else {
        confidence
    };
    push(number, sure, sink);
    true
}

fn push(number: &Number<'_>, confidence: Confidence, sink: &mut Sink<'_>) {
    let identifier = (confidence >= Confidence::Medium)
        .then(|| Identifier::normalise(IdentifierKind::Phone, number.text))
        .flatten();
    sink.push(
        Category::Phone,
        "phone",
        confidence,
        number.start..number.end(),
        identifier,
    );
}

/// Eleven digits with separators other than dots alone, which dates and versions use.
fn is_trunk(number: &Number<'_>) -> bool {
    let used = number.separators;
    number.digits.len() == 11 && (used.space || used.hyphen || used.bracket)
}

/// Country code and length agree; numbers of zone 7 and of North America have their area codes checked too.
fn is_international(digits: &[u8]) -> bool {
    match digits {
        [7, second, ..] => digits.len() == 11 && matches!(second, 3 | 4 | 6..=9),
        [1, area, _, _, office, ..] => digits.len() == 11 && *area >= 2 && *office >= 2,
        _ => (1..=3).any(|width| has_code(digits, width)),
    }
}

fn has_code(digits: &[u8], width: usize) -> bool {
    let code = digits
        .iter()
        .take(width)
        .fold(0_u16, |sum, it| sum * 10 + u16::from(*it));
    let rest = digits.len().saturating_sub(width);
    CODES.iter().any(|(it, least, most)| {
        *it == code && (usize::from(*least)..=usize::from(*most)).contains(&rest)
    })
}

/// A number under a phone key without `+`: of zone 7 in any of its forms, or of seven digits and more.
fn is_national(digits: &[u8]) -> bool {
    (7..=15).contains(&digits.len()) && digits.iter().any(|it| Some(it) != digits.first())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_found, check_keyed, check_none, identifier_of, order_key};
    use crate::model::{Category, finding::Confidence};

    #[test]
    fn numbers_in_text() {
        check_found(
            Category::Phone,
            &[
                ("+77010000001", "+77010000001", Confidence::High),
                ("223 0031 2200 3223", "0031 2200 3223", Confidence::High),
                (
                    "тел. +7 (701) 000-00-01, доб. 5",
                    "+7 (701) 000-00-01",
                    Confidence::High,
                ),
                ("tel:+77010000001", "+77010000001", Confidence::High),
                ("8 (701) 000-00-01", "8 (701) 000-00-01", Confidence::High),
                ("кв. 5 8 701 000 00 01", "8 701 000 00 01", Confidence::High),
                ("7-701-000-0001", "7-701-000-0001", Confidence::High),
                ("007 701 000 00 01", "007 701 000 00 01", Confidence::High),
                ("00 49 30 1234567", "00 49 30 1234567", Confidence::High),
                ("77010000001@c.us", "77010000001@c.us", Confidence::High),
                ("87010000001", "87010000001", Confidence::Medium),
                ("+49 30 901820", "+49 30 901820", Confidence::High),
                (
                    "call (212) 555-0100 now",
                    "(212) 555-0100",
                    Confidence::High,
                ),
                (
                    "+7\u{a0}701\u{a0}000\u{2011}00\u{2011}01",
                    "+7\u{a0}701\u{a0}000\u{2011}00\u{2011}01",
                    Confidence::High,
                ),
            ]
            .map(|(text, part, sure)| {
                (
                    text,
                    part.trim_start_matches('(').trim_end_matches("@c.us"),
                    sure,
                )
            }),
        );
        check_none(&[
            "7010000001",
            "2024-01-15 10:30:00",
            "1700000000",
            "+7 123",
            "+1 111 111 1111",
            "8.12.2024",
            "100 200 300 400",
            "00 12 34 56 78",
            "00.272 25746",
            "00.039  2227  2227",
            "0077010000001",
            "2223-0031-2200-3223",
            "1,000,000.00",
        ]);
    }

    #[test]
    fn the_key_decides() {
        let key = Some(Category::Phone);
        check_keyed(
            key,
            "7010000001",
            Some((Category::Phone, Confidence::Certain)),
        );
        check_keyed(
            key,
            "+77010000001",
            Some((Category::Phone, Confidence::Certain)),
        );
        check_keyed(
            key,
            "+7 123 4567",
            Some((Category::Phone, Confidence::High)),
        );
        check_keyed(key, "mobile", None);
        order_key("+77010000001", Some((Category::Phone, Confidence::Medium)));
        assert_eq!(
            identifier_of(key, "8 (701) 000-00-01").as_deref(),
            Some("77010000001")
        );
    }
}
