//! Documents and plates in text, which have no check digit: a shape, and a word near it that says what it is. A shape that is rarely
//! anything else counts a little by itself, and fully beside another of its kind.

use super::{
    Context, Hit, Sink, checksum,
    nearby::{comes_from, goes_on, has_word, is_free},
};
use crate::model::{
    Category,
    finding::Confidence,
    subject::{Identifier, IdentifierKind},
};

/// Name of the detector of documents.
const DOCUMENT: &str = "id-document";

/// Name of the detector of number plates.
const PLATE: &str = "vehicle-plate";

/// Words before or after the number of a document.
const DOCUMENT_WORDS: &[&str] = &[
    "паспорт",
    "passport",
    "pasport",
    "төлқұжат",
    "tolqujat",
    "удостоверен",
    "удост.",
    "уд. личн",
    "уд.личн",
    "куәлі",
    "kualik",
    "udostover",
    "документ",
    "құжат",
    "серия",
    "id card",
    "identity card",
    "водительск",
    "driving lic",
    "driver lic",
    "жүргізуші",
];

/// Words near a number plate.
const PLATE_WORDS: &[&str] = &[
    "авто",
    "машин",
    "госномер",
    "гос. номер",
    "гос.номер",
    "гос номер",
    "гос. рег",
    "г/н",
    "грнз",
    "грз",
    "көлік",
    "мемлекеттік нөмір",
    "мемлекеттік номер",
    "gosnomer",
    "car",
    "plate",
    "vehicle",
    "parking",
    "парковк",
    "toyota",
    "lada",
    "hyundai",
    "kia",
    "chevrolet",
    "такси",
    "taxi",
    "водител",
];

/// Letters of Russian plates, Cyrillic and their Latin doubles.
const RUSSIAN: &str = "АВЕКМНОРСТУХABEKMHOPCTYX";

/// Greatest number of a region of Kazakhstan on a plate.
const REGION_MAX: u8 = 20;

/// Reads the document or plate of which the digits from `start` to `run_end` are a part; returns its end.
pub(super) fn at(
    text: &str,
    start: usize,
    run_end: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    if !matches!(run_end - start, 2..=4 | 7..=10 | 15) || !is_free(context) {
        return None;
    }
    match run_end - start {
        3 => plate(text, start, run_end, sink),
        15 => imei(text, start, run_end, sink),
        run => document(text, start, run_end, run, sink),
    }
}

fn document(
    text: &str,
    start: usize,
    run_end: usize,
    run: usize,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    if goes_on(text, run_end) {
        return None;
    }
    let letters = text
        .get(..start)?
        .bytes()
        .rev()
        .take(3)
        .take_while(u8::is_ascii_alphabetic)
        .count();
    let from = start - letters;
    let head = text.get(from..start)?;
    let (end, alone) = match (run, letters) {
        // A passport of Kazakhstan.
        (8, 1) if head.eq_ignore_ascii_case("n") => (run_end, Confidence::Medium),
        // Passports of Uzbekistan and Kyrgyzstan.
        (7, 2) => (run_end, Confidence::Low),
        // An identity card of Kazakhstan, a passport of Russia.
        (9 | 10, 0) => (run_end, Confidence::Low),
        (4, 0) => (digits_after(text, run_end, 6)?, Confidence::Low),
        (2, 0) => (
            digits_after(text, digits_after(text, run_end, 2)?, 6)?,
            Confidence::Low,
        ),
        _ => return None,
    };
    if comes_from(text, from) || goes_on(text, end) {
        return None;
    }
    sink.spend_validator();
    let sure = if has_word(text, from, end, DOCUMENT_WORDS) {
        Confidence::High
    } else {
        alone
    };
    if sure == Confidence::Low {
        return None;
    }
    let identifier = Identifier::normalise(IdentifierKind::IdDocument, text.get(from..end)?)
        .filter(|_| sure >= Confidence::High);
    sink.push(
        Category::IdDocumentNumber,
        DOCUMENT,
        sure,
        from..end,
        identifier,
    );
    Some(end)
}

