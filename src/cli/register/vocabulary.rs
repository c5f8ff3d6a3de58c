//! Words that a consent may use, and the nearest right one for a wrong one.

use serde::de::DeserializeOwned;

use crate::model::{
    Category, CategorySet, Country, Purpose, Timestamp, UtcOffset, subject::IdentifierKind,
};

/// Purposes known without configuration; a parent of one is known too.
const PURPOSES: &[&str] = &[
    "account.registration",
    "contract.performance",
    "court",
    "data.clarification",
    "email.notification",
    "hr.records",
    "info.company",
    "legal.obligation",
    "loyalty",
    "marketing.analytics",
    "marketing.email",
    "marketing.phone",
    "marketing.post",
    "marketing.push",
    "marketing.sms",
    "order.delivery",
    "order.notice",
    "payment",
    "product.testing",
    "promotion.winner",
    "recall",
    "recruiting",
    "research.preferences",
    "service.provision",
    "state.body",
    "statistics.depersonalised",
    "support.contact_centre",
    "survey",
];

/// Families in which every operator has purposes of its own.
const OPEN_FAMILIES: &[&str] = &["hr", "research"];

/// Ways a consent can be proven.
pub(in crate::cli) const METHODS: &[&str] = &[
    "conduct",
    "e-signature",
    "phone",
    "signature",
    "sms-code",
    "state-service",
    "tablet",
    "web-checkbox",
];

/// Kinds of basis other than consent.
pub(in crate::cli) const BASIS_KINDS: &[&str] = &[
    "constitutional-rights",
    "contract",
    "court",
    "law-protective",
    "legitimate-interest",
    "public-source",
    "state-body-request",
    "statutory-duty",
    "treaty",
    "vital-interest",
];

/// What a basis can answer.
pub(in crate::cli) const FACETS: &[&str] = &["cross-border", "third-party"];

/// Why a subject is restricted.
pub(in crate::cli) const RESTRICTION_REASONS: &[&str] =
    &["accuracy-doubt", "breach-report", "rights-request"];

/// By what right a representative acts.
pub(in crate::cli) const REPRESENTATIVE_KINDS: &[&str] = &["attorney", "guardian", "parent"];

/// Actions that a withdrawal can be limited to.
pub(in crate::cli) const ACTIONS: &[&str] =
    &["cross-border", "processing", "public", "third-party"];

/// A known purpose.
///
/// # Errors
/// The problem, with the nearest known purpose.
pub(in crate::cli) fn purpose(text: &str, configured: &[Purpose]) -> Result<Purpose, String> {
    if let Some(purpose) = known_purpose(text, configured) {
        return Ok(purpose);
    }
    if let Some(lower) = known_purpose(&text.trim().to_lowercase(), configured) {
        return Err(format!(
            "`{text}` is not a known purpose; did you mean `{lower}`?"
        ));
    }
    let known = PURPOSES
        .iter()
        .copied()
        .chain(configured.iter().map(Purpose::as_str));
    Err(unknown("purpose", text, known))
}

