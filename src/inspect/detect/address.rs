//! Addresses in running text: a word for a street, its name and the number of a house, in Russian, Kazakh, English and the languages
//! whose street words are few; boxes of a post office. A street or a town without a number is no address of a person.
//!
//! Started from the number, so that text without digits costs nothing.

use std::ops::Range;

use super::{
    Context, Sink,
    nearby::{comes_from, goes_on},
};
use crate::model::{Category, finding::Confidence};

/// Name of the detector.
pub(super) const ADDRESS: &str = "address-in-text";

/// Most digits of the number of a house.
const DIGITS_MAX: usize = 5;

/// Bytes before the number that its street may take.
const BEFORE: usize = 80;

/// Most words of the name of a street.
const WORDS_MAX: usize = 4;

/// Bytes after the number that a town and its postal code may take.
const TOWN_MAX: usize = 64;

/// English words after the name of a street that are little else.
const STREETS: &[&str] = &[
    "street",
    "st",
    "str",
    "avenue",
    "ave",
    "road",
    "rd",
    "boulevard",
    "blvd",
    "lane",
    "ln",
    "turnpike",
];

/// English words that are streets only where more of an address follows.
const WEAK_STREETS: &[&str] = &[
    "drive", "dr", "court", "ct", "place", "pl", "square", "sq", "terrace", "way", "highway",
    "hwy", "parkway", "pkwy", "circle", "trail", "crescent", "close", "row", "plaza", "loop",
    "route",
];

/// Words before the name of a street that stand after the number of the house.
const STREETS_FIRST: &[&str] = &["rue", "avenue", "boulevard", "chemin", "via", "calle"];

/// Words before the name of a street, cut short: nothing else is written so.
const SHORT_TYPES: &[&str] = &[
    "ул",
    "пр-т",
    "пр-кт",
    "просп",
    "пр",
    "пер",
    "б-р",
    "бул",
    "наб",
    "мкр",
    "мкрн",
    "м-н",
    "ш",
    "ul",
];

/// Words before the name of a street, without their endings.
const LONG_TYPES: &[&str] = &[
    "улиц",
    "проспект",
    "переул",
    "бульвар",
    "набережн",
    "шоссе",
    "микрорайон",
    "ulits",
    "ulic",
    "rue",
    "via",
    "viale",
    "calle",
    "rua",
    "avenida",
    "avda",
    "avenue",
];

/// Words after the name of a street, with any ending.
const TYPES_AFTER: &[&str] = &[
    "көше",
    "даңғыл",
    "тұйығ",
    "бульвар",
    "мкр",
    "мөлтек",
    "ықшамаудан",
    "koshesi",
    "kóshesi",
    "dańǵyl",
    "köşesi",
    "utca",
    "út",
];

/// Endings of the names of streets that are written in one word.
const COMPOUNDS: &[&str] = &[
    "straße", "strasse", "straat", "gasse", "gatan", "laan", "gata", "vägen", "katu", "kuja",
    "stræti", "braut", "gade", "vej", "ulica",
];

/// Small words inside the name of a street.
const INNER: &[&str] = &[
    "de",
    "do",
    "da",
    "del",
    "della",
    "di",
    "la",
    "las",
    "le",
    "des",
    "du",
    "of",
    "би",
    "хан",
    "батыр",
    "ата",
];

/// Words for a house, before its number or after it.
const HOUSES: &[&str] = &["д", "дом", "доме", "дома", "үй", "үйде", "house"];

/// Words for a part of a house, before its number.
const PARTS: &[&str] = &[
    "apt",
    "apartment",
    "suite",
    "ste",
    "unit",
    "flat",
    "floor",
    "room",
    "кв",
    "квартира",
    "корп",
    "корпус",
    "к",
    "стр",
    "строение",
    "оф",
    "офис",
    "пәтер",
    "подъезд",
    "этаж",
    "д",
    "дом",
    "үй",
];

/// Small words that may follow the number of a house; others say what it counts.
const FOLLOWING: &[&str] = &[
    "в",
    "во",
    "и",
    "с",
    "по",
    "на",
    "г",
    "город",
    "мен",
    "және",
    "үйі",
    "үйінде",
    "street",
    "in",
    "and",
];

