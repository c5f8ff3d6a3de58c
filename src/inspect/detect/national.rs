//! National identification numbers: IIN told apart from BIN, personal INN, SNILS, PINFL, SSN.

use super::{
    Context, Sink, ValueKind, checksum,
    date::is_month_and_day,
    digits::{Number, Separators},
    glue,
};
use crate::model::{
    Category,
    finding::Confidence,
    subject::{Identifier, IdentifierKind},
};

/// Takes the number if it is a person's.
pub(super) fn read(number: &Number<'_>, context: &Context, sink: &mut Sink<'_>) -> bool {
    // A plus is no telephone's here, or it would have been taken; receivers who read numbers skip it.
    if number.has_plus && !(number.is_run() && checksum::iin(number.digits)) {
        return false;
    }
    if number.digits.iter().all(|it| *it == 0) {
        return false;
    }
    let is_keyed = context.names(Category::NationalId);
    sink.spend_validator();
    let judged = match number.digits.len() {
        12 => twelve(number, is_keyed),
        11 => eleven(number, is_keyed),
        14 => pinfl(number, is_keyed),
        9 => ssn(number, is_keyed),
        10 => personnummer(number, is_keyed),
        15 => nir(number, is_keyed),
        _ => None,
    };
    // Under a key, what is not certain has a wrong check digit or none.
    let is_others = |sure: Confidence| context.is_of_others && sure < Confidence::Certain;
    let Some((detector, confidence)) = judged.filter(|it| !(is_keyed && is_others(it.1))) else {
        return false;
    };
    let sure = if context.is_order_like {
        confidence.min(Confidence::Medium)
    } else {
        confidence
    };
    let padded;
    let raw = if detector == SHORTENED {
        padded = format!("0{}", number.text);
        padded.as_str()
    } else {
        number.text
    };
    let identifier = (sure >= Confidence::Medium)
        .then(|| Identifier::normalise(IdentifierKind::NationalId, raw))
        .flatten();
    sink.push(
        Category::NationalId,
        detector,
        sure,
        number.start..number.end(),
        identifier,
    );
    true
}

/// Whether the digits are a company's: a BIN (fifth digit 4–6) or the INN of an organisation.
pub(super) fn is_company(digits: &[u8]) -> bool {
    match digits.len() {
        12 => is_bin(digits),
        10 => checksum_of_company_inn(digits),
        _ => false,
    }
}

/// An IIN that a number type has robbed of its leading zero.
const SHORTENED: &str = "iin.shortened";

fn two(digits: &[u8], at: usize) -> u8 {
    digits
        .iter()
        .skip(at)
        .take(2)
        .fold(0, |sum, it| sum * 10 + it)
}

/// The check digit holds, the month is one, and the fifth digit says legal entity (4, 5) or joint enterprise (6).
fn is_bin(digits: &[u8]) -> bool {
    checksum::iin(digits)
        && digits.get(4).is_some_and(|it| (4..=6).contains(it))
        && (1..=12).contains(&two(digits, 2))
}

/// Date of birth in the first six digits, and a seventh digit that is issued.
fn has_birth_date(digits: &[u8]) -> bool {
    is_month_and_day(two(digits, 2), two(digits, 4)) && digits.get(6).is_some_and(|it| *it <= 6)
}

fn checksum_of_company_inn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .zip([2_u32, 4, 10, 3, 5, 9, 4, 6, 8])
        .map(|(digit, weight)| u32::from(*digit) * weight)
        .sum();
    digits
        .get(9)
        .is_some_and(|it| u32::from(*it) == sum % 11 % 10)
}

/// IIN or INN. Without a key the IIN needs its date, since one number in eleven passes the check digit alone.
fn twelve(number: &Number<'_>, is_keyed: bool) -> Option<(&'static str, Confidence)> {
    let digits = number.digits;
    let is_written_so = number.is_run() || is_iin_shape(number);
    if is_bin(digits) {
        return None;
    }
    match (checksum::iin(digits), is_keyed) {
        (true, true) => Some(("iin", Confidence::Certain)),
        (true, false) if has_birth_date(digits) && is_written_so => Some(("iin", Confidence::High)),
        _ if checksum::inn_person(digits) => Some((
            "inn",
            if is_keyed {
                Confidence::Certain
            } else {
                Confidence::Medium
            },
        ))
        .filter(|_| is_keyed || number.is_run()),
        (_, true) => Some(("iin", Confidence::High)),
        (_, false) => None,
    }
}

