//! The answer about one message, with its reasons.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    CategorySet, Country,
    consent::{BasisKind, Facet, RecordId},
    finding::GapKind,
    subject::SubjectId,
};

/// What is done with a message, mildest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Forward it as it came.
    Allow,
    /// Forward what may go.
    Reduce,
    /// Refuse it.
    Block,
}

impl Verdict {
    /// The lower-case name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Reduce => "reduce",
            Self::Block => "block",
        }
    }
}

/// Whether a legal reason acts or is only recorded.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It acts.
    #[default]
    Enforce,
    /// It is recorded as what would have happened.
    LogOnly,
}

impl Mode {
    /// The kebab-case name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::LogOnly => "log-only",
        }
    }
}

macro_rules! reasons {
    ($($variant:ident = $code:literal @ $question:literal),+ $(,)?) => {
        /// Why a message may not go as it is. Codes are stable: the same string in problem bodies, audit, metrics and docs.
        /// Rule, citation, status and texts of each are in `config/messages/reasons.yaml`.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the code is the meaning; texts are in config/messages/reasons.yaml")]
        pub enum ReasonCode { $($variant),+ }

        impl ReasonCode {
            /// Every code, in the order of the questions.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The kebab-case code.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// Number of the question (1 to 10, `requirements.md` §1) that it answers. 0: outside the questions.
            pub const fn question(self) -> u8 {
                match self { $(Self::$variant => $question),+ }
            }
        }
    };
}

// Order within a question is the order in which they become primary.
reasons! {
    AddressProhibited = "address-prohibited" @ 0,
    AuditUnavailable = "audit-unavailable" @ 0,
    Overloaded = "overloaded" @ 0,
    ProxyLoop = "proxy-loop" @ 0,
    SpoolUnavailable = "spool-unavailable" @ 0,
    DestinationUnknown = "destination-unknown" @ 1,
    CallerNotAllowed = "caller-not-allowed" @ 1,
    MethodNotAllowed = "method-not-allowed" @ 1,
    Framing = "framing" @ 2,
    Ambiguous = "ambiguous" @ 2,
    BodyTooLarge = "body-too-large" @ 2,
    DecodedTooLarge = "decoded-too-large" @ 2,
    RatioExceeded = "ratio-exceeded" @ 2,
    Malformed = "malformed" @ 2,
    UnsupportedCoding = "unsupported-coding" @ 2,
    UnsupportedCharset = "unsupported-charset" @ 2,
    UnsupportedMediaType = "unsupported-media-type" @ 2,
    Opaque = "opaque" @ 2,
    DepthExceeded = "depth-exceeded" @ 2,
    PartsExceeded = "parts-exceeded" @ 2,
    WorkExceeded = "work-exceeded" @ 2,
    DeadlineExceeded = "deadline-exceeded" @ 2,
    InspectionFailed = "inspection-failed" @ 2,
    SpecialCategoryForbidden = "special-category-forbidden" @ 4,
    PaymentData = "payment-data" @ 4,
    CallRecording = "call-recording" @ 4,
    CategoryForbidden = "category-forbidden" @ 4,
    OpenChannel = "open-channel" @ 5,
    Localisation = "localisation" @ 6,
    RecipientClass = "recipient-class" @ 6,
    NoAgreement = "no-agreement" @ 6,
    AgreementExpired = "agreement-expired" @ 6,
    ProtectionLevelMissing = "protection-level-missing" @ 6,
    NotificationMissing = "notification-missing" @ 6,
    RetentionTooLong = "retention-too-long" @ 6,
    PurposeNotDeclared = "purpose-not-declared" @ 7,
    PurposeNotAllowed = "purpose-not-allowed" @ 7,
    NotAnonymous = "not-anonymous" @ 7,
    NotDepersonalised = "not-depersonalised" @ 7,
    IncompatiblePurposes = "incompatible-purposes" @ 7,
    RegistersUnavailable = "registers-unavailable" @ 8,
    SubjectUnresolved = "subject-unresolved" @ 8,
    SubjectUnknown = "subject-unknown" @ 8,
    IdentifierUnverified = "identifier-unverified" @ 8,
    SubjectBlocked = "subject-blocked" @ 8,
    MinorWithoutRepresentative = "minor-without-representative" @ 8,
    BasisSuspended = "basis-suspended" @ 9,
    AdequacyAssessmentExpired = "adequacy-assessment-expired" @ 9,
    NoConsent = "no-consent" @ 9,
    OperatorNotNamed = "operator-not-named" @ 10,
    ConsentInvalidated = "consent-invalidated" @ 10,
    ConsentWithdrawn = "consent-withdrawn" @ 10,
    ConsentExpired = "consent-expired" @ 10,
    ConsentNotYetValid = "consent-not-yet-valid" @ 10,
    PurposeEnded = "purpose-ended" @ 10,
    ThirdPartyNotConsented = "third-party-not-consented" @ 10,
    RecipientNotCovered = "recipient-not-covered" @ 10,
    CrossBorderNotConsented = "cross-border-not-consented" @ 10,
    CountryNotCovered = "country-not-covered" @ 10,
    PurposeNotCovered = "purpose-not-covered" @ 10,
    ChannelNotCovered = "channel-not-covered" @ 10,
    AddressNotCovered = "address-not-covered" @ 10,
    SpecialCategory = "special-category" @ 10,
    CategoryNotCovered = "category-not-covered" @ 10,
    EvidenceMismatch = "evidence-mismatch" @ 10,
    EvidenceMethod = "evidence-method" @ 10,
    WrittenFormMissing = "written-form-missing" @ 10,
    RepresentativeExpired = "representative-expired" @ 10,
    SignedMessage = "signed-message" @ 11,
    ReductionFailed = "reduction-failed" @ 11,
}