/// Words before the number of a box.
const BOXES: &[&str] = &[
    "p.o. box",
    "po box",
    "p. o. box",
    "а/я",
    "абонентский ящик",
    "жәшігі",
];

/// Reads the address whose house or box has the digits from `start` to `run_end`; returns its end.
pub(super) fn at(
    text: &str,
    start: usize,
    run_end: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    if run_end - start > DIGITS_MAX || context.is_impersonal || comes_from(text, start) {
        return None;
    }
    let bytes = text.as_bytes();
    let after = bytes.get(run_end).copied();
    let before = start.checked_sub(1).and_then(|it| bytes.get(it)).copied();
    let may_lead = after.is_some_and(|it| it == b' ' || it.is_ascii_alphabetic());
    let may_follow = before.is_some_and(|it| matches!(it, b' ' | b'.' | b'-' | b'#'));
    let ahead = || number_then_street(text, start, run_end);
    let behind =
        || street_then_number(text, start, run_end).or_else(|| boxed(text, start, run_end));
    let found = if may_lead { ahead() } else { None };
    let found = found.or_else(|| may_follow.then(behind).flatten())?;
    sink.spend_validator();
    let end = with_town(text, with_parts(text, found.end));
    sink.push(
        Category::AddressOther,
        ADDRESS,
        Confidence::High,
        found.start..end,
        None,
    );
    Some(end)
}

/// `10 Main Street`, `221B Baker Street`.
fn number_then_street(text: &str, start: usize, run_end: usize) -> Option<Range<usize>> {
    let from = number_end(text, run_end)?;
    let rest = text.get(from..)?.strip_prefix(' ')?;
    let (first, name) = rest.split_once(' ')?;
    if is_one_of(STREETS_FIRST, first) {
        let length = name_length(name);
        return (length > 0).then_some(start..text.len() - name.len() + length);
    }
    let mut at = from + 1;
    for (index, word) in rest.split(' ').take(WORDS_MAX + 1).enumerate() {
        let line = word.split(['\n', '\r']).next()?;
        let bare = line.trim_end_matches(|it: char| !it.is_alphanumeric());
        let first = bare.chars().next()?;
        let end = at + bare.len();
        let is_capital = first.is_uppercase();
        if index > 0 && is_capital && is_one_of(STREETS, bare) {
            let is_sure = !is_year(text, start, run_end) || has_more(text, end);
            return is_sure.then_some(start..end);
        }
        if index > 0 && is_capital && is_one_of(WEAK_STREETS, bare) && has_more(text, end) {
            return Some(start..end);
        }
        let is_name = is_capital
            || (index == 0 && first.is_ascii_digit())
            || is_ordinal(bare)
            || INNER.contains(&bare);
        let is_last = bare.len() < word.len() && word.get(bare.len()..) != Some(".");
        if !is_name || is_last {
            return None;
        }
        at += word.len() + 1;
    }
    None
}

/// Whether one of `words`, which are ASCII, is `word` in letters of any case.
fn is_one_of(words: &[&str], word: &str) -> bool {
    words.iter().any(|it| it.eq_ignore_ascii_case(word))
}

/// Bytes of the name of a street at the start of `text`: words with capitals and small ones between them.
fn name_length(text: &str) -> usize {
    let (mut at, mut end) = (0, 0);
    for word in text.split(' ').take(WORDS_MAX) {
        let bare = word.trim_end_matches(|it: char| !it.is_alphabetic());
        if is_name(bare) {
            end = at + bare.len();
        } else if !INNER.contains(&bare) {
            break;
        }
        if bare.len() < word.len() {
            break;
        }
        at += word.len() + 1;
    }
    end
}

/// Whether a word is a number with letters: `5th`.
fn is_ordinal(word: &str) -> bool {
    word.starts_with(|it: char| it.is_ascii_digit()) && word.ends_with(char::is_alphabetic)
}

