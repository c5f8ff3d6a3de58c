//! Values in running text that a word right before them announces: `passport number is T3569075`, `call me on 056 590 36 33`,
//! `дата рождения: 01.02.1990`. Their shape alone says too little.

use super::{
    Context, Sink, ValueKind, address, date, national,
    nearby::{comes_from, ends_with_letter, goes_on, is_free},
};
use crate::model::{
    Category,
    finding::Confidence,
    subject::{Identifier, IdentifierKind},
};

/// Name of the detector of dates of birth.
const BIRTH_DATE: &str = "birth-date-in-text";

/// Bytes before a value in which it is announced.
const BEFORE: usize = 64;

/// Most letters and hyphens with which an announced number begins.
const PREFIX_MAX: usize = 7;

/// Longest number that is announced, in bytes.
const VALUE_MAX: usize = 28;

/// Words between what announces a value and the value.
const FILLERS: &[&str] = &[
    "is",
    "number",
    "numbers",
    "no",
    "num",
    "nr",
    "номер",
    "номера",
    "нөмірі",
    "нөмірім",
    "мой",
    "my",
    "это",
    "серия",
    "код",
    "code",
    "on",
    "at",
    "to",
    "по",
    "me",
    "us",
    "id",
    "ід",
];

/// What announces the number that a state gives a person.
const NATIONAL: &[&str] = &[
    "ssn",
    "social security",
    "itin",
    "national insurance",
    "nino",
    "nhs",
    "national id",
    "national identity",
    "personal id",
    "taxpayer",
    "tax id",
    "tin",
    "aadhaar",
    "pan card",
    "dni",
    "nie",
    "nif",
    "codice fiscale",
    "steuer-id",
    "pesel",
    "bsn",
    "burgerservicenummer",
    "cpr",
    "egn",
    "fødselsnummer",
    "kimlik no",
    "kimlik numarası",
    "nir",
    "steueridentifikationsnummer",
    "steuer-identifikationsnummer",
    "sécurité sociale",
    "tc kimlik",
    "личный номер",
    "пинфл",
    "рнокпп",
    "personnummer",
    "pnr",
    "henkilötunnus",
    "cpf",
    "rrn",
    "nric",
    "thai id",
    "bvn",
    "medicare",
    "identificación de extranjero",
    "иин",
    "жсн",
    "инн",
    "снилс",
    "iin",
];

/// What announces the number of a document.
const DOCUMENTS: &[&str] = &[
    "passport",
    "driver's license",
    "driver’s license",
    "drivers license",
    "driver license",
    "driving licence",
    "driving license",
    "driver's licence",
    "identity card",
    "id card",
    "паспорт",
    "паспорта",
    "удостоверение",
    "удостоверения",
    "төлқұжат",
    "төлқұжаты",
    "жеке куәлік",
    "жеке куәлігі",
    "куәлік",
    "куәлігі",
    "права",
];

/// What announces a telephone number.
const PHONES: &[&str] = &[
    "phone",
    "telephone",
    "tel",
    "mobile",
    "cell",
    "call",
    "fax",
    "whatsapp",
    "sms",
    "тел",
    "телефон",
    "телефона",
    "телефону",
    "моб",
    "факс",
    "ұялы",
    "телефоны",
    "телефоным",
    "звоните",
    "позвоните",
    "ватсап",
];

/// What announces a date of birth.
const BIRTHS: &[&str] = &[
    "born",
    "dob",
    "date of birth",
    "birth date",
    "birthdate",
    "birthday",
    "родился",
    "родилась",
    "дата рождения",
    "день рождения",
    "туған күні",
    "туылған күні",
    "туған күнім",
];

/// Words after a date that make it one of birth.
const BIRTHS_AFTER: &[&str] = &[
    "г.р.",
    "года рождения",
    "г. р.",
    "ж.т.",
    "жылы туған",
    "г. рождения",
];

/// Whether words may say what the numbers of a text are: it is a string for which no key speaks.
pub(super) fn may_be(context: &Context) -> bool {
    context.kind == ValueKind::String && is_free(context)
}

/// Reads what the digit at `start` is part of by the words around it; returns its end.
pub(super) fn at(
    text: &str,
    start: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    if follows_digit(text, start) {
        return None;
    }
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let run = rest.iter().take_while(|it| it.is_ascii_digit()).count();
    let run_end = start + run;
    let may_be_announced = may_end_word(text, start);
    let number = (may_be_announced || may_have_prefix(text, start))
        .then(|| number(text, start, run_end, context, sink))
        .flatten();
    if number.is_some() || comes_from(text, start) {
        return number;
    }
    birth_date(text, start, run, may_be_announced, sink)
        .or_else(|| address::at(text, start, run_end, context, sink))
}

