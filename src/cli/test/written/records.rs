//! Register records as they are written.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};
use shapes::{EndShape, PartyShape, ScopeShape, TargetShape, UntilShape};

use crate::model::{
    CategorySet, Country, Day, Purpose, Timestamp,
    consent::{
        BasisKind, ConsentState, EvidenceMethod, Facet, ObjectionTarget, PartyScope,
        PurposeEndScope, RecordId, Until, WithdrawalScope,
    },
};

/// What is recorded.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct Registers {
    /// Persons, each with records.
    #[serde(default)]
    pub(in super::super) subjects: Vec<Subject>,
    /// Consent texts as shown.
    #[serde(default)]
    pub(in super::super) texts: Vec<Text>,
    /// Bases of everybody.
    #[serde(default)]
    pub(in super::super) bases: Vec<Basis>,
    /// Purposes and programmes that ended for everybody.
    #[serde(default)]
    pub(in super::super) purpose_ends: Vec<PurposeEnd>,
}

/// A person. A case that names one of the setting adds to that person's records.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct Subject {
    /// Name within this file.
    pub(in super::super) name: String,
    /// In clear, by kind: email, phone, national-id, id-document, internal-id.
    #[serde(default)]
    pub(in super::super) identifiers: BTreeMap<String, Texts>,
    /// A representative must act until this day.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(in super::super) needs_representative_until: Option<Day>,
    /// Consents.
    #[serde(default)]
    pub(in super::super) consents: Vec<Consent>,
    /// Withdrawals.
    #[serde(default)]
    pub(in super::super) withdrawals: Vec<Withdrawal>,
    /// Bases other than consent.
    #[serde(default)]
    pub(in super::super) bases: Vec<Basis>,
    /// Restrictions.
    #[serde(default)]
    pub(in super::super) restrictions: Vec<Restriction>,
    /// Objections.
    #[serde(default)]
    pub(in super::super) objections: Vec<Objection>,
    /// Representatives.
    #[serde(default)]
    pub(in super::super) representatives: Vec<Representative>,
    /// Purposes that ended for this person.
    #[serde(default)]
    pub(in super::super) purpose_ends: Vec<PurposeEnd>,
}

/// A consent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct Consent {
    /// Id.
    #[schemars(with = "String")]
    pub(in super::super) id: RecordId,
    /// BIN of the operator it was given to. Default: the configuration's.
    #[serde(default)]
    pub(in super::super) operator: Option<String>,
    /// When it was given. Default: at the beginning of `from`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(in super::super) given_at: Option<Timestamp>,
    /// First day it holds.
    #[schemars(with = "String")]
    pub(in super::super) from: Day,
    /// `purpose`, `{day: …}` or `{programme: …}`.
    #[schemars(with = "UntilShape")]
    pub(in super::super) until: Until,
    /// `any`, `{parties: […]}` or `{classes: […]}`; left out = no.
    #[serde(default)]
    #[schemars(with = "Option<PartyShape>")]
    pub(in super::super) third_party: Option<PartyScope>,
    /// Countries; left out = no.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>")]
    pub(in super::super) cross_border: Option<BTreeSet<Country>>,
    /// Public distribution. Default false.
    #[serde(default)]
    pub(in super::super) public: bool,
    /// What data.
    #[schemars(with = "Vec<String>")]
    pub(in super::super) categories: CategorySet,
    /// What for.
    #[schemars(with = "Vec<String>")]
    pub(in super::super) purposes: BTreeSet<Purpose>,
    /// Channels it is limited to.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(in super::super) channels: BTreeSet<Arc<str>>,
    /// Addresses it was given for, in clear, by kind: email, phone. Default: any.
    #[serde(default)]
    pub(in super::super) addresses: BTreeMap<String, Texts>,
    /// Representative who gave it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(in super::super) representative: Option<RecordId>,
    /// Whether the subject is told of each transfer. Default false.
    #[serde(default)]
    pub(in super::super) notify_subject: bool,
    /// Proof. Default: a ticked box, text `test`, version `1`.
    #[serde(default)]
    pub(in super::super) evidence: Evidence,
    /// Later states.
    #[serde(default)]
    pub(in super::super) events: Vec<Event>,
}

/// Proof of a consent.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct Evidence {
    /// How. Default web-checkbox.
    #[serde(default)]
    pub(in super::super) method: Option<EvidenceMethod>,
    /// Where the proof lies.
    #[serde(default, rename = "ref")]
    pub(in super::super) reference: Option<String>,
    /// Id of the text that was shown.
    #[serde(default)]
    pub(in super::super) text: Option<String>,
    /// Its version.
    #[serde(default)]
    pub(in super::super) version: Option<String>,
    /// Hash of the text as shown, 64 hex digits.
    #[serde(default)]
    pub(in super::super) sha256: Option<String>,
    /// Language.
    #[serde(default)]
    pub(in super::super) locale: Option<String>,
    /// When. Default: when the consent was given.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(in super::super) at: Option<Timestamp>,
}

/// A later state of a consent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct Event {
    /// given, renewed, refused, invalidated or revoked.
    #[schemars(with = "String")]
    pub(in super::super) state: ConsentState,
    /// When.
    #[schemars(with = "String")]
    pub(in super::super) at: Timestamp,
}

