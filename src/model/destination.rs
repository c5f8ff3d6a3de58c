//! One configured way out, seen legally: who is there, where, on what terms. How to reach it is the gatekeeper's matter.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{
    Category, CategorySet, Country, Day, Purpose, Timestamp,
    decision::{Mode, ReasonCode},
    finding::{Confidence, GapKind, Threshold},
    inspection::PlanSpec,
    law::Reading,
};

/// What a recipient is to the operator.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A company of the same group.
    Affiliate,
    /// Decides itself.
    Controller,
    /// A payment system.
    PaymentSystem,
    /// Acts on the operator's instruction.
    Processor,
    /// An indefinite circle.
    Public,
    /// The operator itself.
    #[serde(rename = "self")]
    SelfOperator,
    /// A state body.
    StateBody,
    /// Acts on a processor's instruction.
    Subprocessor,
}

/// A recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Party {
    /// Id in the configuration.
    pub id: Arc<str>,
    /// Legal name.
    pub legal_name: String,
    /// Registration number.
    pub registration: Option<String>,
    /// Certifications (`DPF`, `PIPEDA` …).
    pub certifications: BTreeSet<Arc<str>>,
    /// Recorded protection level: who assessed it, when, why, until when.
    pub protection_level: Option<ProtectionLevel>,
    /// Role.
    pub role: Role,
    /// Recipient classes.
    pub classes: BTreeSet<Arc<str>>,
}

/// A recorded assessment of a recipient's protection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProtectionLevel {
    /// Who assessed.
    pub by: String,
    /// When.
    #[schemars(with = "String")]
    pub at: Day,
    /// Why it suffices.
    pub reason: String,
    /// Last day.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub until: Option<Day>,
}

/// A contract with a recipient that acts on instruction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Agreement {
    /// Reference.
    pub reference: String,
    /// Hash of the document.
    pub sha256: Option<String>,
    /// When it was signed.
    pub signed: Day,
    /// Last day.
    pub until: Option<Day>,
    /// What the recipient may do.
    pub actions: BTreeSet<Arc<str>>,
    /// What for.
    pub purposes: BTreeSet<Purpose>,
    /// With what data.
    pub categories: CategorySet,
    /// It binds to confidentiality.
    pub confidentiality: bool,
    /// It binds to security measures.
    pub security: bool,
}

/// A recipient behind the recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Onward {
    /// Who, by party id.
    pub party: Arc<str>,
    /// Where.
    pub country: Country,
}

/// Standard clauses, binding rules and the like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Safeguard {
    /// Kind.
    pub kind: Arc<str>,
    /// Reference.
    pub reference: String,
    /// When it was signed.
    pub signed: Day,
    /// Last day.
    pub until: Option<Day>,
}

/// A notification of the authority.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notification {
    /// Under which regime.
    pub regime: Arc<str>,
    /// To whom.
    pub authority: String,
    /// Reference.
    pub reference: String,
    /// When it was submitted.
    pub submitted: Day,
    /// No transfer before this day.
    pub wait_until: Option<Day>,
    /// For which countries.
    pub countries: BTreeSet<Country>,
    /// For which purposes; empty = any.
    pub purposes: BTreeSet<Purpose>,
    /// `accepted`, `refused`, or nothing yet.
    pub outcome: Option<String>,
}

/// What a gap means at a destination.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum GapPolicy {
    /// Pass before this instant, recorded and counted; refuse from then on.
    AllowLoggedUntil(Timestamp),
    /// Refuse.
    #[default]
    Block,
}

impl GapPolicy {
    /// Whether a gap at `at` passes.
    pub fn is_open(self, at: Timestamp) -> bool {
        match self {
            Self::AllowLoggedUntil(end) => at < end,
            Self::Block => false,
        }
    }
}

/// What happens when a component fails.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum FailurePolicy {
    /// Refuse.
    #[default]
    Closed,
    /// Pass, recorded, counted and shown.
    Open,
    /// The same before this instant, refuse from then on: an opening acts no longer than its last day, also while the process runs.
    OpenUntil(#[schemars(with = "String")] Timestamp),
}

impl FailurePolicy {
    /// Whether a failure at `at` passes.
    pub fn is_open(self, at: Timestamp) -> bool {
        match self {
            Self::Closed => false,
            Self::Open => true,
            Self::OpenUntil(end) => at < end,
        }
    }
}

/// Reductions a destination allows instead of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fallback {
    /// Drop the records of persons without a basis.
    pub drop_records: bool,
    /// Remove, mask or pseudonymise uncovered fields.
    pub reduce_fields: bool,
}

/// What `reduce-fields` does to a category.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// Hide part of the value.
    Mask,
    /// Replace by a keyed hash.
    Pseudonymise,
    /// Take the value out.
    Remove,
}