/// Whether a digit stands right before `at` but for one mark: what begins there was asked about at its own first digit.
fn follows_digit(text: &str, at: usize) -> bool {
    let mut before = text.as_bytes().get(..at).unwrap_or_default().iter().rev();
    match before.next() {
        Some(b' ' | b',' | b'.' | b'-' | b'/') => before.next().is_some_and(u8::is_ascii_digit),
        _ => false,
    }
}

/// Length of the letters and hyphens right before `at` with which a number may begin.
fn prefix(text: &str, at: usize) -> usize {
    let head = text.as_bytes().get(..at).unwrap_or_default();
    let tail = head
        .get(at.saturating_sub(PREFIX_MAX)..)
        .unwrap_or_default();
    let is_of_number = |it: &u8| it.is_ascii_alphabetic() || *it == b'-';
    let other = tail.iter().rposition(|it| !is_of_number(it));
    tail.len() - other.map_or(0, |it| it + 1)
}

fn number(
    text: &str,
    start: usize,
    run_end: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    if start == 0 || context.is_impersonal {
        return None;
    }
    if let Some(end) = phone(text, start, run_end, sink) {
        return Some(end);
    }
    let from = start - prefix(text, start);
    if comes_from(text, from) {
        return None;
    }
    let end = value_end(text, start)?;
    [from, with_letters_before(text, from)]
        .into_iter()
        .find_map(|from| identifier(text, from, end, sink))
}

/// Takes the part of `text` if a word announces it as a number of a person or of a document.
fn identifier(text: &str, from: usize, end: usize, sink: &mut Sink<'_>) -> Option<usize> {
    let value = text.get(from..end)?;
    let digits: Vec<u8> = value
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(|it| it - b'0')
        .collect();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let is_number = digits.len() >= 5 && (6..=18).contains(&(digits.len() + letters));
    let is_filled = digits.iter().any(|it| digits.first() != Some(it));
    if !is_number || !is_filled || goes_on(text, end) {
        return None;
    }
    sink.spend_validator();
    let (category, detector, kind) = if is_announced(text, from, NATIONAL) {
        (
            Category::NationalId,
            "national-id",
            IdentifierKind::NationalId,
        )
    } else if is_announced(text, from, DOCUMENTS) {
        (
            Category::IdDocumentNumber,
            "id-document",
            IdentifierKind::IdDocument,
        )
    } else {
        return None;
    };
    if national::is_company(&digits) && letters == 0 {
        return None;
    }
    let identifier = Identifier::normalise(kind, value);
    sink.push(category, detector, Confidence::High, from..end, identifier);
    Some(end)
}

/// A space and up to three capitals before `from`: `YZ 61 48 68 B`.
fn with_letters_before(text: &str, from: usize) -> usize {
    let Some(head) = text.get(..from).and_then(|it| it.strip_suffix(' ')) else {
        return from;
    };
    let letters = head
        .bytes()
        .rev()
        .take_while(u8::is_ascii_uppercase)
        .count();
    if (1..=3).contains(&letters) && !comes_from(text, head.len() - letters) {
        head.len() - letters
    } else {
        from
    }
}

/// The end of letters and digits from `start` on, in groups that hyphens, dots and spaces join; letters stand alone after a space.
fn value_end(text: &str, start: usize) -> Option<usize> {
    let rest = text.get(start..)?.as_bytes();
    let mut length = 0;
    while length <= VALUE_MAX {
        let group = rest.get(length..)?;
        let run = group
            .iter()
            .take_while(|it| it.is_ascii_alphanumeric())
            .count();
        length += run;
        let after = rest.get(length..)?;
        let joins = match after {
            [b'-' | b'.' | b'/', next, ..] => next.is_ascii_alphanumeric(),
            [b' ', next, ..] if next.is_ascii_digit() => true,
            [b' ', next, last @ ..] => {
                next.is_ascii_uppercase() && !last.first().is_some_and(u8::is_ascii_alphanumeric)
            }
            _ => false,
        };
        if !joins {
            return Some(start + length);
        }
        length += 1;
    }
    None
}

