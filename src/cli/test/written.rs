//! A test file as it is written. Register records have the field names of `consent import`; what a fixture need not say has a
//! default here, and nowhere in the product.

use std::{collections::BTreeMap, fmt, sync::Arc};

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};
use serde_json::Value;
use shapes::{EndShape, PartyShape, ScopeShape, TargetShape, UntilShape};

use crate::model::{
    CategorySet, Country, Day, Purpose, Timestamp,
    consent::{
        BasisKind, ConsentState, EvidenceMethod, Facet, ObjectionTarget, PartyScope,
        PurposeEndScope, RecordId, Until, WithdrawalScope,
    },
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

/// What is recorded.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Registers {
    /// Persons, each with records.
    #[serde(default)]
    pub(super) subjects: Vec<Subject>,
    /// Consent texts as shown.
    #[serde(default)]
    pub(super) texts: Vec<Text>,
    /// Bases of everybody.
    #[serde(default)]
    pub(super) bases: Vec<Basis>,
    /// Purposes and programmes that ended for everybody.
    #[serde(default)]
    pub(super) purpose_ends: Vec<PurposeEnd>,
}

/// A person. A case that names one of the setting adds to that person's records.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Subject {
    /// Name within this file.
    pub(super) name: String,
    /// In clear, by kind: email, phone, national-id, id-document, internal-id.
    #[serde(default)]
    pub(super) identifiers: BTreeMap<String, Texts>,
    /// A representative must act until this day.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) needs_representative_until: Option<Day>,
    /// Consents.
    #[serde(default)]
    pub(super) consents: Vec<Consent>,
    /// Withdrawals.
    #[serde(default)]
    pub(super) withdrawals: Vec<Withdrawal>,
    /// Bases other than consent.
    #[serde(default)]
    pub(super) bases: Vec<Basis>,
    /// Restrictions.
    #[serde(default)]
    pub(super) restrictions: Vec<Restriction>,
    /// Objections.
    #[serde(default)]
    pub(super) objections: Vec<Objection>,
    /// Representatives.
    #[serde(default)]
    pub(super) representatives: Vec<Representative>,
    /// Purposes that ended for this person.
    #[serde(default)]
    pub(super) purpose_ends: Vec<PurposeEnd>,
}

/// A consent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Consent {
    /// Id.
    #[schemars(with = "String")]
    pub(super) id: RecordId,
    /// BIN of the operator it was given to. Default: the configuration's.
    #[serde(default)]
    pub(super) operator: Option<String>,
    /// When it was given. Default: at the beginning of `from`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) given_at: Option<Timestamp>,
    /// First day it holds.
    #[schemars(with = "String")]
    pub(super) from: Day,
    /// `purpose`, `{day: …}` or `{programme: …}`.
    #[schemars(with = "UntilShape")]
    pub(super) until: Until,
    /// `any`, `{parties: […]}` or `{classes: […]}`; left out = no.
    #[serde(default)]
    #[schemars(with = "Option<PartyShape>")]
    pub(super) third_party: Option<PartyScope>,
    /// Countries; left out = no.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) cross_border: Option<std::collections::BTreeSet<Country>>,
    /// Public distribution. Default false.
    #[serde(default)]
    pub(super) public: bool,
    /// What data.
    #[schemars(with = "Vec<String>")]
    pub(super) categories: CategorySet,
    /// What for.
    #[schemars(with = "Vec<String>")]
    pub(super) purposes: std::collections::BTreeSet<Purpose>,
    /// Channels it is limited to.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) channels: std::collections::BTreeSet<Arc<str>>,
    /// Representative who gave it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) representative: Option<RecordId>,
    /// Whether the subject is told of each transfer. Default false.
    #[serde(default)]
    pub(super) notify_subject: bool,
    /// Proof. Default: a ticked box, text `test`, version `1`.
    #[serde(default)]
    pub(super) evidence: Evidence,
    /// Later states.
    #[serde(default)]
    pub(super) events: Vec<Event>,
}

/// Proof of a consent.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Evidence {
    /// How. Default web-checkbox.
    #[serde(default)]
    pub(super) method: Option<EvidenceMethod>,
    /// Where the proof lies.
    #[serde(default, rename = "ref")]
    pub(super) reference: Option<String>,
    /// Id of the text that was shown.
    #[serde(default)]
    pub(super) text: Option<String>,
    /// Its version.
    #[serde(default)]
    pub(super) version: Option<String>,
    /// Hash of the text as shown, 64 hex digits.
    #[serde(default)]
    pub(super) sha256: Option<String>,
    /// Language.
    #[serde(default)]
    pub(super) locale: Option<String>,
    /// When. Default: when the consent was given.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) at: Option<Timestamp>,
}

/// A later state of a consent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Event {
    /// given, renewed, refused, invalidated or revoked.
    #[schemars(with = "String")]
    pub(super) state: ConsentState,
    /// When.
    #[schemars(with = "String")]
    pub(super) at: Timestamp,
}

/// A withdrawal.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Withdrawal {
    /// Id.
    #[schemars(with = "String")]
    pub(super) id: RecordId,
    /// The consent it takes back; left out = all given before it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) consent: Option<RecordId>,
    /// How much of it: actions, purposes, channels, recipients, countries, categories. Default: the whole.
    #[serde(default)]
    #[schemars(with = "ScopeShape")]
    pub(super) scope: WithdrawalScope,
    /// When it was filed.
    #[schemars(with = "String")]
    pub(super) filed_at: Timestamp,
    /// When it takes effect by the operator's form. Default: when it was filed.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) effective_at: Option<Timestamp>,
    /// When it was recorded. Default: when it was filed.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) recorded_at: Option<Timestamp>,
    /// How it came in. Default email.
    #[serde(default)]
    pub(super) channel: Option<String>,
    /// Set when the law forbids it.
    #[serde(default)]
    pub(super) refused_reason: Option<String>,
}

