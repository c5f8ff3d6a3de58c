//! The fixed texts of reports, in three languages: headings, sentences, and names of codes.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::{
    inspect::detect::categories,
    model::{CategorySet, Country, Purpose, destination::Role},
    policy::reasons::{self, Language, Texts},
};

const SOURCE: &str = include_str!("../../../config/messages/report.yaml");

/// A language, as an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub(in crate::cli) enum Lang {
    /// English
    #[default]
    En,
    /// Kazakh
    Kk,
    /// Russian
    Ru,
}

impl Lang {
    /// The BCP 47 tag.
    pub(in crate::cli) const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Kk => "kk",
            Self::Ru => "ru",
        }
    }

    pub(in crate::cli) const fn language(self) -> Language {
        match self {
            Self::En => Language::En,
            Self::Kk => Language::Kk,
            Self::Ru => Language::Ru,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct File {
    texts: BTreeMap<String, Texts>,
    roles: BTreeMap<String, Texts>,
    carriers: BTreeMap<String, Texts>,
    outcomes: BTreeMap<String, Texts>,
    states: BTreeMap<String, Texts>,
    restrictions: BTreeMap<String, Texts>,
    methods: BTreeMap<String, Texts>,
    actions: BTreeMap<String, Texts>,
    identifiers: BTreeMap<String, Texts>,
    purposes: BTreeMap<String, Texts>,
    countries: BTreeMap<String, Texts>,
}

/// Parsed once per process. Texts decide nothing, so a file that does not parse would only leave codes; a test forbids it.
static FILE: LazyLock<File> = LazyLock::new(|| parse().unwrap_or_default());

fn parse() -> Result<File, serde_saphyr::Error> {
    serde_saphyr::from_str(SOURCE)
}

/// A family of codes that have names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::cli) enum Names {
    Actions,
    Carriers,
    Identifiers,
    Methods,
    Outcomes,
    Restrictions,
    States,
}

macro_rules! texts {
    ($($variant:ident = $key:literal),+ $(,)?) => {
        /// A fixed text.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(in crate::cli) enum Text { $($variant),+ }

        impl Text {
            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            const fn key(self) -> &'static str {
                match self { $(Self::$variant => $key),+ }
            }
        }
    };
}

texts! {
    AllConsents = "all_consents",
    AnswerDue = "answer_due",
    AnswerDueValue = "answer_due_value",
    AnyRecipient = "any_recipient",
    Bases = "bases",
    Basis = "basis",
    Classes = "classes",
    Concerns = "concerns",
    ConsentTerm = "consent_term",
    Consents = "consents",
    Count = "count",
    Countries = "countries",
    Country = "country",
    CrossBorder = "cross_border",
    Data = "data",
    Decision = "decision",
    Document = "document",
    Everybody = "everybody",
    Evidence = "evidence",
    FacetCrossBorder = "facet_cross_border",
    FacetThirdParty = "facet_third_party",
    Filed = "filed",
    First = "first",
    Given = "given",
    IdentifierShared = "identifier_shared",
    Identifiers = "identifiers",
    Last = "last",
    Lifted = "lifted",
    LogOnly = "log_only",
    MadeAt = "made_at",
    MayConcernAnother = "may_concern_another",
    No = "no",
    NoneOnRecord = "none_on_record",
    NoteUnattributed = "note_unattributed",
    NoteValues = "note_values",
    Number = "number",
    Objections = "objections",
    Onward = "onward",
    Operator = "operator",
    Outcome = "outcome",
    Period = "period",
    PeriodAll = "period_all",
    PeriodFrom = "period_from",
    PeriodTo = "period_to",
    Persons = "persons",
    Possibly = "possibly",
    Proof = "proof",
    ProofLog = "proof_log",
    ProofRegisters = "proof_registers",
    Public = "public",
    Purpose = "purpose",
    Reasons = "reasons",
    Recalled = "recalled",
    Recipient = "recipient",
    RecipientUnknown = "recipient_unknown",
    Recipients = "recipients",
    RecipientsNone = "recipients_none",
    RecipientsHint = "recipients_text",
    Recorded = "recorded",
    Refused = "refused",
    RefusedSummary = "refused_text",
    Removed = "removed",
    Restrictions = "restrictions",
    Role = "role",
    Scope = "scope",
    Since = "since",
    State = "state",
    Still = "still",
    Subject = "subject",
    SubjectUnregistered = "subject_unregistered",
    Term = "term",
    ThirdParty = "third_party",
    Title = "title",
    Transfers = "transfers",
    TransfersNone = "transfers_none",
    UntilDay = "until_day",
    UntilProgramme = "until_programme",
    UntilPurpose = "until_purpose",
    When = "when",
    Whole = "whole",
    WithdrawalRefused = "withdrawal_refused",
    Withdrawals = "withdrawals",
    WithoutEnd = "without_end",
    Yes = "yes",
}

/// The texts in one language.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Wording(pub(in crate::cli) Lang);

impl Wording {
    /// A fixed text.
    pub(in crate::cli) fn text(self, text: Text) -> String {
        self.find(&FILE.texts, text.key())
    }

    /// A fixed text with its placeholders filled.
    pub(in crate::cli) fn filled(self, text: Text, values: &[(&str, String)]) -> String {
        let values = values.iter().cloned().collect();
        reasons::fill(&self.text(text), &values)
    }