/// Whether four digits may be a year, after which words with capitals say what was in it.
fn is_year(text: &str, start: usize, run_end: usize) -> bool {
    text.get(start..run_end)
        .is_some_and(|it| it.len() == 4 && (it.starts_with("19") || it.starts_with("20")))
}

/// Whether more of an address follows: a part of a house, or a town with its code.
fn has_more(text: &str, at: usize) -> bool {
    with_parts(text, at) > at || with_town(text, at) > at
}

/// `ул. Абая, д. 10`, `Абай көшесі, 10`, `Hauptstraße 5`.
fn street_then_number(text: &str, start: usize, run_end: usize) -> Option<Range<usize>> {
    let mut from = start.saturating_sub(BEFORE);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let head = text.get(from..start)?;
    let bare = trim_joints(head);
    // A row of numbers has no street before each.
    if head.trim_end().ends_with(|it: char| it.is_ascii_digit()) {
        return None;
    }
    let (street, has_house) = match last_word(bare) {
        (rest, word) if is_house(word) => (trim_joints(rest), true),
        _ => (bare, false),
    };
    // A line or sentence of its own speaks of something else.
    let is_split = head.get(street.len()..)?.contains('\n');
    let (at, is_short) = street_start(street)?;
    let end = number_end(text, run_end)?;
    let is_house = has_house || is_short || ends_there(text, end);
    (!is_split && is_house && run_end - start < DIGITS_MAX && !is_measure(text, end))
        .then_some(from + at..end)
}

/// Whether `word` is one for a house.
fn is_house(word: &str) -> bool {
    word.starts_with(['д', 'Д', 'ү', 'Ү', 'h', 'H'])
        && HOUSES.contains(&word.to_lowercase().as_str())
}

/// Whether a street may end with `word`, or begin with it without a space before its name: cheap, for the word before every number.
fn may_end_street(word: &str) -> bool {
    let first = word.chars().next();
    first.is_some_and(|it| {
        it.is_uppercase()
            || TYPES_AFTER
                .iter()
                .chain(INNER)
                .any(|word| word.starts_with(it))
    }) || word.starts_with('а')
        || word.contains('.')
}

/// Where the street begins at which `head` ends, and whether its type is cut short.
fn street_start(head: &str) -> Option<(usize, bool)> {
    let (rest, last) = last_word(head);
    if !may_end_street(last) {
        return None;
    }
    let lower = last.trim_end_matches('.').to_lowercase();
    let at_last = head.len() - last.len();
    if COMPOUNDS.iter().any(|it| lower.ends_with(it)) && is_name(last) {
        return Some((at_last, false));
    }
    let is_after = TYPES_AFTER.iter().any(|it| lower.starts_with(it))
        || (STREETS.contains(&lower.as_str()) && is_name(last))
        || (lower.starts_with("аудан") && ends_with_any(rest, &["ықшам", "шағын"]));
    if is_after {
        let mut name = rest.trim_end();
        if lower.starts_with("аудан") {
            name = last_word(name).0.trim_end();
        }
        let (_, word) = last_word(name);
        if is_name(word) && !word.ends_with([',', '.', ';']) {
            let before = last_word(name).0.trim_end();
            let (_, first) = last_word(before);
            let is_long = is_name(first) && !first.ends_with([',', '.', ';', ':']);
            let words = if is_long {
                before.len() - first.len()
            } else {
                name.len() - word.len()
            };
            return Some((words, false));
        }
    }
    before_name(head)
}

/// The type of a street before its name of a few words.
fn before_name(head: &str) -> Option<(usize, bool)> {
    let mut left = head;
    let mut names = 0;
    for _ in 0..=WORDS_MAX {
        let (rest, word) = last_word(left);
        let at = left.len() - word.len();
        let lower = word.to_lowercase();
        let short = lower.trim_end_matches('.');
        let glued = lower.split_once('.').filter(|it| !it.1.is_empty());
        if names > 0 && SHORT_TYPES.contains(&short) && (short.len() > 2 || lower.ends_with('.')) {
            return Some((at, true));
        }
        if names > 0 && LONG_TYPES.iter().any(|it| lower.starts_with(it)) {
            return Some((at, false));
        }
        if glued.is_some_and(|it| SHORT_TYPES.contains(&it.0)) {
            return Some((at, true));
        }
        let is_inner = INNER.contains(&lower.as_str());
        if !(is_name(word) || is_inner) || word.ends_with([';', ':', '!', '?']) {
            return None;
        }
        names += usize::from(!is_inner);
        left = rest.trim_end_matches([' ', '\n']);
    }
    None
}

