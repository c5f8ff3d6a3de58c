//! Health in text: a code of ICD-10 beside a word of medicine, and words of illness beside a person.

use std::sync::LazyLock;

use super::{
    Context, Hit, Sink, ValueKind,
    letters::{kind, letters},
    nearby::{comes_from, ends_with_letter, goes_on, has_word, is_free, word_at},
};
use crate::model::{Category, finding::Confidence};

/// Name of the detector.
const HEALTH: &str = "health";

/// Words beside which a code is one of ICD-10. Names of illnesses are not among them: lists of the classification are full of both.
const CODE_WORDS: &[&str] = &[
    "диагноз",
    "диагностирован",
    "мкб",
    "хаж",
    "icd",
    "diagnos",
    "пациент",
    "науқас",
    "анамнез",
    "больной",
    "больная",
];

/// Words of health that say something of the person beside them; those with a space end there.
const WORDS: &[&str] = &[
    "диагноз",
    "diagnos",
    "анамнез",
    "вич ",
    "аитв ",
    "hiv ",
    "беременн",
    "жүктілі",
    "pregnan",
    "инвалидност",
    "мүгедектік",
    "мүгедектіг",
    "диабет",
    "diabet",
    "туберкул",
    "эпилепс",
    "шизофр",
    "гепатит",
    "онкологическ",
    "аллерги",
    "астма ",
    "астмой ",
];

/// Digits behind the letter of a code.
pub(super) const DIGITS: usize = 2;

/// The first two letters of [`WORDS`] in either case, six bits of each: a bit set where a word may begin so. Nearly all words of a text
/// begin otherwise.
static BEGINNINGS: LazyLock<[u64; 64]> = LazyLock::new(|| {
    let mut rows = [0; 64];
    for word in WORDS {
        let mut letters = word.chars().map(|it| (it, it.to_uppercase().next()));
        let (Some(first), Some(second)) = (letters.next(), letters.next()) else {
            continue;
        };
        for first in [Some(first.0), first.1].into_iter().flatten() {
            if let Some(row) = rows.get_mut(first as usize & 63) {
                for second in [Some(second.0), second.1].into_iter().flatten() {
                    *row |= 1 << (second as u32 & 63);
                }
            }
        }
    }
    rows
});

/// Bytes of a clause that a diagnosis may take.
const CLAUSE_MAX: usize = 96;

/// Longest text searched for words.
const TEXT_MAX: usize = 8192;

/// Reads the code whose two digits start at `start`; returns its end.
pub(super) fn code(
    text: &str,
    start: usize,
    run_end: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    let from = start.checked_sub(1)?;
    let is_letter = text.as_bytes().get(from)?.is_ascii_uppercase();
    if run_end - start != DIGITS || !is_letter || !is_free(context) || comes_from(text, from) {
        return None;
    }
    let rest = text.get(run_end..)?;
    let decimals = rest
        .strip_prefix('.')
        .map_or(0, |it| it.bytes().take_while(u8::is_ascii_digit).count());
    let end = match decimals {
        0 => run_end,
        1 | 2 => run_end + 1 + decimals,
        _ => return None,
    };
    sink.spend_validator();
    if goes_on(text, end) || !has_word(text, from, end, CODE_WORDS) {
        return None;
    }
    sink.push(
        Category::HealthDiagnosis,
        HEALTH,
        Confidence::High,
        from..end,
        None,
    );
    Some(end)
}

/// Appends the words of illness in a text that also names or identifies a person, which the hits from `base` on show.
pub(super) fn words(text: &str, context: &Context, sink: &mut Sink<'_>, base: usize) {
    let is_of_person = sink.hits.iter().skip(base).any(is_person);
    if !is_of_person
        || context.kind != ValueKind::String
        || text.len() > TEXT_MAX
        || !is_free(context)
    {
        return;
    }
    sink.work += text.len() as u64;
    if !may_hold_word(text) {
        return;
    }
    let lower = text.to_lowercase();
    // Letters that change their length are of no language whose words are looked for.
    if lower.len() != text.len() {
        return;
    }
    for word in WORDS {
        let bare = word.trim_end();
        let Some(start) = word_at(&lower, bare) else {
            continue;
        };
        let rest = lower.get(start..).unwrap_or_default();
        let letters = rest
            .find(|it: char| !it.is_alphanumeric())
            .unwrap_or(rest.len());
        if word.ends_with(' ') && letters != bare.len() {
            continue;
        }
        let is_heading = bare.starts_with("диагн") || bare.starts_with("diagn");
        let length = if is_heading { clause(rest) } else { letters };
        sink.push(
            Category::HealthOther,
            HEALTH,
            Confidence::High,
            start..start + length,
            None,
        );
    }
}

