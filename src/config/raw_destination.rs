//! A destination as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::{
    decision::Mode,
    destination::Operator,
    finding::{Confidence, Part},
    subject::IdentifierKind,
};

/// One way out: who is there, where, on what terms, and how to reach it.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Destination {
    /// Name: the metric label and the audit field.
    pub(super) id: String,
    /// Who receives, by party id.
    pub(super) party: String,
    /// Where, ISO 3166-1 alpha-2; never guessed.
    pub(super) country: String,
    /// Countries from which the recipient reads.
    #[serde(default)]
    pub(super) remote_access_countries: Vec<String>,
    /// Recipients behind it.
    #[serde(default)]
    pub(super) onward: Vec<Onward>,
    /// How requests find it; all that are given must hold.
    #[serde(default, rename = "match")]
    pub(super) matcher: Matcher,
    /// Who may use it; empty = any caller.
    #[serde(default)]
    pub(super) callers: Vec<AllowedCaller>,
    /// How it is reached.
    pub(super) upstream: Upstream,
    /// Contract with a recipient that acts on instruction.
    pub(super) agreement: Option<Agreement>,
    /// Standard clauses, binding rules and the like.
    #[serde(default)]
    pub(super) safeguards: Vec<Safeguard>,
    /// Notifications of the authority.
    #[serde(default)]
    pub(super) notifications: Vec<Notification>,
    /// It would be the only store of the data, which refuses it. Default false.
    #[serde(default)]
    pub(super) sole_store: bool,
    /// How long the recipient keeps the data: `365d`.
    pub(super) retention: Option<String>,
    /// Profile instead of the operator's.
    pub(super) profile: Option<String>,
    /// Regimes beside the operator's.
    #[serde(default)]
    pub(super) regimes: Vec<String>,
    /// Mode of this destination.
    pub(super) mode: Option<Mode>,
    /// Mode by reason code or rule, at this destination.
    #[serde(default)]
    pub(super) rule_modes: BTreeMap<String, Mode>,
    /// Reasons that an officer lets pass here for a time: each is recorded and counted, not enforced.
    #[serde(default)]
    pub(super) waivers: Vec<Waiver>,
    /// Findings act from here. Default high.
    pub(super) confidence_min: Option<Confidence>,
    /// Other thresholds, for some categories or one detector.
    #[serde(default)]
    pub(super) thresholds: Vec<Threshold>,
    /// From so many kinds of data found with medium confidence in one object, each is of high confidence. 0 is never. Default 3.
    pub(super) combination_min: Option<u32>,
    /// Refuses identifiers of a kind of which the person has none registered. Default false.
    #[serde(default)]
    pub(super) refuse_unverified: bool,
    /// What may be done instead of a refusal.
    #[serde(default)]
    pub(super) fallback: Vec<Fallback>,
    /// What reduce-fields does to a category: remove, mask or pseudonymise. Default remove; a parent covers its children.
    #[serde(default)]
    pub(super) operators: BTreeMap<String, Operator>,
    /// What each kind of gap means; default block. One is opened by somebody's word, for a time.
    #[serde(default)]
    pub(super) gaps: BTreeMap<String, GapPolicy>,
    /// Sizes and times.
    #[serde(default)]
    pub(super) limits: Limits,
    /// What happens when a component fails; default closed.
    #[serde(default)]
    pub(super) failure: Failure,
    /// Values that are not personal.
    #[serde(default)]
    pub(super) not_personal: Vec<NotPersonal>,
    /// Status of legal refusals: 451 or 403. Default 451.
    pub(super) legal_status: Option<u16>,
    /// Pass on redirects to undeclared hosts. Default false.
    #[serde(default)]
    pub(super) pass_redirects: bool,
    /// Parts with a purpose of their own; the first that fits is taken.
    pub(super) routes: Vec<Route>,
}

/// A recipient behind the recipient.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Onward {
    /// Who, by party id.
    pub(super) party: String,
    /// Where.
    pub(super) country: String,
}

/// How requests find a destination.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Matcher {
    /// Listener id.
    pub(super) listener: Option<String>,
    /// Host of the request, without port.
    pub(super) host: Option<String>,
    /// Path prefix on segment boundaries: `/mail`.
    pub(super) path_prefix: Option<String>,
}