/// `P.O. Box 287`, `а/я 12`, `PSC 1437, Box 3833`.
fn boxed(text: &str, start: usize, run_end: usize) -> Option<Range<usize>> {
    let mut from = start.saturating_sub(40);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let head = trim_joints(text.get(from..start)?);
    if !head.ends_with(['x', 'X', 'я', 'Я', 'к', 'К', 'і', 'І', 'C', 't', 'R']) {
        return None;
    }
    let lower = head.to_lowercase();
    if lower.len() == head.len()
        && let Some(word) = BOXES.iter().find(|it| lower.ends_with(**it))
    {
        return Some(from + head.len() - word.len()..run_end);
    }
    let (_, word) = last_word(head);
    let rest = text.get(run_end..)?.trim_start_matches([',', ' ']);
    let number = rest.strip_prefix("Box ")?;
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    (matches!(word, "PSC" | "Unit" | "CMR") && digits > 0)
        .then(|| from + head.len() - word.len()..text.len() - number.len() + digits)
}

/// What joins a street and the number of a house.
fn trim_joints(head: &str) -> &str {
    head.trim_end_matches([' ', ',', '.', '№', '#', '\n'])
}

/// The last word of `head`, and what is before it.
fn last_word(head: &str) -> (&str, &str) {
    let at = head
        .rfind([' ', '\n', '\t', '(', '"', '«'])
        .map_or(0, |it| it + head.get(it..).map_or(1, first_length));
    head.split_at_checked(at).unwrap_or(("", head))
}

fn first_length(text: &str) -> usize {
    text.chars().next().map_or(1, char::len_utf8)
}

fn ends_with_any(head: &str, words: &[&str]) -> bool {
    let (_, word) = last_word(head.trim_end());
    words.contains(&word.to_lowercase().as_str())
}

/// Whether a word begins with a capital and has a letter more.
fn is_name(word: &str) -> bool {
    word.chars().next().is_some_and(char::is_uppercase)
}

/// The end of the number of a house: `10`, `10а`, `10/2`, `10-12`.
fn number_end(text: &str, run_end: usize) -> Option<usize> {
    let mut end = run_end;
    let rest = text.get(end..)?;
    if let Some(after) = rest.strip_prefix(['/', '-']) {
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        if (1..=4).contains(&digits) {
            end += 1 + digits;
        }
    }
    if let Some(letter) = text
        .get(end..)?
        .chars()
        .next()
        .filter(|it| it.is_alphabetic())
    {
        end += letter.len_utf8();
    }
    (!goes_on(text, end)).then_some(end)
}

/// Whether what follows the number does not say what it counts.
fn ends_there(text: &str, end: usize) -> bool {
    let rest = text.get(end..).unwrap_or_default();
    let Some(after) = rest.strip_prefix([' ', '-']) else {
        return !rest.starts_with('%');
    };
    let word = after
        .split(|it: char| !it.is_alphabetic())
        .next()
        .unwrap_or_default();
    let lower = word.to_lowercase();
    let known = [HOUSES, PARTS, FOLLOWING];
    !word.starts_with(char::is_lowercase) || known.iter().any(|it| it.contains(&lower.as_str()))
}

/// Whether the number is a time, a decimal or a share.
fn is_measure(text: &str, end: usize) -> bool {
    let rest = text.get(end..).unwrap_or_default();
    rest.starts_with([':', '%'])
        || rest
            .strip_prefix(['.', ','])
            .is_some_and(|it| it.starts_with(|ch: char| ch.is_ascii_digit()))
}

