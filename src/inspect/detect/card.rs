//! Payment card numbers (ISO/IEC 7812): length and range of a payment system, Luhn.

use super::{
    Context, Sink, checksum,
    digits::{Number, Separators},
    glue::{self, Joint},
};
use crate::model::{Category, finding::Confidence};

/// Ranges by the first four digits, with the lengths in common use.
const RANGES: &[(u16, u16, &[usize])] = &[
    (1800, 1800, &[15]),             // JCB
    (2131, 2131, &[15]),             // JCB
    (2200, 2204, &[16, 17, 18, 19]), // Mir
    (2221, 2720, &[16]),             // Mastercard
    (3000, 3059, &[14]),             // Diners Club
    (3400, 3499, &[15]),             // American Express
    (3528, 3589, &[16]),             // JCB
    (3600, 3699, &[14]),             // Diners Club
    (3700, 3799, &[15]),             // American Express
    (3800, 3999, &[14]),             // Diners Club
    (4000, 4999, &[16]),             // Visa
    (5100, 5599, &[16]),             // Mastercard
    (6011, 6011, &[16]),             // Discover
    (6200, 6299, &[16, 17, 18, 19]), // UnionPay
    (6440, 6599, &[16]),             // Discover
    (9860, 9860, &[16]),             // Humo, Uzbekistan
];

/// Ranges and lengths that are issued, but rarer than numbers of other kinds that pass Luhn by chance.
const RARE: &[(u16, u16, &[usize])] = &[
    (4000, 4999, &[13, 19]),                     // Visa
    (5000, 5099, &[13, 14, 15, 16, 17, 18, 19]), // Maestro
    (5600, 6999, &[13, 14, 15, 16, 17, 18, 19]), // Maestro
];

/// Takes the number if it is a card's.
pub(super) fn read(number: &Number<'_>, context: &Context, sink: &mut Sink<'_>) -> bool {
    let is_keyed = context.names(Category::PaymentCard);
    let count = number.digits.len();
    // Policies and personal codes of sixteen digits have Luhn's check digit too.
    let is_id = context.names(Category::NationalId);
    if !(13..=19).contains(&count) || number.has_plus || is_id {
        return false;
    }
    sink.spend_validator();
    let is_valid = checksum::luhn(number.digits);
    let is_plausible =
        is_valid && is_in(RANGES, number.digits) && (number.is_run() || is_card_shape(number));
    let confidence = match (is_keyed, is_plausible) {
        (true, _) if is_valid => Confidence::Certain,
        (true, _) => Confidence::High,
        (false, true) if context.is_order_like => Confidence::Medium,
        (false, true) => Confidence::High,
        (false, false) if is_valid && number.is_run() && is_in(RARE, number.digits) => {
            if context.is_order_like {
                Confidence::Low
            } else {
                Confidence::Medium
            }
        }
        (false, false) => return false,
    };
    sink.push(
        Category::PaymentCard,
        "payment-card",
        confidence,
        number.start..number.end(),
        None,
    );
    true
}

/// Takes the run of digits from `start` to `end` if it is the card number of track 1 of a magnetic stripe (ISO/IEC 7813): a `B` before
/// it, a `^` behind.
pub(super) fn of_track(
    text: &str,
    start: usize,
    end: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    // Of what digits in words stand before, this is the rarest.
    if text.as_bytes().get(end) != Some(&b'^') {
        return None;
    }
    let raw = text.get(start..end).filter(|it| it.len() <= 19)?;
    let is_track = text.get(..start)?.ends_with(['B', 'b']);
    let mut digits = [0_u8; 19];
    for (slot, byte) in digits.iter_mut().zip(raw.bytes()) {
        *slot = byte - b'0';
    }
    let number = Number {
        digits: digits.get(..raw.len())?,
        sizes: &[raw.len()],
        separators: Separators::default(),
        has_plus: false,
        has_lost_plus: false,
        is_whole: false,
        text: raw,
        start,
    };
    (is_track && checksum::luhn(number.digits) && read(&number, context, sink)).then_some(end)
}

/// Words that are written together with the number of a card they announce.
const ANNOUNCING: &[&str] = &[
    "amex",
    "card",
    "cards",
    "cc",
    "discover",
    "humo",
    "id",
    "jcb",
    "maestro",
    "mastercard",
    "mc",
    "mir",
    "nbr",
    "no",
    "num",
    "number",
    "pan",
    "payment",
    "unionpay",
    "visa",
];

/// Whether the number may be a card's although letters or underscores touch it: `number` ends or begins in the middle of a token.
pub(super) fn may_be_glued(number: &Number<'_>) -> bool {
    (13..=19).contains(&number.digits.len()) && (number.is_run() || is_card_shape(number))
}