/// A caller and what it may claim.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct AllowedCaller {
    /// Caller id.
    pub(super) caller: String,
    /// Purposes it may claim.
    #[serde(default)]
    pub(super) purposes: Vec<String>,
}

/// How an upstream is reached.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Upstream {
    /// `https://api.example.org/base`.
    pub(super) url: String,
    /// Lowest TLS version. Default 1.2.
    pub(super) tls_floor: Option<TlsFloor>,
    /// `system`, or a file of PEM certificates. Default system.
    pub(super) roots: Option<String>,
    /// It stands in the operator's own network: private addresses and plain HTTP are allowed. Default false.
    #[serde(default)]
    pub(super) controlled_zone: bool,
    /// Versions of HTTP. Default auto: HTTP/2 or HTTP/1.1 as the upstream chooses over TLS, HTTP/1.1 without.
    pub(super) http: Option<HttpVersions>,
    /// Public keys (SPKI), one of which must stand in the verified chain: `sha256/` and Base64. Default any.
    #[serde(default)]
    pub(super) pins: Vec<String>,
    /// PEM revocation lists of the authority that issues the upstream's certificate; one that is not in force refuses.
    pub(super) crl_file: Option<String>,
    /// Client certificate.
    pub(super) identity: Option<Identity>,
    /// HTTP proxy of the operator's own that opens a tunnel: `http://proxy.internal:3128`. It looks the upstream's name up.
    pub(super) proxy: Option<String>,
    /// File with `user:password` for the proxy.
    pub(super) proxy_credentials_file: Option<String>,
    /// Header fields that the gate sets, in the place of the client's: one or a list.
    pub(super) credentials: Option<Credentials>,
    /// Most connections at once, 1 to 100000. Default as many as exchanges (`limits.concurrency`).
    pub(super) connections_max: Option<u64>,
    /// A connection that nobody has used for so long is closed. Default 30s.
    pub(super) idle_time: Option<String>,
    /// A connection that is so old takes no more requests. Default 5m.
    pub(super) life_time: Option<String>,
    /// When an upstream that keeps failing is left alone.
    #[serde(default)]
    pub(super) breaker: Breaker,
}

/// Versions of HTTP.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(super) enum HttpVersions {
    /// As the upstream chooses over TLS, HTTP/1.1 without.
    #[serde(rename = "auto")]
    Auto,
    /// HTTP/1.1 only.
    #[serde(rename = "1.1")]
    Http1,
    /// HTTP/2 only; without TLS by prior knowledge.
    #[serde(rename = "2")]
    Http2,
}

/// When an upstream is left alone.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Breaker {
    /// Failures in a row, 0 to 1000; 0 = never. Default 5.
    pub(super) failures: Option<u64>,
    /// For how long. Default 10s.
    pub(super) open_for: Option<String>,
}

/// Lowest TLS version.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(super) enum TlsFloor {
    /// TLS 1.2.
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    Tls13,
}

/// A client certificate.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Identity {
    /// PEM certificate chain.
    pub(super) certificate_file: String,
    /// PEM private key.
    pub(super) key_file: String,
}

/// Credentials that the gate sets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Credentials {
    /// One.
    One(Credential),
    /// Several.
    Many(Vec<Credential>),
}

/// A header field that the gate sets.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Credential {
    /// Header field: `Authorization`.
    pub(super) header: String,
    /// What the file holds: a bearer token, or `user:password`. Default the field's value as it is.
    pub(super) scheme: Option<Scheme>,
    /// File that holds the secret; `$CREDENTIALS_DIRECTORY/` at its beginning is the directory of systemd's LoadCredential.
    pub(super) value_file: String,
}

/// What a credential's file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Scheme {
    /// `user:password`, sent as `Basic` and Base64.
    Basic,
    /// A token, sent behind `Bearer`.
    Bearer,
}

