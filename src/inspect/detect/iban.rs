//! IBAN (ISO 13616): country, length, mod 97.

use super::{Context, Sink, checksum};
use crate::model::{Category, finding::Confidence};

/// Length of an IBAN by country (SWIFT IBAN registry, and the countries that use the form without standing in it).
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AO", 25),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BF", 28),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BJ", 28),
    (b"BR", 29),
    (b"BY", 28),
    (b"CF", 27),
    (b"CG", 27),
    (b"CH", 21),
    (b"CI", 28),
    (b"CM", 27),
    (b"CR", 22),
    (b"CV", 25),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"DZ", 26),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GA", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GQ", 27),
    (b"GR", 27),
    (b"GT", 28),
    (b"GW", 25),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IR", 26),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KM", 27),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MA", 28),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MG", 27),
    (b"MK", 19),
    (b"ML", 28),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"MZ", 25),
    (b"NE", 28),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SN", 28),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TD", 27),
    (b"TG", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// Countries whose account numbers are digits and nothing else (SWIFT IBAN registry): of a hash that begins like theirs, one in 97
/// passes the check.
const NUMERIC: &[&[u8; 2]] = &[
    b"AE", b"AT", b"BA", b"BE", b"CR", b"CZ", b"DE", b"DK", b"EE", b"ES", b"FI", b"FO", b"GL",
    b"HR", b"HU", b"IL", b"IS", b"LT", b"LY", b"ME", b"MN", b"NO", b"PL", b"PT", b"RS", b"SD",
    b"SE", b"SI", b"SK", b"TL", b"TN", b"VA", b"XK",
];

/// Longest IBAN with a separator after each group of four.
const WRITTEN_MAX: usize = 44;

/// Reads an IBAN whose two check digits start at byte `digits`; returns its end.
pub(super) fn before_digits(
    text: &str,
    digits: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    let bytes = text.as_bytes();
    let start = digits.checked_sub(2)?;
    if !bytes.get(start)?.is_ascii_alphabetic() {
        return None;
    }
    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
    if before.is_some_and(|it| it.is_ascii_alphanumeric() || *it == b'_') {
        return None;
    }
    let country = bytes.get(start..digits)?.first_chunk::<2>()?;
    let country = country.map(|it| it.to_ascii_uppercase());
    let length = LENGTHS.iter().find(|it| *it.0 == country).map(|it| it.1)?;
    sink.spend_validator();
    let mut compact = [0_u8; 34];
    let mut kept = 0;
    let mut end = start;
    for (at, byte) in bytes.iter().enumerate().skip(start).take(WRITTEN_MAX) {
        if byte.is_ascii_alphanumeric() {
            *compact.get_mut(kept)? = *byte;
            kept += 1;
            end = at + 1;
        } else if !matches!(byte, b' ' | b'-') {
            break;
        }
        if kept == length {
            break;
        }
    }
    let is_cut = bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
    let number = compact.get(..kept)?;
    let may_have_letters = !NUMERIC.contains(&&country);
    let is_written_so = may_have_letters || number.iter().skip(4).all(u8::is_ascii_digit);
    if kept != length || is_cut || !is_written_so || !checksum::iban(number) {
        return None;
    }
    let is_keyed = context.names(Category::PaymentIban) || context.names(Category::PaymentAccount);
    let sure = if is_keyed {
        Confidence::Certain
    } else {
        Confidence::High
    };
    sink.push(Category::PaymentIban, "iban", sure, start..end, None);
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_found, check_none};
    use crate::model::{Category, finding::Confidence};

    #[test]
    fn ibans_in_text() {
        check_found(
            Category::PaymentIban,
            &[
                (
                    "KZ86125KZT5004100100",
                    "KZ86125KZT5004100100",
                    Confidence::High,
                ),
                (
                    "ИИК KZ86 125K ZT50 0410 0100, банк",
                    "KZ86 125K ZT50 0410 0100",
                    Confidence::High,
                ),
                (
                    "kz84722c000012345678",
                    "kz84722c000012345678",
                    Confidence::High,
                ),
                ("BE68539007547034", "BE68539007547034", Confidence::High),
                (
                    "GB82WEST12345698765432",
                    "GB82WEST12345698765432",
                    Confidence::High,
                ),
            ],
        );
        check_none(&[
            "KZ86125KZT5004100101",
            "KZ86125KZT500410010",
            "XKZ86125KZT5004100100",
            "ZZ86125KZT5004100100",
            // Right by its check digits, and a hash.
            "be64a4f0c81d27e6",
            "DE12",
        ]);
    }
}