impl ReasonCode {
    /// Log-only softens the legal questions; these act whatever the mode (`decision.md` §3 "Mode").
    pub const fn acts_always(self) -> bool {
        matches!(
            self,
            Self::AddressProhibited
                | Self::AuditUnavailable
                | Self::Overloaded
                | Self::ProxyLoop
                | Self::SpoolUnavailable
                | Self::DestinationUnknown
                | Self::CallerNotAllowed
                | Self::MethodNotAllowed
                | Self::Framing
                | Self::Ambiguous
                | Self::BodyTooLarge
                | Self::DecodedTooLarge
        )
    }

    /// A category that never leaves is in the message (question 4).
    pub const fn is_never(self) -> bool {
        matches!(
            self,
            Self::SpecialCategoryForbidden
                | Self::PaymentData
                | Self::CallRecording
                | Self::CategoryForbidden
        )
    }

    /// The reason that an unopened gap of `kind` gives.
    pub const fn of_gap(kind: GapKind) -> Self {
        match kind {
            GapKind::Ambiguous => Self::Ambiguous,
            GapKind::BodyTooLarge => Self::BodyTooLarge,
            GapKind::DeadlineExceeded => Self::DeadlineExceeded,
            GapKind::DecodedTooLarge => Self::DecodedTooLarge,
            GapKind::DepthExceeded => Self::DepthExceeded,
            GapKind::Framing => Self::Framing,
            GapKind::InspectionFailed => Self::InspectionFailed,
            GapKind::Malformed => Self::Malformed,
            GapKind::Opaque => Self::Opaque,
            GapKind::PartsExceeded => Self::PartsExceeded,
            GapKind::RatioExceeded => Self::RatioExceeded,
            GapKind::UnsupportedCharset => Self::UnsupportedCharset,
            GapKind::UnsupportedCoding => Self::UnsupportedCoding,
            GapKind::UnsupportedMediaType => Self::UnsupportedMediaType,
            GapKind::WorkExceeded => Self::WorkExceeded,
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ReasonCode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|it| it.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a reason code"))
    }
}

impl Serialize for ReasonCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ReasonCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// One reason, with what it is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reason {
    /// Why.
    pub code: ReasonCode,
    /// Whether it acts.
    pub mode: Mode,
    /// The regime that gives it; `None` when none is asked (questions 1 and 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regime: Option<Arc<str>>,
    /// Index of the person in the transfer; `None` when about the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<u32>,
    /// The facet that is not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facet: Option<Facet>,
    /// Categories concerned.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub categories: CategorySet,
    /// Country concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// Register record that came nearest (a withdrawn consent, a suspended basis …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordId>,
}

