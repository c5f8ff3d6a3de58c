//! What the audit log holds. Codes, counts, keyed references, versions: no value of personal data, ever.
//!
//! Field names are the log's format: add, never rename. `audit` adds sequence, salt and hashes around these bodies.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::model::{
    Category, CategorySet, Country, Timestamp,
    decision::Decision,
    destination::Role,
    finding::{Confidence, Part},
    transfer::Transfer,
};

/// Id of one decision (UUIDv7), given to the client and in both records of an exchange.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DecisionId(pub uuid::Uuid);

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for DecisionId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse()
            .map(Self)
            .map_err(|_| format!("`{text}` is not a decision id (a UUID)"))
    }
}

/// Proof that an event is on stable storage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// Position in the log, from 0.
    pub sequence: u64,
    /// Hash of the record.
    pub hash: [u8; 32],
}

/// One event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum AuditEvent {
    /// Written before the first byte leaves.
    Decided(Box<Decided>),
    /// Written when the exchange ends. A decision without one ended unknown.
    Completed(Completed),
    /// A register changed; comes through the outbox.
    Register(RegisterChange),
    /// Something was done to the gate itself.
    Operated(Operated),
}

/// The decision record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decided {
    /// Decision id.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// Authenticated caller, or `anonymous`.
    pub caller: Arc<str>,
    /// Listener id.
    pub listener: Arc<str>,
    /// Method.
    pub method: Arc<str>,
    /// Who receives; `None` when the destination is unknown.
    pub recipient: Option<Recipient>,
    /// The facts decided on.
    pub transfer: Transfer,
    /// The decision.
    pub decision: Decision,
    /// Change counter of the registers when they were read; `None` when not asked or unavailable.
    pub register_sequence: Option<u64>,
    /// Findings by category, part, confidence and detector.
    pub findings: Vec<FindingCount>,
    /// Masked locations of findings and gaps, at most 64.
    pub locations: Vec<String>,
    /// What stood in the way before the message could be read: a text of the program's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Arc<str>>,
    /// Size of the body as received.
    pub bytes_in: u64,
    /// Size and keyed digest of the body that may leave; `None` when refused.
    pub leaves: Option<Leaves>,
    /// Policies that were opened for this message (`gap:opaque`, `failure:registers` …).
    pub opened: Vec<String>,
    /// Versions of everything that decided.
    pub versions: Arc<Versions>,
}

/// The recipient as recorded.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Recipient {
    /// Party id.
    pub party: Arc<str>,
    /// Legal name.
    pub legal_name: Arc<str>,
    /// Role.
    pub role: Role,
    /// Declared country.
    pub country: Country,
    /// Effective countries abroad.
    pub countries: Vec<Country>,
    /// Inside the operator's own network.
    pub controlled_zone: bool,
}

/// A count of findings of one sort.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct FindingCount {
    /// Category.
    pub category: Category,
    /// Part.
    pub part: Part,
    /// Confidence.
    pub confidence: Confidence,
    /// Detector.
    pub detector: Arc<str>,
    /// How many.
    pub count: u32,
}

/// What may leave.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Leaves {
    /// Bytes of the body.
    pub bytes: u64,
    /// HMAC-SHA-256 of the body under the log key, hex.
    pub digest: String,
    /// Records dropped.
    pub dropped: u32,
    /// Values removed, masked or pseudonymised.
    pub removed: u32,
    /// Categories of which values left masked.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub masked: CategorySet,
    /// Categories of which values left as pseudonyms.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub pseudonymised: CategorySet,
}

const fn is_empty(set: &CategorySet) -> bool {
    set.is_empty()
}

/// Versions of everything that decided; one value per configuration in force.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Versions {
    /// Version of the program.
    pub program: String,
    /// SHA-256 of the configuration, first 16 hex digits.
    pub config: String,
    /// Counts up with each configuration taken into force by this process.
    pub generation: u64,
    /// Name of each data file (regime, profile, dictionary, messages) to the first 16 hex digits of its SHA-256.
    pub data: BTreeMap<String, String>,
}

/// The completion record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Completed {
    /// Decision id.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// Status of the answer that the client was given, if any.
    pub status: Option<u16>,
    /// Whether any byte of the request went to the upstream.
    pub sent: bool,
    /// Address that was dialled: the upstream's, or the proxy's.
    pub peer: Option<String>,
    /// Whether the way led through a proxy, which looked up the upstream's name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub via_proxy: bool,
    /// TLS version negotiated with the upstream.
    pub tls: Option<String>,
    /// The time limit that ended it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit: Option<TimeLimit>,
}

/// A time limit, by its key in the configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeLimit {
    /// From one piece of the request's body to the next.
    BodyIdleTime,
    /// For the whole body.
    BodyTime,
    /// For the connection.
    ConnectTime,
    /// From one piece of the answer's body to the next.
    ResponseIdleTime,
    /// For the answer's head.
    ResponseTime,
    /// For the whole exchange.
    TotalTime,
    /// For the client to take a piece of the answer.
    WriteTime,
}

impl TimeLimit {
    /// The key.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BodyIdleTime => "body_idle_time",
            Self::BodyTime => "body_time",
            Self::ConnectTime => "connect_time",
            Self::ResponseIdleTime => "response_idle_time",
            Self::ResponseTime => "response_time",
            Self::TotalTime => "total_time",
            Self::WriteTime => "write_time",
        }
    }
}

/// How an exchange ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The client went away or took nothing, the gate stopped, or the exchange took too long as a whole.
    Aborted,
    /// The upstream's answer was passed on whole.
    Answered,
    /// A redirect to an undeclared host was stopped.
    RedirectStopped,
    /// The upstream failed before or while it answered.
    UpstreamFailed,
}

/// A change of a register, as the outbox hands it over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RegisterChange {
    /// Change counter after it.
    pub register_sequence: u64,
    /// When it was committed.
    pub at: Timestamp,
    /// Who.
    pub by: Arc<str>,
    /// What: `consent-granted`, `consent-withdrawn`, `subject-restricted` …
    pub action: Arc<str>,
    /// The record's id.
    pub record: Arc<str>,
    /// The subject's register id, if about one.
    pub subject: Option<Arc<str>>,
    /// The record without identifiers, for replay.
    pub body: serde_json::Value,
}

/// Something done to the gate itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Operated {
    /// When.
    pub at: Timestamp,
    /// What: `started`, `reloaded`, `reload-refused`, `drained`, `torn-tail-cut` …
    pub action: Arc<str>,
    /// Details, codes only.
    pub detail: BTreeMap<String, String>,
}