/// Takes a number that letters or an underscore of `text` touch, if it is a card's. One number in ten of a range passes Luhn by
/// chance, and identifiers are glued to letters as a rule: without a key for cards, a word or an underscore must join it. Other letters
/// leave it at medium confidence; a part of a code of base 16 or 64 is none.
pub(super) fn glued(
    number: &Number<'_>,
    text: &str,
    context: &Context,
    sink: &mut Sink<'_>,
) -> bool {
    if !may_be_glued(number) || number.has_plus {
        return false;
    }
    sink.spend_validator();
    if !is_in(RANGES, number.digits) || !checksum::luhn(number.digits) {
        return false;
    }
    let joint =
        glue::before(text, number.start, ANNOUNCING, context).min(glue::after(text, number.end()));
    let is_keyed = context.names(Category::PaymentCard);
    // Fourteen digits are the length of the identifiers that shops count up.
    let is_rare = number.digits.len() < 15;
    let confidence = match joint {
        Joint::Part => return false,
        _ if is_keyed => Confidence::Certain,
        Joint::Letters => Confidence::Medium,
        _ if context.is_order_like || is_rare => Confidence::Medium,
        Joint::Joined | Joint::Free => Confidence::High,
    };
    sink.push(
        Category::PaymentCard,
        "payment-card",
        confidence,
        number.start..number.end(),
        None,
    );
    true
}

fn is_in(ranges: &[(u16, u16, &[usize])], digits: &[u8]) -> bool {
    let head = digits
        .iter()
        .take(4)
        .fold(0_u16, |sum, it| sum * 10 + u16::from(*it));
    ranges.iter().any(|(low, high, lengths)| {
        (*low..=*high).contains(&head) && lengths.contains(&digits.len())
    })
}

/// Groups of four, or American Express' 4-6-5.
fn is_card_shape(number: &Number<'_>) -> bool {
    let used = number.separators;
    let (last, fours) = number.sizes.split_last().unwrap_or((&0, &[]));
    let is_grouped = number.sizes == [4, 6, 5] || (fours.iter().all(|it| *it == 4) && *last <= 4);
    is_grouped && !used.bracket
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_found, check_keyed, check_none, order_key};
    use crate::model::{Category, finding::Confidence};

    #[test]
    fn cards_in_text() {
        check_found(
            Category::PaymentCard,
            &[
                ("4111111111111111", "4111111111111111", Confidence::High),
                (
                    "card 4111 1111 1111 1111 exp 12/30",
                    "4111 1111 1111 1111",
                    Confidence::High,
                ),
                (
                    "4111-1111-1111-1111",
                    "4111-1111-1111-1111",
                    Confidence::High,
                ),
                ("3782 822463 10005", "3782 822463 10005", Confidence::High),
                (
                    "%B4111111111111111^IVANOVA/A^2512",
                    "4111111111111111",
                    Confidence::High,
                ),
                (
                    ";4111111111111111=25121010000",
                    "4111111111111111",
                    Confidence::High,
                ),
                ("2200000000000004", "2200000000000004", Confidence::High),
                (
                    "４１１１１１１１１１１１１１１１",
                    "４１１１１１１１１１１１１１１１",
                    Confidence::High,
                ),
                (
                    "4111\u{a0}1111\u{a0}1111\u{a0}1111",
                    "4111\u{a0}1111\u{a0}1111\u{a0}1111",
                    Confidence::High,
                ),
            ],
        );
        check_none(&[
            "4111111111111112",
            "%B4111111111111112^IVANOVA/A^2512",
            "blk_4111111111111111",
            "4111111111111111abc",
            "0.4111111111111111",
            "1111111111111117",
            "4111 111111111 111",
            "a4111111111111111",
            "00000000-0000-0000-0000-411111111111",
        ]);
    }

    #[test]
    fn cards_glued_to_words() {
        let high = [
            "user_4111111111111111",
            "_4111111111111111",
            "a/client_card_5555555555554444.pdf",
            "ID4111111111111111X",
            "CARD4111111111111111",
            "cardNumber4111111111111111",
            "customer378282246310005",
            "4111111111111111_a",
            "4111111111111111USD",
            "card4111 1111 1111 1111",
            "pan_4111-1111-1111-1111x",
        ];
        let medium = ["xyz4111111111111111", "user_30569309025904"];
        let found = |it: &&'static str, confidence| {
            let card = it.trim_matches(|ch: char| !ch.is_ascii_digit());
            check_found(Category::PaymentCard, &[(*it, card, confidence)]);
        };
        high.iter().for_each(|it| found(it, Confidence::High));
        medium.iter().for_each(|it| found(it, Confidence::Medium));
        check_none(&[
            "user_4111111111111112",
            "ID4111111111111112X",
            "order_4111111111111111",
            "orderId4111111111111111_post",
            "PO4111111111111111",
            "cafe4111111111111111",
            "4111111111111111ns",
            "4111111111111111n",
            "x7f4111111111111111q",
            "5f_4111111111111111",
            "4111111111111111x7",
            "5105105105105100_1700000000",
            "123456_5105105105105100",
            "user_9411111111111111",
            "card4111 1111 1111 1112",
            "65f14111111111111111aa00",
            "https://x.example/a?b=%3D%2227000000000003",
        ]);
        check_keyed(
            Some(Category::PaymentCard),
            "ID4111111111111111X",
            Some((Category::PaymentCard, Confidence::Certain)),
        );
    }

    #[test]
    fn the_key_decides() {
        let card = Some(Category::PaymentCard);
        check_keyed(
            card,
            "4111111111111111",
            Some((Category::PaymentCard, Confidence::Certain)),
        );
        check_keyed(
            card,
            "4111111111111112",
            Some((Category::PaymentCard, Confidence::High)),
        );
        check_keyed(card, "visa", None);
        order_key(
            "4111111111111111",
            Some((Category::PaymentCard, Confidence::Medium)),
        );
    }
}