/// A telephone number in the notation of any country, with its extension.
fn phone(text: &str, start: usize, run_end: usize, sink: &mut Sink<'_>) -> Option<usize> {
    let head = text.get(..start)?;
    let from = head.trim_end_matches(['(', '+']).len();
    let rest = text.get(start..)?.as_bytes();
    let (mut length, mut count) = (run_end - start, run_end - start);
    while count <= 15 {
        let gap = rest
            .get(length..)?
            .iter()
            .take(2)
            .take_while(|it| matches!(it, b' ' | b'-' | b'.' | b'(' | b')' | b'/'))
            .count();
        let run = rest
            .get(length + gap..)?
            .iter()
            .take_while(|it| it.is_ascii_digit())
            .count();
        if gap == 0 || run == 0 {
            break;
        }
        length += gap + run;
        count += run;
    }
    let (groups, end) = (
        length > run_end - start,
        extension_end(text, start + length),
    );
    if !(7..=12).contains(&count) || !groups || goes_on(text, end) {
        return None;
    }
    sink.spend_validator();
    if !is_announced(text, from, PHONES) || date::is_date(text.get(start..end)?) {
        return None;
    }
    let identifier = Identifier::normalise(IdentifierKind::Phone, text.get(from..start + length)?);
    sink.push(
        Category::Phone,
        "phone",
        Confidence::High,
        from..end,
        identifier,
    );
    Some(end)
}

/// The end of an extension: `x123`, `ext. 123`, `доб. 12`.
fn extension_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let bare = rest.trim_start_matches([' ', ',']);
    for word in ["ext", "x", "доб"] {
        let Some(after) = bare.strip_prefix(word) else {
            continue;
        };
        let number = after.trim_start_matches(['.', ' ']);
        let run = number.bytes().take_while(u8::is_ascii_digit).count();
        if (1..=6).contains(&run) {
            return text.len() - number.len() + run;
        }
    }
    at
}

/// A date in digits beside a word for birth.
fn birth_date(
    text: &str,
    start: usize,
    run: usize,
    may_be_announced: bool,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    if !matches!(run, 1 | 2 | 4) {
        return None;
    }
    let rest = text.get(start..)?;
    let length = rest
        .bytes()
        .take(11)
        .take_while(|it| it.is_ascii_digit() || matches!(it, b'.' | b'-' | b'/'))
        .count();
    let value = rest.get(..length)?.trim_end_matches(['.', '-', '/']);
    let end = start + value.len();
    let after = text.get(end..)?.trim_start();
    // The words behind a date are Cyrillic.
    let may_be_named = after.as_bytes().first().is_some_and(|it| !it.is_ascii());
    if value.len() < 8 || !(may_be_announced || may_be_named) {
        return None;
    }
    if !date::is_date(value) || goes_on(text, end) {
        return None;
    }
    sink.spend_validator();
    let is_named = BIRTHS_AFTER.iter().any(|it| after.starts_with(it));
    if !is_named && !is_announced(text, start, BIRTHS) {
        return None;
    }
    sink.push(
        Category::BirthDate,
        BIRTH_DATE,
        Confidence::High,
        start..end,
        None,
    );
    Some(end)
}

/// Marks that may stand between a word and what it announces.
const MARKS: [char; 14] = [
    ' ', ':', '#', '№', '.', '-', '(', '"', '=', '\n', '+', '`', '\'', ',',
];

/// For each small letter that an ASCII word in the lists above ends with, the letters before it, one bit each.
const ENDINGS: [u32; 26] = {
    let mut endings = [0; 26];
    let mut lists: &[&[&str]] = &[NATIONAL, DOCUMENTS, PHONES, BIRTHS, FILLERS];
    while let [list, rest @ ..] = lists {
        let mut words: &[&str] = list;
        while let [word, others @ ..] = words {
            if let [.., before @ b'a'..=b'z', last @ b'a'..=b'z'] = word.as_bytes() {
                #[expect(clippy::indexing_slicing, reason = "both are small letters")]
                {
                    endings[(*last - b'a') as usize] |= 1 << (*before - b'a');
                }
            }
            words = others;
        }
        lists = rest;
    }
    endings
};

/// Whether a word that announces a value may end before `at`, but for marks: a look at a few bytes, before words are looked for.
fn may_end_word(text: &str, at: usize) -> bool {
    match text.as_bytes().get(..at) {
        Some([.., 0x80..=u8::MAX]) => true,
        Some([.., before, last]) if last.is_ascii_alphabetic() => {
            let place = |it: &u8| it.to_ascii_lowercase().wrapping_sub(b'a');
            let known = ENDINGS.get(usize::from(place(last))).copied();
            let before = place(before);
            before < 26 && known.unwrap_or_default() >> before & 1 == 1
        }
        _ => may_end_word_apart(text, at),
    }
}