/// A contract with a recipient that acts on instruction.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Agreement {
    /// With whom, by party id. Default the destination's party.
    pub(super) party: Option<String>,
    /// Reference of the document.
    #[serde(rename = "ref")]
    pub(super) reference: String,
    /// SHA-256 of the document, 64 hex digits.
    pub(super) sha256: Option<String>,
    /// Day of signature.
    pub(super) signed: String,
    /// Last day.
    pub(super) until: Option<String>,
    /// What the recipient may do.
    #[serde(default)]
    pub(super) actions: Vec<String>,
    /// What for.
    #[serde(default)]
    pub(super) purposes: Vec<String>,
    /// With what data.
    #[serde(default)]
    pub(super) categories: Vec<String>,
    /// It binds to confidentiality. Default false.
    #[serde(default)]
    pub(super) confidentiality: bool,
    /// It binds to security measures. Default false.
    #[serde(default)]
    pub(super) security: bool,
}

/// Standard clauses, binding rules and the like.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Safeguard {
    /// Kind: `scc`, `bcr`.
    pub(super) kind: String,
    /// Reference of the document.
    #[serde(rename = "ref")]
    pub(super) reference: String,
    /// Day of signature.
    pub(super) signed: String,
    /// Last day.
    pub(super) until: Option<String>,
}

/// A notification of the authority.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Notification {
    /// Under which regime.
    pub(super) regime: String,
    /// To whom.
    pub(super) authority: String,
    /// Reference.
    #[serde(rename = "ref")]
    pub(super) reference: String,
    /// Day of submission.
    pub(super) submitted: String,
    /// No transfer before this day.
    pub(super) wait_until: Option<String>,
    /// For which countries.
    pub(super) countries: Vec<String>,
    /// For which purposes; empty = any.
    #[serde(default)]
    pub(super) purposes: Vec<String>,
    /// `accepted`, `refused`, or nothing yet.
    pub(super) outcome: Option<String>,
}

/// What may be done instead of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fallback {
    /// Nothing: refuse.
    Block,
    /// Drop the records of persons without a basis.
    DropRecords,
    /// Take uncovered fields out, or hide them as `operators` say.
    ReduceFields,
}

/// Sizes and times of one destination.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Limits {
    /// Largest body, 1KiB to 1GiB. Default 16MiB.
    pub(super) body_size: Option<String>,
    /// Time from one piece of the request body to the next. Default 15s.
    pub(super) body_idle_time: Option<String>,
    /// Time for the whole request body to arrive. Default 60s.
    pub(super) body_time: Option<String>,
    /// Time for connecting, TLS included. Default 10s.
    pub(super) connect_time: Option<String>,
    /// Time for the answer's head. Default 60s.
    pub(super) response_time: Option<String>,
    /// Time from one piece of the answer's body to the next. Default 60s.
    pub(super) response_idle_time: Option<String>,
    /// Time for the whole exchange, up to 24h. Default 15m.
    pub(super) total_time: Option<String>,
    /// Time for inspection. Default 5s.
    pub(super) inspection_time: Option<String>,
    /// Exchanges with the upstream at once, 1 to 100000. Default 256.
    pub(super) concurrency: Option<u64>,
    /// Greatest nesting, 1 to 128. Default 64.
    pub(super) depth: Option<u64>,
    /// Greatest number of values in a message, from 1. Default 1000000.
    pub(super) values: Option<u64>,
    /// Work units for one message, about one a byte, from 1024. Default 268435456.
    pub(super) work: Option<u64>,
    /// Largest body once its content coding (gzip, deflate, br, zstd) is undone, 1KiB to 1GiB. It is held in memory. Default 64MiB.
    pub(super) decoded_size: Option<String>,
    /// How many times its size a body may grow when its content coding is undone, 1 to 1000000; up to 1MiB any body may. Default
    /// 200.
    pub(super) decoded_ratio: Option<u64>,
}

/// What happens when a component fails.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Failure {
    /// When the registers do not answer.
    #[serde(default)]
    pub(super) registers: FailurePolicy,
    /// When the audit log cannot be written.
    #[serde(default)]
    pub(super) audit: FailurePolicy,
    /// When inspection itself fails.
    #[serde(default)]
    pub(super) inspection: FailurePolicy,
}

/// Closed, or open by somebody's word for a time.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum FailurePolicy {
    /// Refuse.
    #[default]
    Closed,
    /// Pass, recorded, counted and shown.
    Open(Opening),
}