/// Whether some of [`WORDS`] begins at the beginning of a word of `text`. One pass, without a copy.
fn may_hold_word(text: &str) -> bool {
    let (letters, rows) = (letters(), &*BEGINNINGS);
    let mut rest = text.as_bytes();
    while let Some(first) = letters.next(text, rest) {
        if first.kind & kind::ALPHABETIC == 0 {
            rest = first.rest;
            continue;
        }
        let second = letters.next(text, first.rest).map_or('\0', |it| it.ch);
        let row = rows.get(first.ch as usize & 63);
        if row.is_some_and(|it| it >> (second as u32 & 63) & 1 != 0) {
            let word = text.get(text.len() - rest.len()..).unwrap_or_default();
            if WORDS.iter().any(|it| begins_in_any_case(word, it)) {
                return true;
            }
        }
        // Letters that are not in the tables part words: so a word begins too often, and never too seldom.
        (_, rest) = letters.run(first.rest, kind::ALPHABETIC);
    }
    false
}

/// Whether `text` begins with `word`, which is in small letters, without the space at its end.
fn begins_in_any_case(text: &str, word: &str) -> bool {
    let mut letters = text.chars().flat_map(char::to_lowercase);
    word.trim_end().chars().all(|it| letters.next() == Some(it))
}

/// Whether the hit says who the text is about.
fn is_person(hit: &Hit) -> bool {
    let kind = hit.category.code();
    hit.confidence >= Confidence::High
        && (kind.starts_with("name")
            || matches!(
                hit.category,
                Category::Email
                    | Category::Phone
                    | Category::NationalId
                    | Category::BirthDate
                    | Category::IdDocumentNumber
            ))
}

/// Length of the clause that begins `rest`.
fn clause(rest: &str) -> usize {
    let stop = |(at, ch): &(usize, char)| {
        matches!(ch, '.' | ';' | '\n' | ',' | '(' | '!' | '?')
            || (*at >= CLAUSE_MAX && !ends_with_letter(rest.get(..*at).unwrap_or_default()))
    };
    rest.char_indices().find(stop).map_or(rest.len(), |it| it.0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_found, check_none, found, order_key};
    use super::*;

    #[test]
    fn codes_beside_words() {
        check_found(
            Category::HealthDiagnosis,
            &[
                ("— ВИЧ, диагноз B24", "B24", Confidence::High),
                ("МКБ-10: J45.0", "J45.0", Confidence::High),
                ("ХАЖ E11.9 бойынша", "E11.9", Confidence::High),
            ],
        );
        check_none(&[
            "место B24",
            "J45.0",
            "диагноз AB24",
            "диагноз B24.123",
            "диагностика B245",
            "болезни, вызванные вирусом (B22.0)",
            "диагноз уточняется",
        ]);
        order_key("диагноз B24", None);
    }

    #[test]
    fn words_of_illness_beside_a_person() {
        let seen = |text: &str| {
            found(text)
                .iter()
                .filter(|it| it.detector == HEALTH)
                .filter_map(|it| text.get(it.range.clone()).map(str::to_owned))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            seen("aru@example.org: диагноз сахарный диабет, лечение назначено"),
            ["диагноз сахарный диабет"]
        );
        assert_eq!(
            seen("+77010000001 инвалидность второй группы"),
            ["инвалидность"]
        );
        assert_eq!(seen("+77010000001, ВИЧ"), ["ВИЧ"]);
        assert_eq!(seen("+77010000001, ДиаБет"), ["ДиаБет"]);
        assert_eq!(seen("«Hiv», +77010000001"), ["Hiv"]);
        for word in WORDS {
            let (small, capitals) = (word.trim_end(), word.trim_end().to_uppercase());
            for text in [
                format!("+77010000001 {small}"),
                format!("+77010000001 — {capitals}"),
            ] {
                assert_eq!(seen(&text).len(), 1, "{text}");
            }
        }
        assert_eq!(seen("ВИЧ и диабет: лекция"), [""; 0]);
        assert_eq!(seen("Петрович +77010000001"), [""; 0]);
    }
}
