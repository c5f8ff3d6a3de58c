//! The file as it is written, unresolved. What it means is the matter of `compile`.
//!
//! The schema closes every mapping, and `shape` refuses what it does not name. The typed reader passes over such keys, so that
//! the contradictions of a file with a misspelt key are reported together with it.
//!
//! Names, days, countries, durations and sizes are texts here, so that every one that is wrong is reported with its place.
//! Doc comments become the descriptions of the JSON Schema (`shekara schema`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub(super) use super::raw_destination::Destination;
use crate::model::{decision::Mode, destination::Role, law::AssessmentResult};

/// Configuration of Shekara.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(title = "Shekara configuration")]
pub(super) struct Root {
    /// Version of this file's form: 1.
    pub(super) version: u32,
    /// Whose gate this is.
    pub(super) operator: Operator,
    /// Directory of registers, keys and audit log. Default /var/lib/shekara.
    pub(super) state_dir: Option<String>,
    /// Directory whose files replace the shipped law: `regimes/*.yaml`, `profiles/*.yaml`, `messages/reasons.yaml`.
    pub(super) data_dir: Option<String>,
    /// Whether legal reasons act or are only recorded. Default enforce.
    #[serde(default)]
    pub(super) mode: Mode,
    /// Mode by reason code (`no-consent`) or rule (`R-05`).
    #[serde(default)]
    pub(super) rule_modes: BTreeMap<String, Mode>,
    /// Where requests come in; at least one.
    pub(super) listeners: Vec<Listener>,
    /// Health and metrics.
    #[serde(default)]
    pub(super) admin: Admin,
    /// The program's own log.
    #[serde(default)]
    pub(super) log: Log,
    /// The audit log.
    #[serde(default)]
    pub(super) audit: Audit,
    /// Limits of the whole gate.
    #[serde(default)]
    pub(super) limits: Limits,
    /// How changes of this file take force.
    #[serde(default)]
    pub(super) reload: Reload,
    /// Who may call.
    #[serde(default)]
    pub(super) callers: Vec<Caller>,
    /// Recipients.
    #[serde(default)]
    pub(super) parties: Vec<Party>,
    /// Ways out. A request that finds none is refused.
    #[serde(default)]
    pub(super) destinations: Vec<Destination>,
    /// The operator's own assessments of countries.
    #[serde(default)]
    pub(super) adequacy: Vec<Assessment>,
}

/// Whose gate this is.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Operator {
    /// Legal name.
    pub(super) legal_name: String,
    /// Business identification number: 12 digits. A consent must name it.
    pub(super) bin: String,
    /// Country of the operator. Default KZ.
    pub(super) home: Option<String>,
    /// Offset for the ends of days. Default +05:00.
    pub(super) utc_offset: Option<String>,
    /// The regime as this operator reads it. Default baseline.
    pub(super) profile: Option<String>,
    /// Bodies of law that apply to every transfer. Default [kz-94v].
    pub(super) regimes: Option<Vec<String>>,
}

/// A listener.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Listener {
    /// Name, used by matches and in the log.
    pub(super) id: String,
    /// Address and port: `127.0.0.1:8080`.
    pub(super) bind: String,
    /// TLS; plain HTTP without it.
    pub(super) tls: Option<ListenerTls>,
}

/// TLS of a listener.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ListenerTls {
    /// PEM certificate chain.
    pub(super) certificate_file: String,
    /// PEM private key.
    pub(super) key_file: String,
    /// PEM roots of client certificates.
    pub(super) client_roots_file: Option<String>,
    /// Refuse clients without a certificate. Default false.
    #[serde(default)]
    pub(super) client_required: bool,
}

/// Health and metrics.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Admin {
    /// Address and port. Default 127.0.0.1:9464.
    pub(super) bind: Option<String>,
}

/// The program's own log.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Log {
    /// Form of the lines. Default json.
    #[serde(default)]
    pub(super) format: LogFormat,
    /// Filter such as `info` or `shekara=debug`. Default info.
    pub(super) level: Option<String>,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// For terminals.
    Text,
}

/// The audit log.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Audit {
    /// Size at which a segment is closed, 1MiB to 4GiB. Default 64MiB.
    pub(super) segment_size: Option<String>,
}