/// A withdrawal.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct Withdrawal {
    /// Id.
    #[schemars(with = "String")]
    pub(in super::super) id: RecordId,
    /// The consent it takes back; left out = all given before it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(in super::super) consent: Option<RecordId>,
    /// How much of it: actions, purposes, channels, recipients, countries, categories. Default: the whole.
    #[serde(default)]
    #[schemars(with = "ScopeShape")]
    pub(in super::super) scope: WithdrawalScope,
    /// When it was filed.
    #[schemars(with = "String")]
    pub(in super::super) filed_at: Timestamp,
    /// When it takes effect by the operator's form. Default: when it was filed.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(in super::super) effective_at: Option<Timestamp>,
    /// When it was recorded. Default: when it was filed.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(in super::super) recorded_at: Option<Timestamp>,
    /// How it came in. Default email.
    #[serde(default)]
    pub(in super::super) channel: Option<String>,
    /// Set when the law forbids it.
    #[serde(default)]
    pub(in super::super) refused_reason: Option<String>,
}

/// A basis other than consent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct Basis {
    /// Id.
    #[schemars(with = "String")]
    pub(in super::super) id: RecordId,
    /// What kind.
    pub(in super::super) kind: BasisKind,
    /// Document it rests on. Default `test`.
    #[serde(default)]
    pub(in super::super) document: Option<String>,
    /// Its date. Default: the first day.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(in super::super) document_date: Option<Day>,
    /// third-party, cross-border or both.
    pub(in super::super) facets: Vec<Facet>,
    /// What for.
    #[schemars(with = "Vec<String>")]
    pub(in super::super) purposes: BTreeSet<Purpose>,
    /// What data.
    #[schemars(with = "Vec<String>")]
    pub(in super::super) categories: CategorySet,
    /// `any`, `{parties: […]}` or `{classes: […]}`. Default any.
    #[serde(default)]
    #[schemars(with = "Option<PartyShape>")]
    pub(in super::super) parties: Option<PartyScope>,
    /// Countries abroad.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(in super::super) countries: BTreeSet<Country>,
    /// First day.
    #[schemars(with = "String")]
    pub(in super::super) from: Day,
    /// Last day.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(in super::super) until: Option<Day>,
    /// An obligation under it is still open. Default false.
    #[serde(default)]
    pub(in super::super) obligation_open: bool,
}

/// A restriction.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct Restriction {
    /// Id.
    #[schemars(with = "String")]
    pub(in super::super) id: RecordId,
    /// accuracy-doubt, rights-request or breach-report.
    pub(in super::super) reason: String,
    /// From when.
    #[schemars(with = "String")]
    pub(in super::super) from: Timestamp,
    /// Until when; left out = still.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(in super::super) lifted_at: Option<Timestamp>,
    /// Purposes it lets pass.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(in super::super) allowed_purposes: BTreeSet<Purpose>,
}

/// An objection.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct Objection {
    /// Id.
    #[schemars(with = "String")]
    pub(in super::super) id: RecordId,
    /// `{kind: contract}` or `{basis: id}`.
    #[schemars(with = "TargetShape")]
    pub(in super::super) against: ObjectionTarget,
    /// From when.
    #[schemars(with = "String")]
    pub(in super::super) from: Timestamp,
    /// When it was lifted.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(in super::super) lifted_at: Option<Timestamp>,
}

/// A representative's authority.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct Representative {
    /// Id.
    #[schemars(with = "String")]
    pub(in super::super) id: RecordId,
    /// parent, guardian or attorney.
    pub(in super::super) kind: String,
    /// Document. Default `test`.
    #[serde(default)]
    pub(in super::super) document: Option<String>,
    /// First day.
    #[schemars(with = "String")]
    pub(in super::super) from: Day,
    /// Last day.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(in super::super) until: Option<Day>,
}

/// An end of a purpose or programme.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct PurposeEnd {
    /// `{consent: id}`, `{programme: id}` or `{purpose: name}`.
    #[schemars(with = "EndShape")]
    pub(in super::super) scope: PurposeEndScope,
    /// When.
    #[schemars(with = "String")]
    pub(in super::super) at: Timestamp,
}

/// A version of a consent text.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct Text {
    /// Id of the text.
    pub(in super::super) text: String,
    /// Version.
    pub(in super::super) version: String,
    /// Language.
    pub(in super::super) locale: String,
    /// Hash of the text as shown, 64 hex digits.
    pub(in super::super) sha256: String,
}

/// Shapes of values that `model` reads; only their schema is used.
mod shapes {
    #![expect(dead_code, reason = "only the schema of these types is used")]

    use schemars::JsonSchema;

    use crate::model::consent::BasisKind;

    #[derive(JsonSchema)]
    #[schemars(rename_all = "kebab-case")]
    pub(super) enum UntilShape {
        /// Last day.
        Day(String),
        /// Programme.
        Programme(String),
        /// Until the purpose ends.
        Purpose,
    }

    #[derive(JsonSchema)]
    #[schemars(rename_all = "kebab-case")]
    pub(super) enum PartyShape {
        /// Any recipient.
        Any,
        /// Recipients of these classes.
        Classes(Vec<String>),
        /// These parties.
        Parties(Vec<String>),
    }

    #[derive(JsonSchema)]
    #[schemars(rename_all = "kebab-case")]
    pub(super) enum TargetShape {
        /// One basis.
        Basis(String),
        /// All bases of a kind.
        Kind(BasisKind),
    }

    #[derive(JsonSchema)]
    #[schemars(rename_all = "kebab-case")]
    pub(super) enum EndShape {
        /// One consent's purpose.
        Consent(String),
        /// A programme.
        Programme(String),
        /// A purpose.
        Purpose(String),
    }

    #[derive(Default, JsonSchema)]
    #[schemars(deny_unknown_fields, default)]
    pub(super) struct ScopeShape {
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
pub(in super::super) struct Texts(pub(in super::super) Vec<String>);

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