    /// The name of `code`, or the code.
    pub(in crate::cli) fn name(self, names: Names, code: &str) -> String {
        let map = match names {
            Names::Actions => &FILE.actions,
            Names::Carriers => &FILE.carriers,
            Names::Identifiers => &FILE.identifiers,
            Names::Methods => &FILE.methods,
            Names::Outcomes => &FILE.outcomes,
            Names::Restrictions => &FILE.restrictions,
            Names::States => &FILE.states,
        };
        self.find(map, code)
    }

    /// The name of a country with its code: `Germany (DE)`.
    pub(in crate::cli) fn country(self, country: Country) -> String {
        match FILE.countries.get(country.code()) {
            Some(name) => format!("{} ({country})", name.in_language(self.0.language())),
            None => country.to_string(),
        }
    }

    /// Countries, one after another.
    pub(in crate::cli) fn countries<'a>(
        self,
        countries: impl IntoIterator<Item = &'a Country>,
    ) -> String {
        join(countries.into_iter().map(|it| self.country(*it)))
    }

    /// The name of a purpose with its code; the operator's own purposes by code alone.
    pub(in crate::cli) fn purpose(self, purpose: &Purpose) -> String {
        match FILE.purposes.get(purpose.as_str()) {
            Some(name) => format!("{} ({purpose})", name.in_language(self.0.language())),
            None => purpose.to_string(),
        }
    }

    /// The name of a role.
    pub(in crate::cli) fn role(self, role: Role) -> String {
        self.find(&FILE.roles, &word(&role))
    }

    /// The labels of categories.
    pub(in crate::cli) fn categories(self, categories: CategorySet) -> String {
        let label = |category| match categories::entry(category) {
            Some(it) => match self.0 {
                Lang::En => it.en.clone(),
                Lang::Kk => it.kk.clone(),
                Lang::Ru => it.ru.clone(),
            },
            None => category.code().to_owned(),
        };
        join(categories.iter().map(label))
    }

    fn find(self, map: &BTreeMap<String, Texts>, code: &str) -> String {
        let language = self.0.language();
        map.get(code)
            .map_or(code, |it| it.in_language(language))
            .to_owned()
    }
}

/// The word that stands for a code in JSON.
pub(in crate::cli) fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|it| it.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Values one after another.
pub(in crate::cli) fn join(values: impl IntoIterator<Item = String>) -> String {
    values.into_iter().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names in braces, in order of the alphabet.
    fn placeholders(text: &str) -> Vec<&str> {
        let mut names: Vec<&str> = text
            .split('{')
            .skip(1)
            .map(|it| it.split('}').next().unwrap())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_text_is_there_in_three_languages() {
        let file = parse().unwrap();
        let mut keys: Vec<&str> = Text::ALL.iter().map(|it| it.key()).collect();
        keys.sort_unstable();
        let known: Vec<&str> = file.texts.keys().map(String::as_str).collect();
        assert_eq!(known, keys);
        let families = [
            &file.texts,
            &file.roles,
            &file.carriers,
            &file.outcomes,
            &file.states,
            &file.restrictions,
            &file.methods,
            &file.actions,
            &file.identifiers,
            &file.purposes,
            &file.countries,
        ];
        let is_cyrillic = |it: char| ('\u{400}'..='\u{4ff}').contains(&it);
        for (key, it) in families.into_iter().flatten() {
            assert!(
                !it.en.trim().is_empty() && !it.en.contains(is_cyrillic),
                "{key}"
            );
            for text in [&it.ru, &it.kk] {
                assert!(text.contains(is_cyrillic), "{key}: {text}");
                assert_eq!(placeholders(text), placeholders(&it.en), "{key}");
            }
        }
    }

    #[test]
    fn every_code_has_a_name() {
        use crate::model::{
            consent::{BasisKind, EvidenceMethod},
            decision::Carrier,
            subject::IdentifierKind,
        };
        let file = parse().unwrap();
        let has =
            |map: &BTreeMap<String, Texts>, code: &str| assert!(map.contains_key(code), "{code}");
        for kind in IdentifierKind::ALL {
            has(&file.identifiers, kind.as_str());
        }
        for role in [
            Role::Affiliate,
            Role::Controller,
            Role::PaymentSystem,
            Role::Processor,
            Role::Public,
            Role::SelfOperator,
            Role::StateBody,
            Role::Subprocessor,
        ] {
            has(&file.roles, &word(&role));
        }
        for basis in [
            BasisKind::ConstitutionalRights,
            BasisKind::Contract,
            BasisKind::Court,
            BasisKind::LawProtective,
            BasisKind::LegitimateInterest,
            BasisKind::PublicSource,
            BasisKind::StateBodyRequest,
            BasisKind::StatutoryDuty,
            BasisKind::Treaty,
            BasisKind::VitalInterest,
        ] {
            let carrier = Carrier::Basis {
                basis,
                record: "r".into(),
                beyond_statute: false,
            };
            has(&file.carriers, carrier.as_str());
        }
        for carrier in [
            Carrier::Adequacy,
            Carrier::NotAsked,
            Carrier::Consent { record: "r".into() },
        ] {
            has(&file.carriers, carrier.as_str());
        }
        for method in [
            EvidenceMethod::Conduct,
            EvidenceMethod::ESignature,
            EvidenceMethod::Phone,
            EvidenceMethod::Signature,
            EvidenceMethod::SmsCode,
            EvidenceMethod::StateService,
            EvidenceMethod::Tablet,
            EvidenceMethod::WebCheckbox,
        ] {
            has(&file.methods, &word(&method));
        }
        for code in file.countries.keys() {
            assert!(code.parse::<Country>().is_ok(), "{code}");
        }
        for code in file.purposes.keys() {
            assert!(code.parse::<Purpose>().is_ok(), "{code}");
        }
    }
}