/// The groups in which an IIN is written: date, century, serial and check digit, or groups of one size. `YYMMDD HHMMSS` of a log
/// looks alike, so a serial that is a time of day does not count in years that logs are of.
fn is_iin_shape(number: &Number<'_>) -> bool {
    let used = number.separators;
    let is_time = is_time(number.digits);
    let is_grouped = match number.sizes {
        [6, 6] => !is_time,
        [2, 2, 2, 2, 2, 2] | [2, 2, 2, 6] => !is_time && !used.dot,
        [3, 3, 3, 3] | [4, 4, 4] => true,
        [6, 1, 4, 1] | [6, 1, 5] | [6, 3, 3] | [6, 4, 2] | [6, 5, 1] => true,
        _ => false,
    };
    is_grouped && !used.bracket
}

/// Whether twelve digits may be `YYMMDDHHMMSS` of a year that logs are of.
pub(super) fn is_time(digits: &[u8]) -> bool {
    two(digits, 0) < 40 && two(digits, 6) < 24 && two(digits, 8) < 60 && two(digits, 10) < 60
}

/// Takes an IIN that is written in no usual way, whose check digit was found to hold: without a key it needs its date.
pub(super) fn push_iin(number: &Number<'_>, context: &Context, sink: &mut Sink<'_>) -> bool {
    sink.spend_validator();
    let is_keyed = context.names(Category::NationalId);
    if is_bin(number.digits) || !(is_keyed || has_birth_date(number.digits)) {
        return false;
    }
    let sure = if context.is_order_like {
        Confidence::Medium
    } else {
        Confidence::High
    };
    let raw: String = number
        .digits
        .iter()
        .map(|it| char::from(b'0' + it))
        .collect();
    let identifier = Identifier::normalise(IdentifierKind::NationalId, &raw);
    let range = number.start..number.end();
    sink.push(Category::NationalId, "iin", sure, range, identifier);
    true
}

/// Words that are written together with the number they announce.
const ANNOUNCING: &[&str] = &["iin", "inn", "jsn", "zhsn"];

/// Takes the run of digits from `start` to `end` if it is an IIN that its name is glued to: `IIN991231100010`. Other letters make
/// it a code of some other kind, such as an order number with a date in it; an underscore only joins, and a member name must begin
/// with a letter or two.
pub(super) fn glued(
    text: &str,
    start: usize,
    end: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    let raw = text.get(start..end).filter(|it| it.len() == 12)?;
    let token = glue::token_before(text, start)?;
    let word = glue::last_word(token);
    let is_joined = token.ends_with('_') || (context.kind == ValueKind::Key && word.len() <= 2);
    let digits = twelve_digits(raw);
    let is_announced = glue::is_one_of(ANNOUNCING, word)
        || token.eq_ignore_ascii_case("id")
        || (!is_time(&digits)
            && !glue::is_numbered(token)
            && (is_joined || glue::is_one_of(glue::PEOPLE, word)));
    (is_announced && checksum::iin(&digits)).then_some(())?;
    push_run(raw, start, &digits, context, sink).then_some(end)
}

/// Takes the twelve digits from `start` to `end` if they are an IIN with an underscore or a word of letters glued to its end. Letters
/// that are digits of base 16 make it part of a hash.
pub(super) fn glued_before(
    text: &str,
    start: usize,
    end: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    let raw = text.get(start..end).filter(|it| it.len() == 12)?;
    let is_word = glue::is_word_after(text, end);
    let digits = twelve_digits(raw);
    (is_word && !is_time(&digits) && checksum::iin(&digits)).then_some(())?;
    push_run(raw, start, &digits, context, sink).then_some(end)
}

fn twelve_digits(raw: &str) -> [u8; 12] {
    let mut digits = [0_u8; 12];
    for (slot, byte) in digits.iter_mut().zip(raw.bytes()) {
        *slot = byte - b'0';
    }
    digits
}

