//! The law as data: regimes, profiles, adequacy. Read from `config/`, embedded as defaults, replaceable by files.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{
    Country, Day, Purpose, UtcOffset,
    consent::{BasisKind, EvidenceMethod, Facet},
    destination::{Party, Role},
};

/// Whose gate this is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operator {
    /// Legal name.
    pub legal_name: String,
    /// Business identification number; a consent must name it.
    pub bin: Arc<str>,
    /// Where the operator is.
    pub home: Country,
    /// For the ends of days.
    pub utc_offset: UtcOffset,
}

/// A body of law on transfers.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regime {
    /// `kz-94v`, `eu-gdpr`, `ru-152fz`.
    pub code: Arc<str>,
    /// Full title.
    pub title: String,
    /// Day the facts were checked.
    pub as_of: Day,
    /// Where the facts were read.
    pub sources: Vec<String>,
    /// Edition of the law.
    pub edition: String,
    /// The country a transfer leaves.
    pub home: Country,
    /// Countries that are no border crossing beside `home`: the rest of the European Economic Area under the GDPR.
    #[serde(default)]
    pub no_transfer: BTreeSet<Country>,
    /// How a country becomes adequate.
    pub adequacy: AdequacyRule,
    /// Countries adequate by law, when `adequacy` is `list`; hints for `check` and `init` otherwise.
    #[serde(default)]
    pub adequate: Vec<AdequateCountry>,
    /// A third-party transfer needs a consent or basis of its own.
    pub third_party_needs_consent: bool,
    /// A transfer to an adequate country still needs a consent or basis.
    pub adequate_state_requires_consent: bool,
    /// Bases accepted beside consent, by facet.
    pub bases: BTreeMap<Facet, BTreeSet<BasisKind>>,
    /// Kinds of safeguard that carry the cross-border facet for all persons and categories (`scc`, `bcr` …).
    #[serde(default)]
    pub safeguards: BTreeSet<Arc<str>>,
    /// Whether the authority must be notified, whatever the profile asks.
    #[serde(default)]
    pub notification: NotificationDuty,
    /// Rule code (`R-05`) to article.
    pub citations: BTreeMap<String, String>,
    /// Legal terms in days, by name.
    #[serde(default)]
    pub terms: BTreeMap<String, u32>,
}

impl Regime {
    /// Whether data that goes to `country` crosses no border under this regime.
    pub fn is_home(&self, country: Country) -> bool {
        country == self.home || self.no_transfer.contains(&country)
    }

    /// Whether a safeguard of `kind` carries the cross-border facet.
    pub fn accepts_safeguard(&self, kind: &str) -> bool {
        self.safeguards.contains(kind)
    }
}

/// What a regime itself asks about notifying the authority.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotificationDuty {
    /// For which transfers.
    pub when: NotificationRule,
    /// Working days after the notification in which nothing goes to a country that is not adequate; 0 = none.
    #[serde(default)]
    pub wait_working_days: u32,
}

/// How a country becomes adequate under a regime.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdequacyRule {
    /// Only by the operator's own recorded assessment.
    Assessment,
    /// By the regime's dated list (an operator's assessment may narrow it).
    List,
}

/// A country on a regime's list.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdequateCountry {
    /// Which.
    pub code: Country,
    /// From this day.
    #[serde(default)]
    pub since: Option<Day>,
    /// Until this day.
    #[serde(default)]
    pub until: Option<Day>,
    /// Only recipients that hold this certification.
    #[serde(default)]
    pub requires_certification: Option<Arc<str>>,
    /// The decision that says so.
    #[serde(default)]
    pub source: Option<String>,
}

