//! Shapes of values that a key is believed for.

use super::super::{nearby::starts_word, person_name::is_hex_digest};
use crate::model::{Category as C, Category, finding::Confidence};

/// Countries by their usual names, for `nationality`; codes are told by their shape.
const COUNTRIES: &[&str] = &[
    "kazakhstan",
    "қазақстан",
    "казахстан",
    "russia",
    "russian federation",
    "россия",
    "рф",
    "ресей",
    "рк",
    "қр",
    "uzbekistan",
    "узбекистан",
    "өзбекстан",
    "kyrgyzstan",
    "киргизия",
    "кыргызстан",
    "қырғызстан",
    "tajikistan",
    "таджикистан",
    "turkmenistan",
    "туркменистан",
    "belarus",
    "беларусь",
    "ukraine",
    "украина",
    "armenia",
    "армения",
    "azerbaijan",
    "азербайджан",
    "georgia",
    "грузия",
    "china",
    "китай",
    "қытай",
    "mongolia",
    "монголия",
    "turkey",
    "türkiye",
    "турция",
    "түркия",
    "germany",
    "германия",
    "france",
    "франция",
    "italy",
    "италия",
    "spain",
    "испания",
    "poland",
    "польша",
    "india",
    "индия",
    "iran",
    "иран",
    "japan",
    "япония",
    "united states",
    "united states of america",
    "сша",
    "united kingdom",
    "великобритания",
    "canada",
    "канада",
    "israel",
    "израиль",
    "south korea",
    "republic of kazakhstan",
    "республика казахстан",
    "қазақстан республикасы",
];

/// Words of addresses in Kazakh, Russian and Latin letters, in small letters.
const STREET_WORDS: &[&str] = &[
    "көшесі",
    "көш.",
    "даңғылы",
    "шағын аудан",
    "ықшам аудан",
    "мөлтек аудан",
    "пәтер",
    "ул.",
    "ул ",
    "улица",
    "пр-т",
    "пр.",
    "просп",
    "мкр",
    "микрорайон",
    "пер.",
    "переулок",
    "бульвар",
    "б-р",
    "шоссе",
    "наб.",
    "проезд",
    "квартал",
    "кв.",
    "кв ",
    "квартира",
    "koshesi",
    "koshe",
    "ul.",
    "prospekt",
    "mkr",
    "pater",
    "street",
    "avenue",
    "road",
    "strasse",
    "straße",
];

pub(super) fn sex(bare: &str) -> Option<Confidence> {
    let lower = bare.to_lowercase();
    let is_known = matches!(
        lower.as_str(),
        "m" | "f"
            | "x"
            | "male"
            | "female"
            | "man"
            | "woman"
            | "nonbinary"
            | "non-binary"
            | "other"
            | "diverse"
            | "м"
            | "ж"
            | "муж"
            | "жен"
            | "мужской"
            | "женский"
            | "мужчина"
            | "женщина"
            | "е"
            | "ә"
            | "ер"
            | "әйел"
            | "еркек"
            | "қыз"
            | "ұл"
    );
    let is_code = bare.len() == 1 && bare.bytes().all(|it| it.is_ascii_digit());
    match (is_known, is_code || is_hex_digest(bare)) {
        (true, _) => Some(Confidence::Certain),
        (false, true) => Some(Confidence::High),
        (false, false) => None,
    }
}

/// `nationality` is the ethnic group in Kazakh identity data, unless the value is a country's code or name.
pub(super) fn ethnicity(bare: &str) -> Option<(Category, Confidence)> {
    let lower = bare.to_lowercase();
    let is_code = matches!(bare.len(), 2 | 3)
        && (bare.bytes().all(|it| it.is_ascii_uppercase())
            || bare.bytes().all(|it| it.is_ascii_digit()));
    let category = if is_code || COUNTRIES.contains(&lower.as_str()) {
        C::Citizenship
    } else {
        C::SpecialEthnicity
    };
    has_word(bare).then_some((category, Confidence::High))
}
/// Something to read: a letter or a digit, no URL.
pub(super) fn has_word(bare: &str) -> bool {
    bare.chars().any(char::is_alphanumeric) && !bare.contains("://")
}

/// Not a URL, an e-mail address or one long token such as a hash or a wallet.
pub(super) fn is_address(bare: &str) -> bool {
    let is_token = bare.len() > 24 && !bare.contains([' ', ',']) && bare.is_ascii();
    has_word(bare) && !bare.contains('@') && !is_socket(bare) && (!is_token || is_hex_digest(bare))
}