fn known_purpose(text: &str, configured: &[Purpose]) -> Option<Purpose> {
    let purpose: Purpose = text.parse().ok()?;
    let in_family = OPEN_FAMILIES.iter().any(|family| {
        text.strip_prefix(family)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    let built_in = PURPOSES.iter().flat_map(|it| it.parse());
    let is_known = in_family
        || configured.iter().any(|it| purpose.covers(it))
        || built_in.into_iter().any(|it| purpose.covers(&it));
    is_known.then_some(purpose)
}

/// A country.
///
/// # Errors
/// The problem, with the nearest code.
pub(in crate::cli) fn country(text: &str) -> Result<Country, String> {
    text.parse::<Country>()
        .map_err(|problem| match Country::meant(text) {
            Some(right) => format!("{problem}; did you mean `{right}`?"),
            None => problem,
        })
}

/// The leaf categories that `text` names.
///
/// # Errors
/// The problem, with the nearest code.
pub(in crate::cli) fn categories(text: &str) -> Result<CategorySet, String> {
    CategorySet::named(text).map_err(|_| match Category::meant(text) {
        Some(right) => format!("`{text}` is not a known category; did you mean `{right}`?"),
        None => unknown("category", text, Category::ALL.iter().map(|it| it.code())),
    })
}

/// One of `known`.
///
/// # Errors
/// The problem, with the nearest word.
pub(in crate::cli) fn word<'a>(
    what: &str,
    text: &'a str,
    known: &[&'static str],
) -> Result<&'a str, String> {
    if known.contains(&text) {
        Ok(text)
    } else {
        Err(unknown(what, text, known.iter().copied()))
    }
}

/// A value whose JSON form is one of `known`.
///
/// # Errors
/// The problem, with the nearest word.
pub(in crate::cli) fn parse_word<T: DeserializeOwned>(
    what: &str,
    text: &str,
    known: &[&'static str],
) -> Result<T, String> {
    let right = word(what, text, known)?;
    serde_json::from_value(right.into()).map_err(|_| unknown(what, text, known.iter().copied()))
}

/// An instant, or the first instant of a day at the operator.
///
/// # Errors
/// It is neither.
pub(in crate::cli) fn instant(text: &str, offset: UtcOffset) -> Result<Timestamp, String> {
    text.parse::<crate::model::Day>()
        .map(|it| it.start(offset))
        .or_else(|_| text.parse())
}

/// A kind of identifier. The problem does not quote `text`: it may be an identifier in the wrong place.
///
/// # Errors
/// It is none.
pub(in crate::cli) fn identifier_kind(text: &str) -> Result<IdentifierKind, String> {
    let kinds = || IdentifierKind::ALL.iter().map(|it| it.as_str());
    text.trim().parse().map_err(|_| {
        let list = kinds().collect::<Vec<_>>().join(", ");
        let kinds_meant = [
            (Category::NationalId, "national-id"),
            (Category::IdDocumentNumber, "id-document"),
        ];
        let category = Category::meant(text);
        let meant = kinds_meant
            .into_iter()
            .find(|(it, _)| Some(*it) == category)
            .map(|(_, kind)| kind);
        match meant.or_else(|| nearest(text, kinds())) {
            Some(right) => format!("not a kind of identifier; did you mean `{right}`?"),
            None => format!("not a kind of identifier ({list})"),
        }
    })
}

/// The nearest of `known` for a misspelt word, if any is near.
pub(in crate::cli) fn nearest<'a>(
    text: &str,
    known: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let given = text.trim().to_lowercase().replace('-', "_");
    let near = |steps: usize, word: &str| (steps <= word.len().div_ceil(3)).then_some(steps);
    known
        .filter_map(|it| {
            let plain = it.replace('-', "_");
            let last = plain.rsplit('.').next().unwrap_or(&plain);
            // A last word that stands alone (`email` for `marketing.email`) is nearly as good as the whole.
            let by_last = near(distance(&given, last), last).map(|steps| steps + 1);
            let by_whole = near(distance(&given, &plain), &plain);
            let steps = by_whole.into_iter().chain(by_last).min()?;
            Some((steps, it))
        })
        .min()
        .map(|(_, it)| it)
}

fn unknown<'a>(what: &str, text: &str, known: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<&str> = known.collect();
    match nearest(text, all.iter().copied()) {
        Some(right) => format!("`{text}` is not a known {what}; did you mean `{right}`?"),
        None => format!(
            "`{text}` is not a known {what}; known are {}",
            all.join(", ")
        ),
    }
}

/// Levenshtein distance in characters. Both are short words.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (place, from) in left.chars().enumerate() {
        let mut diagonal = place;
        let mut before = place + 1;
        let mut next = vec![before];
        for (to, above) in right.iter().zip(row.iter().skip(1)) {
            let changed = diagonal + usize::from(from != *to);
            before = changed.min(above + 1).min(before + 1);
            diagonal = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_word_gets_the_nearest_right_one() {
        let purpose = |it: &str| purpose(it, &[]).map(|it| it.to_string());
        let category = |it: &str| categories(it).map(|it| it.len().to_string());
        let country = |it: &str| country(it).map(|it| it.to_string());
        for (answer, says) in [
            (purpose("marketing.emial"), "`marketing.email`"),
            (purpose("Marketing"), "`marketing`"),
            (purpose("x"), "known are account.registration"),
            (purpose("sms"), "`marketing.sms`"),
            (category("e-mail"), "`email`"),
            (category("name.surnam"), "`name.surname`"),
            (category("iin"), "`national_id`"),
            (country("Germany"), "`DE`"),
            (country("de"), "`DE`"),
            (country("UK"), "`GB`"),
            (country("kaz"), "`KZ`"),
        ] {
            let problem = answer.expect_err(says);
            assert!(problem.contains(says), "{problem} should say {says}");
        }
    }

    #[test]
    fn known_words_parents_and_configured_ones_pass() {
        let own = ["club.news".parse().unwrap()];
        for text in [
            "marketing.email",
            "marketing",
            "hr.payroll",
            "club.news",
            "club",
        ] {
            assert!(purpose(text, &own).is_ok(), "{text}");
        }
        assert!(purpose("club.news", &[]).is_err());
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
