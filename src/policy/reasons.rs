//! What each reason means to people: rule, citation, status, texts in English, Russian and Kazakh. Data, not code.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::{
    decision::{Reason, ReasonCode},
    destination::Destination,
    transfer::Transfer,
};

/// Names that may stand in braces in a title or mend.
pub const PLACEHOLDERS: &[&str] = &[
    "destination",
    "recipient",
    "country",
    "countries",
    "purpose",
    "categories",
    "date",
];

/// `config/messages/reasons.yaml`, whole: one entry for every [`ReasonCode`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReasonTable {
    entries: BTreeMap<ReasonCode, ReasonEntry>,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonEntry {
    /// Rule (`R-04`), or empty for technical reasons.
    pub rule: String,
    /// Article or RFC, as printed when neither profile nor regime cites the rule.
    pub citation: String,
    /// HTTP status of the refusal.
    pub status: u16,
    /// What is wrong, one sentence.
    pub title: Texts,
    /// How to mend it, one or two sentences.
    pub mend: Texts,
}

/// A text in the three languages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// English.
    pub en: String,
    /// Russian.
    pub ru: String,
    /// Kazakh.
    pub kk: String,
}

/// A language of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Kazakh.
    Kk,
    /// Russian.
    Ru,
}

impl Texts {
    /// The text in `language`.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Kk => &self.kk,
            Language::Ru => &self.ru,
        }
    }
}

impl ReasonTable {
    /// A table with an entry for every code.
    ///
    /// # Errors
    /// Names the codes that have none.
    pub fn new(entries: BTreeMap<ReasonCode, ReasonEntry>) -> Result<Self, String> {
        let missing: Vec<_> = ReasonCode::ALL
            .iter()
            .filter(|it| !entries.contains_key(it))
            .map(|it| it.as_str())
            .collect();
        if missing.is_empty() {
            Ok(Self { entries })
        } else {
            Err(format!("no entry for {}", missing.join(", ")))
        }
    }

    /// The table in `yaml`, in the form of `config/messages/reasons.yaml`.
    ///
    /// # Errors
    /// Says where the text is not valid, or names the codes without an entry.
    pub fn parse(yaml: &str) -> Result<Self, String> {
        let entries = serde_saphyr::from_str(yaml).map_err(|error| error.to_string())?;
        Self::new(entries)
    }

    /// The entry of `code`; `None` only for a table that was not made by [`new`](Self::new).
    pub fn entry(&self, code: ReasonCode) -> Option<&ReasonEntry> {
        self.entries.get(&code)
    }

    /// The rule of `code`, or an empty text.
    pub fn rule(&self, code: ReasonCode) -> &str {
        self.entry(code).map_or("", |it| it.rule.as_str())
    }
}

/// `text` with every `{name}` that `values` knows replaced; others stay as they are written.
pub fn fill(text: &str, values: &BTreeMap<&str, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        match after.split_once('}') {
            Some((name, tail)) => {
                match values.get(name) {
                    Some(value) => out.push_str(value),
                    None => {
                        out.push('{');
                        out.push_str(name);
                        out.push('}');
                    }
                }
                rest = tail;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// What the placeholders stand for in the texts of `reason`: codes and the configured names of the recipient, no value.
///
/// A list that is empty is written `-`.
pub fn placeholders(
    reason: &Reason,
    destination: &Destination,
    transfer: &Transfer,
) -> BTreeMap<&'static str, String> {
    let direct = std::iter::once(destination.country)
        .chain(destination.remote_access_countries.iter().copied());
    let onward = destination.onward.iter().map(|it| it.country);
    let mut countries: Vec<_> = direct.chain(onward).collect();
    countries.sort_unstable();
    countries.dedup();
    if countries.len() > 1 {
        // Home is no country that a consent to cross-border transfer has to name.
        let regimes = || destination.readings.iter().map(|it| &it.regime);
        countries.retain(|country| !regimes().any(|it| it.is_home(*country)));
    }
    let country = reason.country.unwrap_or(destination.country);
    let purposes = transfer.purpose.iter().chain(&transfer.section_purposes);
    let date = transfer.at.to_string();
    let date = date.split('T').next().unwrap_or_default().to_owned();
    BTreeMap::from([
        ("destination", destination.id.to_string()),
        ("recipient", destination.party.legal_name.clone()),
        ("country", country.to_string()),
        ("countries", joined(countries)),
        ("purpose", joined(purposes)),
        ("categories", joined(reason.categories.iter())),
        ("date", date),
    ])
}

fn joined<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|it| it.to_string()).collect();
    if items.is_empty() {
        "-".to_owned()
    } else {
        items.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::data;

    fn shipped() -> ReasonTable {
        ReasonTable::parse(data::REASONS.1).unwrap()
    }

    #[test]
    fn every_code_has_texts_in_three_languages() {
        let table = shipped();
        for code in ReasonCode::ALL {
            let entry = table.entry(*code).unwrap();
            for texts in [&entry.title, &entry.mend] {
                for text in [&texts.en, &texts.ru, &texts.kk] {
                    assert!(text.ends_with('.'), "{code}: {text}");
                    for rest in text.split('{').skip(1) {
                        let name = rest.split('}').next().unwrap();
                        assert!(PLACEHOLDERS.contains(&name), "{code}: {{{name}}}");
                    }
                }
                assert!(texts.en.is_ascii(), "{code}");
                assert!(!texts.ru.is_ascii() && !texts.kk.is_ascii(), "{code}");
            }
        }
    }

    #[test]
    fn statuses_follow_the_questions() {
        for code in ReasonCode::ALL {
            let status = shipped().entry(*code).unwrap().status;
            let expected: &[u16] = match code.question() {
                0 => &[502, 503, 508],
                1 => &[403, 405],
                2 => &[400, 413, 415, 503],
                _ if *code == ReasonCode::RegistersUnavailable => &[503],
                _ => &[451],
            };
            assert!(expected.contains(&status), "{code}: {status}");
        }
    }

    #[test]
    fn a_table_without_a_code_is_refused() {
        let error = ReasonTable::new(BTreeMap::new()).unwrap_err();
        assert!(error.contains("no-consent"), "{error}");
    }

    #[test]
    fn fills_what_it_knows() {
        let values = BTreeMap::from([("country", "US".to_owned())]);
        for (text, expected) in [
            ("to {country}.", "to US."),
            ("{country}{country}", "USUS"),
            ("{other} {", "{other} {"),
            ("", ""),
        ] {
            assert_eq!(fill(text, &values), expected);
        }
    }
}