/// End of the `count` digits that follow one space.
fn digits_after(text: &str, at: usize, count: usize) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix(' ')?;
    let run = rest.bytes().take_while(u8::is_ascii_digit).count();
    (run == count).then_some(at + 1 + count)
}

/// `123 ABC 02` and `A 123 BCD` of Kazakhstan, `А123ВС77` of Russia.
fn plate(text: &str, start: usize, run_end: usize, sink: &mut Sink<'_>) -> Option<usize> {
    let after = text.get(run_end..)?;
    let gap = after.len() - after.trim_start_matches([' ', '-']).len();
    let letters: Vec<char> = after
        .get(gap..)?
        .chars()
        .take(4)
        .take_while(|it| it.is_alphabetic())
        .collect();
    if gap > 1 || !matches!(letters.len(), 2 | 3) {
        return None;
    }
    let mut end = run_end + gap + letters.iter().map(|it| it.len_utf8()).sum::<usize>();
    let before = text.get(..start)?;
    let first = before
        .trim_end_matches(' ')
        .chars()
        .next_back()
        .filter(|_| before.len() - before.trim_end_matches(' ').len() <= gap);
    let is_latin = letters.iter().all(char::is_ascii_alphabetic);
    let region = region_at(text, end);
    let (from, alone) = match (first, region) {
        // Russia: a letter, three digits, two letters, a region.
        (Some(letter), Some((region_end, _)))
            if letters.len() == 2
                && RUSSIAN.contains(letter)
                && letters.iter().all(|it| RUSSIAN.contains(*it)) =>
        {
            end = region_end;
            let from = before.trim_end_matches(' ').len() - letter.len_utf8();
            let is_cyrillic = !letter.is_ascii() && !is_latin;
            let sure = if is_cyrillic {
                Confidence::High
            } else {
                Confidence::Medium
            };
            (from, sure)
        }
        (_, Some((region_end, number))) if is_latin && (1..=REGION_MAX).contains(&number) => {
            let is_private = letters.len() == 3 && letters.iter().all(char::is_ascii_uppercase);
            end = region_end;
            let sure = if is_private && !is_unit(&letters) {
                Confidence::Medium
            } else {
                Confidence::Low
            };
            (start, sure)
        }
        (Some(letter), None) if is_latin && letter.is_ascii_alphabetic() => {
            (before.trim_end_matches(' ').len() - 1, Confidence::Low)
        }
        _ => return None,
    };
    if comes_from(text, from) || goes_on(text, end) {
        return None;
    }
    sink.spend_validator();
    let sure = if has_word(text, from, end, PLATE_WORDS) {
        Confidence::High
    } else {
        alone
    };
    if sure == Confidence::Low {
        return None;
    }
    sink.push(Category::Vehicle, PLATE, sure, from..end, None);
    Some(end)
}

/// Currencies and units that stand between numbers as the letters of a plate do.
fn is_unit(letters: &[char]) -> bool {
    let word: String = letters.iter().collect();
    matches!(
        word.as_str(),
        "USD"
            | "EUR"
            | "KZT"
            | "RUB"
            | "RUR"
            | "UZS"
            | "KGS"
            | "GBP"
            | "CNY"
            | "PCS"
            | "MHZ"
            | "GHZ"
            | "MAH"
            | "KWH"
            | "SQM"
            | "GET"
            | "PUT"
            | "UTC"
            | "GMT"
            | "JAN"
            | "FEB"
            | "MAR"
            | "APR"
            | "MAY"
            | "JUN"
            | "JUL"
            | "AUG"
            | "SEP"
            | "OCT"
            | "NOV"
            | "DEC"
    )
}