/// `0.0.0.0:8080`, `localhost:8080`, quotes allowed: an address of a machine.
fn is_socket(bare: &str) -> bool {
    let bare = bare.trim_matches(['"', '\'']);
    bare.rsplit_once(':').is_some_and(|(host, port)| {
        !host.contains(' ')
            && (1..=5).contains(&port.len())
            && port.bytes().all(|it| it.is_ascii_digit())
    })
}

/// `@name`, a URL or a number of a messenger.
pub(super) fn is_handle(bare: &str) -> bool {
    bare.len() >= 3 && !bare.contains(' ') && has_alphanumeric(bare)
}

fn has_alphanumeric(bare: &str) -> bool {
    bare.chars().any(char::is_alphanumeric)
}

/// ICD-10: `J45.0`.
pub(super) fn is_medical_code(bare: &str) -> bool {
    matches!(bare.as_bytes(), [b'A'..=b'Z', b'0'..=b'9', b'0'..=b'9', ..]) && bare.len() <= 7
}

/// A code of ICD-10 or words, where the key says only `code` or `name`: no type or id.
pub(super) fn is_illness(bare: &str) -> bool {
    is_medical_code(bare) || (has_word(bare) && (bare.contains(' ') || !bare.is_ascii()))
}

/// The series of a document: `ID`, `АА`, `4507`.
pub(super) fn is_series(bare: &str) -> bool {
    bare.len() <= 8
        && bare
            .chars()
            .all(|it| it.is_ascii_digit() || it.is_uppercase() || it == ' ')
}

/// Three digits among letters: `A 123 BC`.
pub(super) fn is_plate(bare: &str) -> bool {
    bare.bytes().filter(u8::is_ascii_digit).count() == 3
        && (5..=14).contains(&bare.len())
        && bare
            .chars()
            .all(|it| it.is_alphanumeric() || matches!(it, ' ' | '-'))
        && bare.chars().any(char::is_alphabetic)
}

/// A word for a street or a flat, and a number.
pub(super) fn is_street(bare: &str) -> bool {
    let has_number = bare.bytes().any(|it| it.is_ascii_digit());
    has_number && bare.len() <= 200 && {
        let lower = bare.to_lowercase();
        STREET_WORDS.iter().any(|it| starts_word(&lower, it))
    }
}

/// A URL, a data URL, a file name or base64 of some length; not a flag or an id of few characters.
pub(super) fn is_media(bare: &str) -> bool {
    !bare.contains(' ') && (bare.contains(['/', '.', ':']) || bare.len() >= 24)
}

pub(super) fn is_masked_card(bare: &str) -> bool {
    let digits = bare.bytes().filter(u8::is_ascii_digit).count();
    digits >= 4 && bare.contains(['*', 'X', 'x', '•']) && bare.len() <= 40
}

pub(super) fn is_code(bare: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&bare.len()) && bare.bytes().all(|it| it.is_ascii_digit())
}

/// A token without spaces.
pub(super) fn is_token(bare: &str, least: usize) -> bool {
    bare.len() >= least && !bare.contains(' ') && has_alphanumeric(bare)
}

/// An account, plate or card of a shop: at least three digits among letters and separators.
pub(super) fn is_account(bare: &str) -> bool {
    bare.bytes().filter(u8::is_ascii_digit).count() >= 4
        && bare.len() <= 40
        && bare
            .chars()
            .all(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_' | '/' | '*'))
}

/// An operator's id of a person: not zero, one token.
pub(super) fn is_account_id(bare: &str) -> bool {
    bare != "0" && bare.len() <= 128 && !bare.contains(' ') && has_alphanumeric(bare)
}

/// The short number of a town, without its area code.
pub(super) fn is_local_phone(bare: &str) -> bool {
    let digits = bare.bytes().filter(u8::is_ascii_digit).count();
    matches!(digits, 5 | 6)
        && bare
            .bytes()
            .all(|it| it.is_ascii_digit() || matches!(it, b'-' | b' ' | b'+' | b'(' | b')'))
}

/// Degrees, or a pair of them.
pub(super) fn location(bare: &str) -> Option<Confidence> {
    let pair = bare.trim_start_matches("geo:");
    let mut degrees = pair.split([',', ';', ' ']).filter(|it| !it.is_empty());
    let are_degrees = degrees.clone().count() <= 3
        && degrees.all(|it| it.parse::<f64>().is_ok_and(|number| number.abs() <= 180.0));
    (are_degrees && !matches!(bare, "0" | "0.0")).then_some(Confidence::High)
}
