//! A test file as it is written. Register records have the field names of `consent import`; what a fixture need not say has a
//! default here, and nowhere in the product.

mod records;

use std::collections::BTreeMap;

pub(super) use records::{
    Basis, Consent, Objection, PurposeEnd, Registers, Representative, Restriction, Subject, Text,
    Texts, Withdrawal,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::model::{
    CategorySet, Country, Timestamp,
    decision::{ReasonCode, Verdict},
    finding::Part,
    law::ThirdPartyTransfer,
};

/// Policy tests.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(title = "Shekara policy tests")]
pub(super) struct File {
    /// What the file is about, for readers.
    #[serde(default)]
    #[expect(dead_code, reason = "a note for readers")]
    pub(super) about: Option<String>,
    /// Configuration to test, relative to this file.
    #[serde(default)]
    pub(super) config: Option<String>,
    /// The configuration itself, instead of `config`: the keys of shekara.yaml below it.
    #[serde(default)]
    pub(super) configuration: Option<Value>,
    /// What holds for every case.
    pub(super) setting: Setting,
    /// The cases, in order.
    pub(super) cases: Vec<Case>,
}

/// What holds for every case.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Setting {
    /// Now, with offset: 2026-11-22T12:00:00+05:00.
    #[schemars(with = "String")]
    pub(super) clock: Timestamp,
    /// What is recorded.
    #[serde(default)]
    pub(super) registers: Registers,
}

/// One case.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Case {
    /// Name, once in a file.
    pub(super) name: String,
    /// Rules and clauses that ask for it.
    #[serde(default)]
    pub(super) cites: Vec<String>,
    /// When, instead of the setting's clock.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) at: Option<Timestamp>,
    /// Profile instead of the configuration's, for the regime it reads.
    #[serde(default)]
    pub(super) profile: Option<String>,
    /// Switches of the profile that are set otherwise.
    #[serde(default)]
    pub(super) switches: Switches,
    /// Records added to the setting's.
    #[serde(default)]
    pub(super) registers: Registers,
    /// Records of the setting that are not there, by id.
    #[serde(default)]
    pub(super) without: Vec<String>,
    /// The request as the client sends it to the gate.
    pub(super) request: Request,
    /// What must come of it.
    pub(super) expect: Expect,
}

/// Switches of a profile.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Switches {
    /// A third-party transfer needs a consent or basis of its own.
    #[serde(default)]
    pub(super) third_party_needs_consent: Option<bool>,
    /// A transfer to an adequate country still needs a consent or basis.
    #[serde(default)]
    pub(super) adequate_state_requires_consent: Option<bool>,
    /// open, statutory-or-consent or statutory-only.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) third_party_transfer: Option<ThirdPartyTransfer>,
}

/// A request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Request {
    /// Default POST.
    #[serde(default)]
    pub(super) method: Option<String>,
    /// Host, without port. Default: none.
    #[serde(default)]
    pub(super) host: Option<String>,
    /// Path and query.
    pub(super) path: String,
    /// Listener id. Default: the first.
    #[serde(default)]
    pub(super) listener: Option<String>,
    /// Caller id. Default anonymous.
    #[serde(default)]
    pub(super) caller: Option<String>,
    /// Fields.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// Media type of the body. Default application/json for a body that is no text.
    #[serde(default)]
    pub(super) content_type: Option<String>,
    /// A text as it is, or a value that is sent as JSON.
    #[serde(default)]
    pub(super) body: Option<Value>,
    /// Bytes, in base64 (RFC 4648 section 4).
    #[serde(default)]
    pub(super) body_base64: Option<String>,
}

/// What must come of a request. What is left out is not asked, but `would_be` (default: the verdict).
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Expect {
    /// allow, reduce or block.
    #[schemars(with = "String")]
    pub(super) verdict: Verdict,
    /// What would be done if every reason were enforced.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) would_be: Option<Verdict>,
    /// The primary reason; needed for reduce and block.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) reason: Option<ReasonCode>,
    /// Further reasons that must be given.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) also: Vec<ReasonCode>,
    /// Country of the primary reason.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) country: Option<Country>,
    /// Record that the primary reason names.
    #[serde(default)]
    pub(super) record: Option<String>,
    /// Body that may leave: a text, or a value that is compared as JSON.
    #[serde(default)]
    pub(super) left: Option<Value>,
    /// Query that may leave; empty for none.
    #[serde(default)]
    pub(super) left_query: Option<String>,
    /// Categories that were taken out of what is left, masked or pseudonymised, over all persons.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) reduced: Option<CategorySet>,
    /// How many records were dropped.
    #[serde(default)]
    pub(super) dropped: Option<usize>,
    /// How many persons were judged.
    #[serde(default)]
    pub(super) persons: Option<usize>,
    /// Status of the refusal.
    #[serde(default)]
    pub(super) status: Option<u16>,
    /// The regime that decided.
    #[serde(default)]
    pub(super) regime: Option<String>,
    /// What carries each facet over all persons: consent, adequacy, not-asked, safeguard, or a kind of basis.
    #[serde(default)]
    pub(super) carriers: BTreeMap<String, Texts>,
    /// Categories found by part of the message: path, query, header, body, trailer.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    pub(super) found: BTreeMap<Part, CategorySet>,
    /// Policies that were opened for it: gap:opaque and so on.
    #[serde(default)]
    pub(super) opened: Option<Vec<String>>,
}