/// A basis other than consent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Basis {
    /// Id.
    #[schemars(with = "String")]
    pub(super) id: RecordId,
    /// What kind.
    pub(super) kind: BasisKind,
    /// Document it rests on. Default `test`.
    #[serde(default)]
    pub(super) document: Option<String>,
    /// Its date. Default: the first day.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) document_date: Option<Day>,
    /// third-party, cross-border or both.
    pub(super) facets: Vec<Facet>,
    /// What for.
    #[schemars(with = "Vec<String>")]
    pub(super) purposes: std::collections::BTreeSet<Purpose>,
    /// What data.
    #[schemars(with = "Vec<String>")]
    pub(super) categories: CategorySet,
    /// `any`, `{parties: […]}` or `{classes: […]}`. Default any.
    #[serde(default)]
    #[schemars(with = "Option<PartyShape>")]
    pub(super) parties: Option<PartyScope>,
    /// Countries abroad.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) countries: std::collections::BTreeSet<Country>,
    /// First day.
    #[schemars(with = "String")]
    pub(super) from: Day,
    /// Last day.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) until: Option<Day>,
    /// An obligation under it is still open. Default false.
    #[serde(default)]
    pub(super) obligation_open: bool,
}

/// A restriction.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Restriction {
    /// Id.
    #[schemars(with = "String")]
    pub(super) id: RecordId,
    /// accuracy-doubt, rights-request or breach-report.
    pub(super) reason: String,
    /// From when.
    #[schemars(with = "String")]
    pub(super) from: Timestamp,
    /// Until when; left out = still.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) lifted_at: Option<Timestamp>,
    /// Purposes it lets pass.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) allowed_purposes: std::collections::BTreeSet<Purpose>,
}

/// An objection.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Objection {
    /// Id.
    #[schemars(with = "String")]
    pub(super) id: RecordId,
    /// `{kind: contract}` or `{basis: id}`.
    #[schemars(with = "TargetShape")]
    pub(super) against: ObjectionTarget,
    /// From when.
    #[schemars(with = "String")]
    pub(super) from: Timestamp,
    /// When it was lifted.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) lifted_at: Option<Timestamp>,
}

/// A representative's authority.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Representative {
    /// Id.
    #[schemars(with = "String")]
    pub(super) id: RecordId,
    /// parent, guardian or attorney.
    pub(super) kind: String,
    /// Document. Default `test`.
    #[serde(default)]
    pub(super) document: Option<String>,
    /// First day.
    #[schemars(with = "String")]
    pub(super) from: Day,
    /// Last day.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) until: Option<Day>,
}

/// An end of a purpose or programme.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct PurposeEnd {
    /// `{consent: id}`, `{programme: id}` or `{purpose: name}`.
    #[schemars(with = "EndShape")]
    pub(super) scope: PurposeEndScope,
    /// When.
    #[schemars(with = "String")]
    pub(super) at: Timestamp,
}

/// A version of a consent text.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Text {
    /// Id of the text.
    pub(super) text: String,
    /// Version.
    pub(super) version: String,
    /// Language.
    pub(super) locale: String,
    /// Hash of the text as shown, 64 hex digits.
    pub(super) sha256: String,
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

/// Shapes of values that `model` reads; only their schema is used.
mod shapes {
    #![expect(dead_code, reason = "only the schema of these types is used")]

    use schemars::JsonSchema;

    use crate::model::consent::BasisKind;

    #[derive(JsonSchema)]
    #[schemars(rename_all = "kebab-case")]
    pub(in super::super) enum UntilShape {
        /// Last day.
        Day(String),
        /// Programme.
        Programme(String),
        /// Until the purpose ends.
        Purpose,
    }

    #[derive(JsonSchema)]
    #[schemars(rename_all = "kebab-case")]
    pub(in super::super) enum PartyShape {
        /// Any recipient.
        Any,
        /// Recipients of these classes.
        Classes(Vec<String>),
        /// These parties.
        Parties(Vec<String>),
    }

    #[derive(JsonSchema)]
    #[schemars(rename_all = "kebab-case")]
    pub(in super::super) enum TargetShape {
        /// One basis.
        Basis(String),
        /// All bases of a kind.
        Kind(BasisKind),
    }

    #[derive(JsonSchema)]
    #[schemars(rename_all = "kebab-case")]
    pub(in super::super) enum EndShape {
        /// One consent's purpose.
        Consent(String),
        /// A programme.
        Programme(String),
        /// A purpose.
        Purpose(String),
    }

    #[derive(Default, JsonSchema)]
    #[schemars(deny_unknown_fields, default)]
    pub(in super::super) struct ScopeShape {
        /// third-party, cross-border, processing, public.
        actions: Vec<String>,
        /// Purposes.
        purposes: Vec<String>,
        /// Channels.
        channels: Vec<String>,
        /// Party ids.
        recipients: Vec<String>,
        /// Countries.
        countries: Vec<String>,
        /// Categories.
        categories: Vec<String>,
    }
}

/// A text or a list of texts.
#[derive(Debug, Default, Clone)]
pub(super) struct Texts(pub(super) Vec<String>);

impl JsonSchema for Texts {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}},
        ]})
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts; put numbers in quotes, so that no digit is lost")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Texts, E> {
        Ok(Texts(vec![text.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Texts, A::Error> {
        let mut texts = Vec::new();
        while let Some(item) = items.next_element()? {
            texts.push(item);
        }
        Ok(Texts(texts))
    }
}