/// A destination, legally.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Destination {
    /// Id: the metric label and the audit field.
    pub id: Arc<str>,
    /// Who receives.
    pub party: Party,
    /// Where, as declared; never guessed.
    pub country: Country,
    /// Countries from which the recipient reads.
    pub remote_access_countries: BTreeSet<Country>,
    /// Recipients behind it.
    pub onward: Vec<Onward>,
    /// Contract.
    pub agreement: Option<Agreement>,
    /// Safeguards.
    pub safeguards: Vec<Safeguard>,
    /// Notifications.
    pub notifications: Vec<Notification>,
    /// It would be the only store of the data.
    pub sole_store: bool,
    /// Days the recipient keeps the data.
    pub retention_days: Option<u32>,
    /// The regimes that apply, each under its profile; at least one.
    pub readings: Vec<Arc<Reading>>,
    /// Mode of each reason.
    pub modes: Modes,
    /// Findings act from here.
    pub confidence_min: Confidence,
    /// Other thresholds than that, for some categories or a detector.
    pub thresholds: Vec<Threshold>,
    /// From so many kinds of data found weakly in one object, each is sure; 0 is never.
    pub combination_min: u32,
    /// Refuses identifiers of a kind the subject has none registered of.
    pub refuse_unverified: bool,
    /// Allowed reductions.
    pub fallback: Fallback,
    /// How `reduce-fields` treats a category; default remove.
    pub operators: BTreeMap<Category, Operator>,
    /// What each gap means; absent = block.
    pub gaps: BTreeMap<GapKind, GapPolicy>,
    /// When the registers do not answer.
    pub registers_failure: FailurePolicy,
    /// When inspection itself fails.
    pub inspection_failure: FailurePolicy,
    /// TLS is declared for the upstream at or above the floor.
    pub is_secured: bool,
    /// A declared private address in the operator's own network.
    pub controlled_zone: bool,
    /// Routes, first match wins.
    pub routes: Vec<Route>,
}

impl Destination {
    /// Country ∪ onward ∪ remote access, minus `home` (`decision.md` §2).
    pub fn effective_countries(&self, home: Country) -> BTreeSet<Country> {
        std::iter::once(self.country)
            .chain(self.onward.iter().map(|it| it.country))
            .chain(self.remote_access_countries.iter().copied())
            .filter(|it| *it != home)
            .collect()
    }
}

/// Part of a destination with a purpose of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// Name for the record; `destination/0` and so on when not given.
    pub id: Arc<str>,
    /// Methods; empty = any.
    pub methods: BTreeSet<Arc<str>>,
    /// Prefix of the path after the destination's own, on segment boundaries.
    pub path: String,
    /// Declared purpose, or the choices a caller may claim.
    pub purpose: RoutePurpose,
    /// Channel (`email`, `sms` …).
    pub channel: Option<Arc<str>>,
    /// What the recipient is asked to do.
    pub actions: BTreeSet<Arc<str>>,
    /// What inspection is asked to do.
    pub plan: PlanSpec,
}

/// How a route's purpose is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RoutePurpose {
    /// The caller names one of these in `Shekara-Purpose`.
    Claimable(BTreeSet<Purpose>),
    /// Declared.
    Declared(Purpose),
}

/// Enforce or log-only, narrowest first: destination+rule, destination, rule, global.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Modes {
    /// Reasons that an officer lets pass at this destination, each until an instant: log-only, whatever the rest says.
    pub waivers: BTreeMap<ReasonCode, Timestamp>,
    /// By reason code or rule, at this destination.
    pub destination_rules: BTreeMap<Arc<str>, Mode>,
    /// At this destination.
    pub destination: Option<Mode>,
    /// By reason code or rule, everywhere.
    pub rules: BTreeMap<Arc<str>, Mode>,
    /// Everywhere.
    pub global: Mode,
}

impl Modes {
    /// Mode of `code`, whose rule is `rule`, at an instant.
    pub fn at(&self, code: ReasonCode, rule: &str, at: Timestamp) -> Mode {
        if self.is_waived(code, at) {
            Mode::LogOnly
        } else {
            self.of(code.as_str(), rule)
        }
    }

    /// Whether an officer lets `code` pass at this instant.
    pub fn is_waived(&self, code: ReasonCode, at: Timestamp) -> bool {
        self.waivers.get(&code).is_some_and(|end| at < *end)
    }

    /// Mode of a reason known by its `code` and its `rule` (`R-05`), waivers apart.
    pub fn of(&self, code: &str, rule: &str) -> Mode {
        let by = |it: &BTreeMap<Arc<str>, Mode>| it.get(code).or_else(|| it.get(rule)).copied();
        by(&self.destination_rules)
            .or(self.destination)
            .or_else(|| by(&self.rules))
            .unwrap_or(self.global)
    }
}
