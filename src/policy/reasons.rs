//! What each reason means to people: rule, citation, status, texts in English, Russian and Kazakh. Data, not code.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::decision::ReasonCode;

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

    /// The entry of `code`; `None` only for a table that was not made by [`new`](Self::new).
    pub fn entry(&self, code: ReasonCode) -> Option<&ReasonEntry> {
        self.entries.get(&code)
    }

    /// The rule of `code`, or an empty text.
    pub fn rule(&self, code: ReasonCode) -> &str {
        self.entry(code).map_or("", |it| it.rule.as_str())
    }
}