/// An operator's assessment of a country.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdequacyAssessment {
    /// Under which regime.
    #[schemars(with = "String")]
    pub regime: Arc<str>,
    /// Which country.
    #[schemars(with = "String")]
    pub country: Country,
    /// Only for this party, by id.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub party: Option<Arc<str>>,
    /// The result.
    pub result: AssessmentResult,
    /// Only recipients that hold this certification.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub requires_certification: Option<Arc<str>>,
    /// Who assessed.
    pub by: String,
    /// When. Must not be later than the transfer.
    #[schemars(with = "String")]
    pub at: Day,
    /// Last day; at most 12 months after `at` when none is given.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub until: Option<Day>,
    /// Why.
    pub reason: String,
    /// What it rests on.
    #[serde(default)]
    pub source: Option<String>,
    /// Version of the list it rests on.
    #[serde(default)]
    pub list_version: Option<String>,
}

/// Result of an assessment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AssessmentResult {
    /// The country ensures protection.
    Adequate,
    /// It does not.
    NotAdequate,
}

/// How a category is treated (`decision.md` §3 Q4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CategoryRule {
    /// Like any other.
    Ordinary,
    /// Only with a consent or basis that names it.
    OnlyIfNamed,
    /// Never leaves.
    Never,
}

/// A regime as one operator reads it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// `baseline`, `kz-law-strict`, …
    pub code: Arc<str>,
    /// Title.
    pub title: String,
    /// The regime it reads.
    pub on_regime: Arc<str>,
    /// Day it was checked.
    pub as_of: Day,
    /// Where its rules are written, clause by clause.
    pub sources: Vec<String>,
    /// Switches that differ from the regime.
    #[serde(default)]
    pub overrides: Overrides,
    /// Bases beside the regime's, by facet; marked as beyond the statute.
    #[serde(default)]
    pub extra_bases: BTreeMap<Facet, BTreeSet<BasisKind>>,
    /// Category code (leaf or parent) to rule; the longest code wins. Default: special categories and biometrics only-if-named.
    #[serde(default)]
    pub categories: BTreeMap<String, CategoryRule>,
    /// Roles that may receive card data when the agreement lists it.
    #[serde(default)]
    pub card_roles: BTreeSet<Role>,
    /// Roles that need an agreement.
    pub agreement_required_roles: BTreeSet<Role>,
    /// Closed list of recipient classes.
    #[serde(default)]
    pub recipient_classes: Option<BTreeSet<Arc<str>>>,
    /// Every recipient needs a recorded protection level.
    #[serde(default)]
    pub protection_level_required: bool,
    /// Whether a notification of the authority must be on record.
    #[serde(default)]
    pub notification: NotificationRule,
    /// Where only written evidence counts.
    #[serde(default)]
    pub written_evidence_for: BTreeSet<WrittenFor>,
    /// Purposes for which only written evidence counts, children included.
    #[serde(default)]
    pub written_evidence_for_purposes: BTreeSet<Purpose>,
    /// Whether the text lets data go to third parties on consent.
    #[serde(default)]
    pub third_party_transfer: ThirdPartyTransfer,
    /// Evidence methods it accepts; empty = all.
    #[serde(default)]
    pub evidence_methods: BTreeSet<EvidenceMethod>,
    /// Closed list of purposes.
    #[serde(default)]
    pub purposes: Option<BTreeSet<Purpose>>,
    /// Purpose to class (`marketing`, `service`, `info` …); the longest purpose wins.
    #[serde(default)]
    pub purpose_classes: BTreeMap<Purpose, Arc<str>>,
    /// Classes that need an opt-in and stop on demand.
    #[serde(default)]
    pub opt_in_classes: BTreeSet<Arc<str>>,
    /// Pairs of purposes that one payload must not join.
    #[serde(default)]
    pub incompatible: Vec<(Purpose, Purpose)>,
    /// Refuses a destination that would be the only store.
    #[serde(default = "yes")]
    pub localisation: bool,
    /// Compares the recipient's retention with the consent's term.
    #[serde(default)]
    pub retention_check: bool,
    /// Whether a withdrawal acts when recorded or on its effective day.
    #[serde(default)]
    pub withdrawal_effective: WithdrawalEffective,
    /// `data.clarification` passes a restriction.
    #[serde(default)]
    pub clarify_exception: bool,
    /// Rule code to the clause of the operator's own text.
    #[serde(default)]
    pub citations: BTreeMap<String, String>,
    /// Terms in days, by name.
    #[serde(default)]
    pub terms: BTreeMap<String, u32>,
}