/// Block, or open by somebody's word for a time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum GapPolicy {
    /// Refuse.
    Block,
    /// Pass, recorded, counted and shown.
    AllowLogged(Opening),
}

/// Who opens, why, and until when.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Opening {
    /// Who answers for it.
    pub(super) owner: String,
    /// Why.
    pub(super) reason: String,
    /// Last day.
    pub(super) until: String,
}

/// One reason that does not act at one destination, by an officer's word and for a time.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Waiver {
    /// Reason code, such as no-agreement.
    pub(super) reason: String,
    /// The officer who answers for it.
    pub(super) officer: String,
    /// Why it is let pass.
    pub(super) why: String,
    /// Last day.
    pub(super) until: String,
}

/// From which confidence findings of some categories, or of one detector, act.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Threshold {
    /// A category (what is below it is covered) or the name of a detector; that of a detector goes before those of categories.
    pub(super) of: String,
    /// Findings act from here.
    pub(super) confidence_min: ThresholdMin,
    /// Why, if it asks for more than the destination's `confidence_min`.
    pub(super) reason: Option<String>,
    /// Who answers for it, in that case.
    pub(super) owner: Option<String>,
    /// Last day, in that case.
    pub(super) expires: Option<String>,
}

/// A confidence, or none that would do.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ThresholdMin {
    /// Shape only.
    Low,
    /// A check digit without a key, or a key that says otherwise.
    Medium,
    /// A key alone, or check digit and plausible content.
    High,
    /// A key and a valid value.
    Certain,
    /// They do not act.
    Never,
}

impl ThresholdMin {
    /// The confidence; `None` is never.
    pub(super) const fn confidence(self) -> Option<Confidence> {
        match self {
            Self::Low => Some(Confidence::Low),
            Self::Medium => Some(Confidence::Medium),
            Self::High => Some(Confidence::High),
            Self::Certain => Some(Confidence::Certain),
            Self::Never => None,
        }
    }
}

/// Values that are not personal.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct NotPersonal {
    /// Part of the message.
    #[serde(rename = "in")]
    pub(super) part: Part,
    /// RFC 9535 path in a body; name in query and header; segment number from 0 in a path.
    pub(super) at: String,
    /// Why.
    pub(super) reason: String,
    /// Who answers for it.
    pub(super) owner: String,
    /// Last day.
    pub(super) expires: String,
}

/// Part of a destination with a purpose of its own.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Route {
    /// Name for the record. Default `destination/0` and so on.
    pub(super) id: Option<String>,
    /// Methods; empty = any.
    #[serde(default)]
    pub(super) methods: Vec<String>,
    /// Prefix of the path after the destination's own. Default /.
    pub(super) path: Option<String>,
    /// Declared purpose: `marketing.email`.
    pub(super) purpose: Option<String>,
    /// Purposes of which the caller names one in `Shekara-Purpose`.
    #[serde(default)]
    pub(super) purposes_claimable: Vec<String>,
    /// Channel: `email`, `sms`.
    pub(super) channel: Option<String>,
    /// What the recipient is asked to do.
    #[serde(default)]
    pub(super) actions: Vec<String>,
    /// Parts of the body that serve another purpose.
    #[serde(default)]
    pub(super) sections: Vec<Section>,
    /// RFC 9535 path of the body's elements that are one person each.
    pub(super) records: Option<String>,
    /// Where identifiers of persons stand.
    #[serde(default)]
    pub(super) subjects: Vec<Subject>,
}

/// A part of the body that serves another purpose.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Section {
    /// RFC 9535 path.
    pub(super) at: String,
    /// Purpose.
    pub(super) purpose: String,
}

/// Where an identifier of a person stands.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Subject {
    /// Part of the message.
    #[serde(rename = "in")]
    pub(super) part: Part,
    /// RFC 9535 path in a body; name in query and header; segment number from 0 in a path.
    pub(super) at: String,
    /// What the identifier is.
    pub(super) kind: IdentifierKind,
    /// What the person is in the message (`recipient`, `payer`), for readers.
    #[expect(
        dead_code,
        reason = "a note for readers; the judgement does not depend on it"
    )]
    pub(super) role: Option<String>,
}