fn push_run(
    raw: &str,
    start: usize,
    digits: &[u8; 12],
    context: &Context,
    sink: &mut Sink<'_>,
) -> bool {
    let number = Number {
        digits,
        sizes: &[12],
        separators: Separators::default(),
        has_plus: false,
        has_lost_plus: false,
        is_whole: false,
        text: raw,
        start,
    };
    push_iin(&number, context, sink)
}

/// SNILS, or an IIN without its leading zero.
fn eleven(number: &Number<'_>, is_keyed: bool) -> Option<(&'static str, Confidence)> {
    let digits = number.digits;
    let mut whole = [0_u8; 12];
    for (slot, digit) in whole.iter_mut().skip(1).zip(digits) {
        *slot = *digit;
    }
    if is_keyed && number.is_run() && checksum::iin(&whole) {
        return Some((SHORTENED, Confidence::Certain));
    }
    if checksum::cpf(digits) {
        let used = number.separators;
        let is_written_so = number.sizes == [3, 3, 3, 2] && used.dot && used.hyphen;
        if is_keyed || is_written_so {
            let sure = if is_keyed {
                Confidence::Certain
            } else {
                Confidence::High
            };
            return Some(("national-id", sure));
        }
    }
    match (checksum::snils(digits), is_keyed) {
        (true, true) => Some(("snils", Confidence::Certain)),
        (true, false) if number.sizes == [3, 3, 3, 2] => Some(("snils", Confidence::High)),
        (false, true) => Some(("national-id", Confidence::High)),
        (_, false) => None,
    }
}

/// Century and sex, day, month, year, area, serial, check digit.
fn pinfl(number: &Number<'_>, is_keyed: bool) -> Option<(&'static str, Confidence)> {
    let digits = number.digits;
    let has_date = digits.first().is_some_and(|it| (1..=6).contains(it))
        && is_month_and_day(two(digits, 3), two(digits, 1));
    match (checksum::pinfl(digits), is_keyed) {
        (true, true) => Some(("pinfl", Confidence::Certain)),
        (true, false) if has_date && number.is_run() => Some(("pinfl", Confidence::Medium)),
        (false, true) => Some(("national-id", Confidence::High)),
        (_, false) => None,
    }
}

/// Personnummer of Sweden (Folkbokföringslagen § 18): `YYMMDD-NNNC`, Luhn over all ten. A number of an organisation has no month there.
fn personnummer(number: &Number<'_>, is_keyed: bool) -> Option<(&'static str, Confidence)> {
    let digits = number.digits;
    let used = number.separators;
    let is_written_so = number.sizes == [6, 4] && used.hyphen && !used.space;
    let has_date = is_month_and_day(two(digits, 2), two(digits, 4));
    let sure = if is_keyed {
        Confidence::Certain
    } else {
        Confidence::Medium
    };
    (is_written_so && has_date && checksum::luhn(digits)).then_some(("national-id", sure))
}

/// NIR of France: sex, year, month, department, municipality, serial, key. In its usual groups it is rarely anything else.
fn nir(number: &Number<'_>, is_keyed: bool) -> Option<(&'static str, Confidence)> {
    let digits = number.digits;
    let is_issued = matches!(digits.first(), Some(1 | 2))
        && matches!(two(digits, 3), 1..=12 | 20 | 30..=42 | 50..=99)
        && two(digits, 5) > 0;
    let is_grouped = matches!(number.sizes, [1, 2, 2, 2, 3, 3, 2] | [13, 2]);
    let sure = match (is_keyed, is_grouped) {
        (true, _) => Confidence::Certain,
        (false, true) => Confidence::High,
        (false, false) => Confidence::Medium,
    };
    (is_issued && checksum::nir(digits)).then_some(("national-id", sure))
}