const fn is_empty(set: &CategorySet) -> bool {
    set.is_empty()
}

impl Reason {
    /// A reason about the message as a whole, enforced.
    pub const fn of(code: ReasonCode) -> Self {
        Self {
            code,
            mode: Mode::Enforce,
            regime: None,
            person: None,
            facet: None,
            categories: CategorySet::EMPTY,
            country: None,
            record: None,
        }
    }
}

/// What carried a facet for a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Carrier {
    /// All effective countries are adequate and no consent is asked.
    Adequacy,
    /// A recorded basis.
    Basis {
        /// Its kind.
        basis: BasisKind,
        /// Its id.
        record: RecordId,
        /// Accepted by the profile beyond the statute.
        beyond_statute: bool,
    },
    /// A recorded consent.
    Consent {
        /// Its id.
        record: RecordId,
    },
    /// The regime and profile ask for none.
    NotAsked,
    /// A safeguard on record with the recipient, of a kind that the regime accepts.
    Safeguard {
        /// Its kind (`scc`, `bcr` …).
        safeguard: Arc<str>,
        /// Its reference.
        reference: Arc<str>,
    },
}

impl Carrier {
    /// The name used as metric label `basis`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Adequacy => "adequacy",
            Self::Basis { basis, .. } => match basis {
                BasisKind::ConstitutionalRights => "constitutional-rights",
                BasisKind::Contract => "contract",
                BasisKind::Court => "court",
                BasisKind::LawProtective => "law-protective",
                BasisKind::LegitimateInterest => "legitimate-interest",
                BasisKind::PublicSource => "public-source",
                BasisKind::StateBodyRequest => "state-body-request",
                BasisKind::StatutoryDuty => "statutory-duty",
                BasisKind::Treaty => "treaty",
                BasisKind::VitalInterest => "vital-interest",
            },
            Self::Consent { .. } => "consent",
            Self::NotAsked => "not-asked",
            Self::Safeguard { .. } => "safeguard",
        }
    }
}

/// The outcome for one person.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PersonOutcome {
    /// Subjects the person was resolved to.
    pub subjects: Vec<SubjectId>,
    /// Categories that every facet covers.
    pub covered: CategorySet,
    /// Categories that some facet does not cover.
    pub uncovered: CategorySet,
    /// What carried each facet, without repeats.
    pub carriers: Vec<(Facet, Carrier)>,
}

/// What is taken out of a reduced message.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Reduction {
    /// Ordinals of the records to drop, ascending.
    pub drop_records: Vec<u64>,
    /// Person index and the categories to take out of that person's findings.
    pub reduce_fields: Vec<(u32, CategorySet)>,
}

/// The decision. A function of its arguments, always with its reasons.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// What is done: the strictest enforced reason.
    pub verdict: Verdict,
    /// What would be done if every reason were enforced.
    pub would_be: Verdict,
    /// What `verdict` takes out when it is `reduce`.
    pub reduction: Reduction,
    /// All reasons in the order of questions; the first is primary. Empty when nothing stands against the transfer.
    pub reasons: Vec<Reason>,
    /// In the order of the transfer's persons.
    pub persons: Vec<PersonOutcome>,
    /// The regime that decided: the one of the primary reason, else the first that applies.
    pub regime: Option<Arc<str>>,
}

impl Decision {
    /// A refusal for one reason that asks no register (unknown destination, framing, load …).
    pub fn refuse(code: ReasonCode) -> Self {
        Self {
            verdict: Verdict::Block,
            would_be: Verdict::Block,
            reduction: Reduction::default(),
            reasons: vec![Reason::of(code)],
            persons: Vec::new(),
            regime: None,
        }
    }

    /// The first reason in the order of questions that is enforced, or else the first of all.
    pub fn primary(&self) -> Option<&Reason> {
        self.reasons
            .iter()
            .find(|it| it.mode == Mode::Enforce)
            .or_else(|| self.reasons.first())
    }
}