/// Limits of the whole gate.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Limits {
    /// Exchanges at once, 1 to 100000. Default 1024.
    pub(super) concurrency: Option<u64>,
    /// Time for exchanges in flight to finish at the stop. Default 30s.
    pub(super) drain_time: Option<String>,
    /// Time between SIGTERM and the close of the listeners, in which `/readyz` says no: for load balancers that ask it. Default 0s.
    pub(super) drain_delay: Option<String>,
    /// Time for a request head to arrive. Default 10s.
    pub(super) head_time: Option<String>,
    /// Connections at once over all listeners, 1 to 1000000; further clients wait. Default 16384.
    pub(super) connections: Option<u64>,
    /// Longest time between two requests of a connection, 1s to 1h; above what client pools keep connections for. Default 100s.
    pub(super) idle_time: Option<String>,
    /// Time for a client to take the next bytes of an answer, 1s to 1h. Default 60s.
    pub(super) write_time: Option<String>,
    /// Exchanges at once of one address whose callers prove nothing. Default half of `concurrency`.
    pub(super) per_client: Option<u64>,
    /// Connections of one address, 1 to 1000000. Default four times `concurrency`.
    pub(super) connections_per_client: Option<u64>,
    /// Memory for bodies, 16MiB to 1TiB. Default 256MiB.
    pub(super) memory: Option<String>,
    /// Bodies above this are kept in a file without a name, 64KiB to 64MiB. Default 1MiB.
    pub(super) spool_above: Option<String>,
    /// Directory of these files. Default spool in `state_dir`.
    pub(super) spool_dir: Option<String>,
    /// Room on the disk for these files, 16MiB to 1TiB. Default 4GiB.
    pub(super) spool_size: Option<String>,
}

/// How changes of this file take force. SIGHUP always reloads.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Reload {
    /// How often the content of this file, and of every file that it names, is looked at, 100ms to 1h, or `off`. Default 2s.
    pub(super) watch: Option<String>,
}

/// Somebody who may call; any of the proofs identifies them.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Caller {
    /// Name.
    pub(super) id: String,
    /// Subject alternative names of client certificates (DNS, URI).
    #[serde(default)]
    pub(super) san: Vec<String>,
    /// SHA-256 of bearer tokens, 64 hex digits each.
    #[serde(default)]
    pub(super) token_sha256: Vec<String>,
    /// File that holds one bearer token of at least 16 characters.
    pub(super) token_file: Option<String>,
    /// Addresses: `10.0.0.0/8`.
    #[serde(default)]
    pub(super) cidr: Vec<String>,
    /// Exchanges at once, 1 to 100000. Default as many as the gate has.
    pub(super) concurrency: Option<u64>,
}

/// A recipient.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Party {
    /// Name in this file.
    pub(super) id: String,
    /// Legal name.
    pub(super) legal_name: String,
    /// Registration number.
    pub(super) registration: Option<String>,
    /// What the recipient is to the operator.
    pub(super) role: Role,
    /// Certifications (DPF, PIPEDA).
    #[serde(default)]
    pub(super) certifications: Vec<String>,
    /// Recipient classes that consents and profiles name.
    #[serde(default)]
    pub(super) classes: Vec<String>,
    /// Recorded protection level.
    pub(super) protection_level: Option<ProtectionLevel>,
}

/// A recorded assessment of a recipient's protection.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ProtectionLevel {
    /// Who assessed.
    pub(super) by: String,
    /// Day of the assessment.
    pub(super) at: String,
    /// Why it suffices.
    pub(super) reason: String,
    /// Last day.
    pub(super) until: Option<String>,
}

/// The operator's assessment of a country.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Assessment {
    /// Under which regime.
    pub(super) regime: String,
    /// Which country.
    pub(super) country: String,
    /// Only for this party, by id.
    pub(super) party: Option<String>,
    /// The result.
    pub(super) result: AssessmentResult,
    /// Only recipients that hold this certification.
    pub(super) requires_certification: Option<String>,
    /// Who assessed.
    pub(super) by: String,
    /// Day of the assessment; not later than the first transfer.
    pub(super) at: String,
    /// Last day. Default 12 months after `at`.
    pub(super) until: Option<String>,
    /// Why.
    pub(super) reason: String,
    /// What it rests on.
    pub(super) source: Option<String>,
    /// Version of the list it rests on.
    pub(super) list_version: Option<String>,
}