/// SSN or ITIN of the United States, with its separators; area 000 and 666, group 00 and serial 0000 are never issued.
fn ssn(number: &Number<'_>, is_keyed: bool) -> Option<(&'static str, Confidence)> {
    let digits = number.digits;
    let used = number.separators;
    let is_issued = match digits {
        [0, 0, 0, ..] | [6, 6, 6, ..] | [_, _, _, 0, 0, ..] | [.., 0, 0, 0, 0] => false,
        [9, _, _, group, _, ..] => {
            *group >= 5 && !matches!(digits, [_, _, _, 8, 9, ..] | [_, _, _, 9, 3, ..])
        }
        _ => true,
    };
    let is_written_so =
        number.sizes == [3, 2, 4] && (used.hyphen != used.space) && !used.dot && !used.bracket;
    match (is_issued && is_written_so, is_keyed) {
        (true, true) => Some(("ssn", Confidence::Certain)),
        (true, false) if used.hyphen => Some(("ssn", Confidence::High)),
        (false, true) => Some(("national-id", Confidence::High)),
        (_, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_found, check_keyed, check_none, identifier_of, order_key};
    use crate::model::{Category, finding::Confidence};

    const ID: Category = Category::NationalId;

    #[test]
    fn numbers_in_text() {
        check_found(
            ID,
            &[
                ("991231100010", "991231100010", Confidence::High),
                ("ИИН991231100010", "991231100010", Confidence::High),
                ("iin: 900101 300811;", "900101 300811", Confidence::High),
                ("991231-100010", "991231-100010", Confidence::High),
                ("9912 3110 0010", "9912 3110 0010", Confidence::High),
                ("99 12 31 10 00 10", "99 12 31 10 00 10", Confidence::High),
                ("991231.100010", "991231.100010", Confidence::High),
                ("ID991231100010X", "991231100010", Confidence::High),
                ("iin_991231100010", "991231100010", Confidence::High),
                ("user_991231100010", "991231100010", Confidence::High),
                ("a/b_991231100010.pdf", "991231100010", Confidence::High),
                ("client991231100010", "991231100010", Confidence::High),
                ("991231100010_a", "991231100010", Confidence::High),
                ("991231100010kz", "991231100010", Confidence::High),
                ("500100732259", "500100732259", Confidence::Medium),
                ("СНИЛС 112-233-445 95", "112-233-445 95", Confidence::High),
                ("31210632040244", "31210632040244", Confidence::Medium),
                ("SSN 219-09-9999", "219-09-9999", Confidence::High),
                ("111.444.777-35", "111.444.777-35", Confidence::High),
                ("811218-9876", "811218-9876", Confidence::Medium),
                (
                    "2 55 08 14 168 025 38",
                    "2 55 08 14 168 025 38",
                    Confidence::High,
                ),
                ("255081416802538", "255081416802538", Confidence::Medium),
                (
                    "９９１２３１１０００１０",
                    "９９１２３１１０００１０",
                    Confidence::High,
                ),
            ],
        );
        check_none(&[
            "940140000385",
            "990140004654",
            "170740001680",
            "991231100011",
            "000-09-9999",
            "123456789012",
            "user_991231100011",
            "order_id_991231100010",
            "id_050314100013",
            "backup_991231100010",
            "b_050314100013",
            "991231100010abc",
            "991231100010ms",
            "PO991231100010",
            "x991231100010",
            "040229 100000",
            "550e8400-e29b-41d4-a716-991231100010",
            "0.991231100010",
            "112-233-445 96",
            "111.444.777-36",
            "11144477735",
            "811318-9876",
            "811218-9877",
            "255081416802539",
        ]);
    }

    #[test]
    fn the_key_decides() {
        let key = Some(ID);
        check_keyed(key, "991231100010", Some((ID, Confidence::Certain)));
        check_keyed(key, "900101300000", Some((ID, Confidence::High)));
        check_keyed(key, "40229600205", Some((ID, Confidence::Certain)));
        check_keyed(key, "940140000385", None);
        check_keyed(key, "7707083893", None);
        check_keyed(key, "31210632040244", Some((ID, Confidence::Certain)));
        check_keyed(key, "AB123456C", Some((ID, Confidence::High)));
        check_keyed(key, "string", None);
        check_keyed(key, "000000000000", None);
        order_key("991231100010", Some((ID, Confidence::Medium)));
    }

    #[test]
    fn a_lost_zero_is_given_back_to_the_identifier() {
        assert_eq!(
            identifier_of(Some(ID), "40229600205").as_deref(),
            Some("040229600205")
        );
        assert_eq!(
            identifier_of(Some(ID), "991231 100010").as_deref(),
            Some("991231100010")
        );
    }
}