/// The two or three digits of a region after at most one separator: where they end, and the number.
fn region_at(text: &str, at: usize) -> Option<(usize, u8)> {
    let rest = text.get(at..)?;
    let bare = rest.trim_start_matches([' ', '-']);
    let gap = rest.len() - bare.len();
    let run = bare.bytes().take_while(u8::is_ascii_digit).count();
    if gap > 1 || !matches!(run, 2 | 3) {
        return None;
    }
    let number = bare.get(..run)?.parse::<u16>().ok()?;
    Some((at + gap + run, u8::try_from(number).unwrap_or(u8::MAX)))
}

/// The number of a mobile device, where a word says so.
fn imei(text: &str, start: usize, end: usize, sink: &mut Sink<'_>) -> Option<usize> {
    let mut digits = [0_u8; 15];
    for (slot, byte) in digits.iter_mut().zip(text.get(start..end)?.bytes()) {
        *slot = byte - b'0';
    }
    sink.spend_validator();
    let is_named = has_word(text, start, end, &["imei"]);
    if !is_named || !checksum::luhn(&digits) || comes_from(text, start) || goes_on(text, end) {
        return None;
    }
    sink.push(
        Category::OnlineDeviceId,
        "imei",
        Confidence::High,
        start..end,
        None,
    );
    Some(end)
}

/// Two shapes in one text make each other sure: nobody writes `N12345678 / 123 ABC 02` of an article.
pub(super) fn support(hits: &mut [Hit]) {
    let is_shape =
        |it: &Hit| matches!(it.detector, DOCUMENT | PLATE) && it.confidence == Confidence::Medium;
    if hits.iter().filter(|it| is_shape(it)).count() < 2 {
        return;
    }
    for hit in hits.iter_mut().filter(|it| is_shape(it)) {
        hit.confidence = Confidence::High;
        hit.confidence_beside_person = Confidence::High;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_found, check_none, found, order_key};
    use super::*;

    #[test]
    fn documents_beside_their_word() {
        check_found(
            Category::IdDocumentNumber,
            &[
                ("паспорт N00000001, выдан", "N00000001", Confidence::High),
                ("жеке куәлік 000000123", "000000123", Confidence::High),
                (
                    "Потерял удостоверение личности № 000000123",
                    "000000123",
                    Confidence::High,
                ),
                ("паспорт 9800 000001", "9800 000001", Confidence::High),
                ("серия 98 00 000001", "98 00 000001", Confidence::High),
                ("passport AA0000001", "AA0000001", Confidence::High),
                ("N00000001", "N00000001", Confidence::Medium),
            ],
        );
        check_none(&[
            "заказ 000000123",
            "AA0000001",
            "9800 000001",
            "EN00000001",
            "N0000000",
        ]);
        order_key("N00000001", None);
    }

    #[test]
    fn plates() {
        check_found(
            Category::Vehicle,
            &[
                ("машина 000 KLM 02 во дворе", "000 KLM 02", Confidence::High),
                ("авто 000abc02", "000abc02", Confidence::High),
                ("госномер A000BCD", "A000BCD", Confidence::High),
                ("көлік 000AB02", "000AB02", Confidence::High),
                ("А000ВС77", "А000ВС77", Confidence::High),
                ("000 KLM 02", "000 KLM 02", Confidence::Medium),
            ],
        );
        check_none(&[
            "100 USD 10",
            "000 KLM 25",
            "000abc02",
            "A000BCD",
            "sku 000AB02",
            "000 KLMN 02",
            "x000 KLM 02",
        ]);
        order_key("000 KLM 02", None);
    }

    #[test]
    fn shapes_support_each_other() {
        let sure: Vec<_> = found("N00000001 / 000 KLM 02")
            .into_iter()
            .map(|it| it.confidence)
            .collect();
        assert_eq!(sure, [Confidence::High, Confidence::High]);
    }

    #[test]
    fn a_device_that_is_named() {
        check_found(
            Category::OnlineDeviceId,
            &[(
                "IMEI телефона: 490154203237518",
                "490154203237518",
                Confidence::High,
            )],
        );
        check_none(&["IMEI 490154203237519", "серийный 490154203237518"]);
    }
}
