//! Names in running text, as hits.

use std::ops::Range;

use super::{
    super::signs::{self, Signs, sign},
    BY_KEY, Context, Sink, ValueKind,
    address::ADDRESS,
    fold,
    person_name::{has_initials, has_patronymic},
    prose::names,
};
use crate::model::{Category, finding::Confidence};

/// Name of the detector.
const NAME: &str = "name-in-text";

/// Fewest words of running text: fewer are a title or a label, and say too little of what they name.
const WORDS_MIN: usize = 5;

/// Longest mean word of a text of this length or more, in bytes.
const WORD_MAX: usize = 48;
const LONG: usize = 512;

/// Longest text that is tried as one name, in bytes.
const NAME_MAX: usize = 64;

/// Most marks of code in a hundred bytes of prose.
const MARKS_MAX: usize = 3;

/// Appends the names in `text`, as it was sent. Running text is what no key speaks for; a value that a key calls a name only beside a
/// person (`name`, which goods have too) counts by itself when it is nothing but a person's name of two words or more.
pub(super) fn scan(text: &str, signs: Signs, context: &Context, sink: &mut Sink<'_>, base: usize) {
    if context.kind == ValueKind::Key {
        // A map by name: `{"Смирнова Ольга": {…}}`. Labels with capitals are few, and the tagger knows them from names.
        if sink.hits.len() == base && may_be_full_name(text) && is_full_name(text) {
            sink.work += text.len() as u64;
            sink.push(
                Category::NameFull,
                NAME,
                Confidence::High,
                0..text.len(),
                None,
            );
        }
        return;
    }
    if context.kind != ValueKind::String || context.is_order_like {
        return;
    }
    let is_unnamed = matches!(context.own, None | Some(Category::FreeText));
    if is_unnamed && context.inherited.is_none() {
        // Letters of one script in words of the other hide no name.
        let has_latin = signs.has_any(sign::UPPER | sign::LOWER);
        let unmixed = has_latin.then(|| fold::one_script(text)).flatten();
        let read = unmixed.as_ref().map_or(text, |it| it.text.as_str());
        if is_person_by_form(read, context) {
            let start = text.len() - text.trim_start().len();
            let range = start..start + text.trim().len();
            sink.push(Category::NameFull, NAME, Confidence::High, range, None);
        } else if is_prose(text, signs) {
            sink.work += text.len() as u64;
            for it in names(read) {
                let range = unmixed
                    .as_ref()
                    .map_or(it.range.clone(), |folded| folded.original(&it.range));
                if is_part_of_identifier(&range, text, sink, base) {
                    continue;
                }
                // Which part of a name a single word is cannot be told.
                sink.push(Category::NameFull, NAME, Confidence::High, range, None);
            }
        } else if sink.hits.len() == base && may_be_full_name(text) && is_full_name(text) {
            sink.work += text.len() as u64;
            sink.push(
                Category::NameFull,
                NAME,
                Confidence::Low,
                0..text.len(),
                None,
            );
            if let Some(hit) = sink.hits.last_mut() {
                hit.confidence_beside_person = Confidence::High;
            }
        }
    } else if context.needs_person
        && !context.is_impersonal
        && context.own == Some(Category::NameFull)
        && (has_patronymic(text) || has_initials(text) || is_full_name(text))
    {
        sink.work += text.len() as u64;
        let weak = sink.hits.iter_mut().skip(base);
        for hit in weak.filter(|it| it.detector == BY_KEY && it.category == Category::NameFull) {
            hit.confidence = Confidence::High;
        }
    }
}

/// Whether the whole text is a name by its form: a patronymic says so anywhere, initials or known names where the key says person.
fn is_person_by_form(text: &str, context: &Context) -> bool {
    const BYTES: std::ops::RangeInclusive<usize> = 5..=120;
    BYTES.contains(&text.len())
        && text.trim().contains(' ')
        && !text.bytes().any(|it| it.is_ascii_digit())
        && (has_patronymic(text)
            || (context.is_person_key && (has_initials(text) || is_full_name(text))))
}

/// Whether `text` is written for people: enough words, and few of the marks of code, logs and markup.
fn is_prose(text: &str, signs: Signs) -> bool {
    // By ASCII first, which parts most texts and is told at once.
    let has_words = text.split_ascii_whitespace().nth(WORDS_MIN - 1).is_some()
        || text.split_whitespace().nth(WORDS_MIN - 1).is_some();
    if !has_words {
        return false;
    }
    // Base64 in lines is no prose.
    if text.len() > LONG && text.is_ascii() {
        let spaces = text.bytes().filter(u8::is_ascii_whitespace).count();
        if text.len() > (spaces + 1) * WORD_MAX {
            return false;
        }
    }
    if !signs.has(sign::CODE) {
        return true;
    }
    let marks = text
        .bytes()
        .filter(|it| signs::of_byte(*it) & sign::CODE != 0)
        .count();
    marks * 100 <= text.len() * MARKS_MAX
}

/// Whether `text` is two to four words that begin with a capital: cheap, for every value that no key speaks for.
fn may_be_full_name(text: &str) -> bool {
    let starts = |it: &str| it.chars().next().is_some_and(char::is_uppercase);
    text.len() <= NAME_MAX
        && starts(text)
        && text.bytes().filter(|it| *it == b' ').count() <= 3
        && text.contains(' ')
        && text.split(' ').all(starts)
        && text
            .chars()
            .all(|it| it.is_alphabetic() || matches!(it, ' ' | '-' | '.' | '\''))
}