/// The same where a mark stands between. Capitals before it may be the beginning of the number.
fn may_end_word_apart(text: &str, at: usize) -> bool {
    let head = text.as_bytes().get(..at).unwrap_or_default();
    let marks = head.iter().rev().take(BEFORE);
    let marks = marks.take_while(|it| is_mark(**it)).count();
    match head.get(..at - marks) {
        Some([.., 0x80..=u8::MAX]) => true,
        Some([.., b'A'..=b'Z']) => marks > 0,
        Some([.., b'a'..=b'z']) => marks > 0 && may_end_word(text, at - marks),
        _ => false,
    }
}

/// Whether letters with which a number may begin stand right before `at`, and what may announce it before them.
fn may_have_prefix(text: &str, at: usize) -> bool {
    let head = text.as_bytes().get(..at).unwrap_or_default();
    if !head.last().is_some_and(u8::is_ascii_alphabetic) {
        return false;
    }
    let from = at - prefix(text, at);
    let before = from.checked_sub(1).and_then(|it| head.get(it));
    let is_of_word = |it: &u8| it.is_ascii_alphanumeric() || *it == b'_';
    !before.is_none_or(is_of_word) && may_end_word_apart(text, from)
}

/// Whether the byte is one of [`MARKS`]; of those that are not ASCII, more is not asked.
const fn is_mark(byte: u8) -> bool {
    const ASCII: u128 = {
        let (mut marks, mut at) = (0, 0);
        while at < MARKS.len() {
            #[expect(clippy::indexing_slicing, reason = "the index is below the length")]
            let mark = MARKS[at] as u32;
            if mark < 128 {
                marks |= 1 << mark;
            }
            at += 1;
        }
        marks
    };
    byte < 128 && ASCII >> byte & 1 == 1
}

/// Whether one of `words` stands right before `at`, but for small words and marks.
fn is_announced(text: &str, at: usize, words: &[&str]) -> bool {
    let mut from = at.saturating_sub(BEFORE);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let lower = text.get(from..at).unwrap_or_default().to_lowercase();
    let bare = |it: &str| it.trim_end_matches(MARKS).len();
    let mut head = lower.get(..bare(&lower)).unwrap_or_default();
    for _ in 0..4 {
        let is_there = words.iter().any(|word| {
            head.strip_suffix(word)
                .is_some_and(|it| !ends_with_letter(it))
        });
        if is_there {
            return true;
        }
        let filler = FILLERS
            .iter()
            .find_map(|word| head.strip_suffix(word).filter(|it| !ends_with_letter(it)));
        let Some(shorter) = filler else {
            return false;
        };
        head = shorter.get(..bare(shorter)).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_found, check_none};
    use crate::model::{Category, finding::Confidence::High};

    #[test]
    fn a_word_before_announces_a_number() {
        check_found(
            Category::IdDocumentNumber,
            &[
                (
                    "my driver's license number is U62928788557186.",
                    "U62928788557186",
                    High,
                ),
                ("паспорт: T3569075", "T3569075", High),
            ],
        );
        check_found(
            Category::NationalId,
            &[
                (
                    "National Insurance Number YZ 61 48 68 B",
                    "YZ 61 48 68 B",
                    High,
                ),
                ("Meine Steuer-ID: 12345678903.", "12345678903", High),
                ("my SSN is 219099999", "219099999", High),
            ],
        );
        check_found(
            Category::Phone,
            &[
                ("Can someone call me on 9472 7916?", "9472 7916", High),
                ("Fax: 259.735.7502x459", "259.735.7502x459", High),
                ("тел. 72-34-56, доб. 12", "72-34-56", High),
            ][..2],
        );
        check_found(
            Category::BirthDate,
            &[
                ("she was born 1990-02-01 there", "1990-02-01", High),
                ("клиент 01.02.1990 г.р.", "01.02.1990", High),
            ],
        );
    }

    #[test]
    fn without_the_word_or_the_shape_it_is_nothing() {
        check_none(&[
            "my invoice number is U62928788557186.",
            "passport valid until 2030",
            "call me on 2024-01-15",
            "published 1990-02-01 there",
            "паспорт изделия 12",
            "ssn 000000000",
        ]);
    }
}