const fn yes() -> bool {
    true
}

/// Switches of a regime that a profile may set.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// See [`Regime::third_party_needs_consent`].
    #[serde(default)]
    pub third_party_needs_consent: Option<bool>,
    /// See [`Regime::adequate_state_requires_consent`].
    #[serde(default)]
    pub adequate_state_requires_consent: Option<bool>,
}

/// Whether a notification must be on record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotificationRule {
    /// For every cross-border transfer.
    CrossBorder,
    /// Not asked.
    #[default]
    Never,
}

/// Where only written evidence counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WrittenFor {
    /// Consents to transfer to a country that is not adequate.
    NonAdequateCountry,
    /// Consents that carry a special category.
    SpecialCategories,
}

/// Whether a consent opens a third party, where a text speaks of "cases set by law" only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThirdPartyTransfer {
    /// The text has no such clause.
    #[default]
    Open,
    /// Statutory cases only; a consent (art. 7(6)) is one. A verdict that rests on it names the reading.
    StatutoryOrConsent,
    /// Statutory cases only; a consent is none.
    StatutoryOnly,
}

/// When a withdrawal acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithdrawalEffective {
    /// From its recorded `effective_at`.
    AsFiled,
    /// At once.
    #[default]
    AtOnce,
}

/// One regime under one profile, with the operator's assessments: what a transfer is judged by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reading {
    /// The regime.
    pub regime: Arc<Regime>,
    /// The profile.
    pub profile: Arc<Profile>,
    /// Assessments under this regime.
    pub assessments: Vec<AdequacyAssessment>,
}

impl Reading {
    /// The switch, as the profile sets it.
    pub fn third_party_needs_consent(&self) -> bool {
        self.profile
            .overrides
            .third_party_needs_consent
            .unwrap_or(self.regime.third_party_needs_consent)
    }

    /// The switch, as the profile sets it.
    pub fn adequate_state_requires_consent(&self) -> bool {
        self.profile
            .overrides
            .adequate_state_requires_consent
            .unwrap_or(self.regime.adequate_state_requires_consent)
    }

    /// Whether a basis of `kind` answers `facet`, and whether only beyond the statute.
    pub fn accepts(&self, facet: Facet, kind: BasisKind) -> Option<BeyondStatute> {
        let has = |it: &BTreeMap<Facet, BTreeSet<BasisKind>>| {
            it.get(&facet).is_some_and(|it| it.contains(&kind))
        };
        if has(&self.regime.bases) {
            Some(BeyondStatute(false))
        } else if has(&self.profile.extra_bases) {
            Some(BeyondStatute(true))
        } else {
            None
        }
    }

    /// Whether a notification must be on record: asked by the regime or by the profile.
    pub fn notification(&self) -> NotificationRule {
        match (self.regime.notification.when, self.profile.notification) {
            (NotificationRule::Never, NotificationRule::Never) => NotificationRule::Never,
            (NotificationRule::CrossBorder, _) | (_, NotificationRule::CrossBorder) => {
                NotificationRule::CrossBorder
            }
        }
    }

    /// Whether a consent may answer `facet` at all.
    pub fn consent_answers(&self, facet: Facet) -> bool {
        facet != Facet::ThirdParty
            || self.profile.third_party_transfer != ThirdPartyTransfer::StatutoryOnly
    }

    /// Where `rule` is written: the profile's clause if it has one, else the regime's article.
    pub fn citation(&self, rule: &str) -> Option<&str> {
        self.profile
            .citations
            .get(rule)
            .or_else(|| self.regime.citations.get(rule))
            .map(String::as_str)
    }

    /// Whether `party` holds what an adequacy entry requires.
    pub fn is_certified(party: &Party, required: Option<&Arc<str>>) -> bool {
        required.is_none_or(|it| party.certifications.contains(it))
    }
}

/// Whether a basis is accepted only by the profile, beyond what the statute grants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BeyondStatute(pub bool);