/// Whether `text` is a name of two words or more and nothing else: a given name that is known among them, and no word of everyday.
fn is_full_name(text: &str) -> bool {
    let bare = text.trim();
    bare.contains(char::is_whitespace)
        && matches!(
            names(bare).as_slice(),
            [only] if only.range == (0..bare.len()) && only.has_given && !only.has_common
        )
}

/// Whether a name runs into what identifies a person more surely, such as the first part of an address, or is that of a street.
fn is_part_of_identifier(range: &Range<usize>, text: &str, sink: &Sink<'_>, base: usize) -> bool {
    let found = sink.hits.iter().skip(base);
    let mut identifiers = found.filter(|it| it.identifier.is_some() || it.detector == ADDRESS);
    text.as_bytes().get(range.end) == Some(&b'@')
        || identifiers.any(|it| it.range.start < range.end && range.start < it.range.end)
}

#[cfg(test)]
mod tests {
    use super::super::{Detectors, Field, Hit, KeyHint};
    use super::*;

    fn scanned(text: &str, key: KeyHint) -> Vec<Hit> {
        let field = Field::new(text, ValueKind::String, key, KeyHint::default());
        let mut hits = Vec::new();
        Detectors::default().scan(&field, &mut hits);
        hits
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let hits = scanned(text, KeyHint::default());
        let found: Vec<&str> = hits
            .iter()
            .filter(|it| it.detector == NAME && it.confidence >= Confidence::High)
            .filter_map(|it| text.get(it.range.clone()))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn names_stand_out_of_running_text_in_three_languages() {
        check(
            "Уважаемая Смирнова Ольга Петровна, ваш заказ готов к выдаче.",
            &["Смирнова Ольга Петровна"],
        );
        check(
            "Документы переданы Ивановым Сергеем в понедельник утром.",
            &["Ивановым Сергеем"],
        );
        check(
            "Құрметті Нұрлан Оспанов, өтінішіңіз бүгін қабылданды.",
            &["Нұрлан Оспанов"],
        );
        check(
            "Please call Margaret Thornton back before the end of Friday.",
            &["Margaret Thornton"],
        );
    }

    #[test]
    fn names_are_found_in_small_letters_where_a_text_has_no_capitals() {
        check(
            "добрый день, меня зовут ольга петровна смирнова",
            &["ольга петровна смирнова"],
        );
        check(
            "please call margaret thornton back on friday",
            &["margaret thornton"],
        );
        check("please call the support desk back on friday", &[]);
        check("добрый день, когда будет готов мой заказ", &[]);
    }

    #[test]
    fn a_long_text_is_read_to_its_end() {
        let text = "Уважаемая Смирнова Ольга Петровна, ваш заказ готов к выдаче. ".repeat(2_000);
        check(&text, &["Смирнова Ольга Петровна"; 2_000]);
    }

    #[test]
    fn a_name_by_its_form_needs_no_prose() {
        check(
            "ӘЛІБЕКОВА ҰЛЖАН ҚАЙРАТҚЫЗЫ",
            &["ӘЛІБЕКОВА ҰЛЖАН ҚАЙРАТҚЫЗЫ"],
        );
        check("Kim T.A.", &[]);
        let person = KeyHint {
            is_person: true,
            ..KeyHint::default()
        };
        for (text, expected) in [
            ("Kim T.A.", 1),
            ("Смирнова Ольга", 1),
            ("Самовывоз со склада", 0),
        ] {
            assert_eq!(scanned(text, person).len(), expected, "{text}");
        }
    }

    #[test]
    fn words_of_two_scripts_hide_no_name() {
        check(
            "Уважаемая Cмирнoва Oльгa Пeтpoвнa, ваш заказ готов к выдаче.",
            &["Cмирнoва Oльгa Пeтpoвнa"],
        );
        check("Ивaнoвa Aйгepим Cepикoвнa", &["Ивaнoвa Aйгepим Cepикoвнa"]);
        check("Toвap нa cклaде", &[]);
    }

    #[test]
    fn capitals_alone_are_no_names() {
        for text in [
            "Ваш заказ отправлен в город Алматы службой доставки Казпочта.",
            "Тапсырысыңыз Алматы қаласына бүгін жіберілді, рақмет сізге.",
            "Your Premium Plan is active until the end of March.",
            "Server: Connection Closed, retry after Timeout in Worker Pool.",
            "Please call Margaret Thornton back before the end of Friday. {}[]<>=;(){}",
            "Margaret Thornton",
        ] {
            check(text, &[]);
        }
    }

    /// Known false alarms: a phrase with capitals where a person could stand. When one of them passes, it belongs above.
    #[test]
    fn some_capitals_are_still_taken_for_a_name() {
        check(
            "Server: Connection refused by Remote Host, retry after Timeout.",
            &["Remote Host"],
        );
    }

    #[test]
    fn a_weak_key_and_a_persons_name_are_enough_together() {
        let key = KeyHint {
            category: Some(Category::NameFull),
            needs_person: true,
            ..KeyHint::default()
        };
        let sure = |text: &str| scanned(text, key).first().map(|it| it.confidence);
        assert_eq!(sure("Смирнова Ольга Петровна"), Some(Confidence::High));
        assert_eq!(sure("Blue Cotton Shirt"), Some(Confidence::Low));
        assert_eq!(sure("Jordan Kettle"), Some(Confidence::Low));
    }
}