/// The end of the parts of a house that follow `at`.
fn with_parts(text: &str, at: usize) -> usize {
    let mut end = at;
    for _ in 0..3 {
        let Some(next) = part_end(text, end) else {
            break;
        };
        end = next;
    }
    end
}

fn part_end(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let bare = rest.trim_start_matches([',', ' ', '\n', '.', '>']);
    let word = bare.split(|it: char| !it.is_alphabetic()).next()?;
    let is_sign = bare.starts_with('#');
    if !is_sign && !PARTS.contains(&word.to_lowercase().as_str()) {
        return None;
    }
    let after = bare.get(word.len() + usize::from(is_sign)..)?;
    let number = after.trim_start_matches(['.', ' ', '№', '#']);
    let length = number.bytes().take_while(u8::is_ascii_digit).count();
    let end = number_end(text, text.len() - number.len() + length)?;
    (1..=5).contains(&length).then_some(end)
}

/// The end of the town and postal code that follow `at`, if both do.
fn with_town(text: &str, at: usize) -> usize {
    town_end(text, at).unwrap_or(at)
}

fn town_end(text: &str, at: usize) -> Option<usize> {
    const JOINTS: [char; 5] = [',', ' ', '\n', '>', '.'];
    let mut left = text.get(at..)?;
    if !left.starts_with([',', '\n', ' ']) {
        return None;
    }
    loop {
        left = left.trim_start_matches(JOINTS);
        let now = text.len() - left.len();
        let first = left.chars().next()?;
        if now - at > TOWN_MAX {
            return None;
        }
        let length = left
            .find(|it: char| !(it.is_alphanumeric() || it == '-' || it == '\''))
            .unwrap_or(left.len());
        let word = left.get(..length)?;
        if first.is_ascii_digit() {
            let (code, more) = word.split_once('-').unwrap_or((word, ""));
            let are_digits = [code, more]
                .iter()
                .all(|it| it.bytes().all(|ch| ch.is_ascii_digit()));
            let is_code = are_digits && matches!((code.len(), more.len()), (5 | 6, 0) | (5, 4));
            return is_code.then_some(now + length);
        }
        if !first.is_uppercase() && !matches!(word, "г" | "город" | "область" | "обл" | "қаласы")
        {
            return None;
        }
        left = left.get(length..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_found, check_none};
    use crate::model::{Category, finding::Confidence::High};

    #[test]
    fn a_street_with_a_house_is_an_address() {
        check_found(
            Category::AddressOther,
            &[
                (
                    "живу на ул. Абая, д. 10, кв. 5",
                    "ул. Абая, д. 10, кв. 5",
                    High,
                ),
                ("жду по адресу проспект Мира 12а", "проспект Мира 12а", High),
                ("встреча на улице Толе би, 45.", "улице Толе би, 45", High),
                ("мекенжайы: Абай көшесі, 10 үй", "Абай көшесі, 10", High),
                ("ул.Сатпаева 22/1", "ул.Сатпаева 22/1", High),
                (
                    "send it to 10 Main Street, Apt. 4, Springfield, IL 62704 please",
                    "10 Main Street, Apt. 4, Springfield, IL 62704",
                    High,
                ),
                (
                    "moved to 5 Oak Drive, Suite 9",
                    "5 Oak Drive, Suite 9",
                    High,
                ),
                ("ich wohne Hauptstraße 5", "Hauptstraße 5", High),
                ("write to P.O. Box 287 today", "P.O. Box 287", High),
                ("meet at PSC 1437, Box 3833", "PSC 1437, Box 3833", High),
            ],
        );
    }

    #[test]
    fn streets_and_numbers_of_other_things_are_none() {
        check_none(&[
            "на улице Абая 5 человек ждали",
            "на площади Республики в 10 часов",
            "улица Абая закрыта 10 дней",
            "In 2015 Supreme Court ruled",
            "in 2008 Wall Street fell",
            "көшеде 10 адам тұрды",
            "10 main street lights",
            "the road 66 closed",
            "ул. Абая",
            "section 10 of the Street Works Act",
        ]);
    }
}
