//! Register records: consents, withdrawals, bases, restrictions, objections, representatives, purpose ends.
//!
//! Fields follow art. 8(4) of Law 94-V and ISO/IEC TS 27560. States are computed at a time from what was recorded; nothing is
//! overwritten. All are serialisable for `consent export` and for the audit log: none holds an identifier in clear.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    CategorySet, Country, Day, Purpose, Timestamp,
    subject::{SubjectId, SubjectRef},
};

/// Id of a register record (UUIDv7 as text, or the operator's own reference on import).
pub type RecordId = Arc<str>;

/// Who wrote a record and when. `at` is the gate's clock at the commit, never the caller's word.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Recorded {
    /// When.
    pub at: Timestamp,
    /// Which user or system.
    pub by: Arc<str>,
}

/// When a consent ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// At 24:00 of the day, operator's time.
    Day(Day),
    /// With a programme (a loyalty programme, say), when its end is recorded.
    Programme(Arc<str>),
    /// When its purpose is recorded as ended (art. 8(6)).
    Purpose,
}

/// Which recipients a consent to third-party transfer names.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartyScope {
    /// Any recipient.
    Any,
    /// Recipients of these classes.
    Classes(BTreeSet<Arc<str>>),
    /// These parties, by id.
    Parties(BTreeSet<Arc<str>>),
}

/// How the giving of a consent can be proven.
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
pub enum EvidenceMethod {
    /// Conduct on a site (registering, subscribing).
    Conduct,
    /// Qualified electronic signature. Written form.
    ESignature,
    /// By telephone, with a reference to the record of the call.
    Phone,
    /// Handwritten signature. Written form.
    Signature,
    /// A code sent by SMS and returned.
    SmsCode,
    /// The state service of access control. Written form.
    StateService,
    /// Entered on an operator's tablet.
    Tablet,
    /// A box ticked in a web form.
    WebCheckbox,
}

impl EvidenceMethod {
    /// Whether it satisfies a demand for *written* form.
    pub const fn is_written(self) -> bool {
        matches!(
            self,
            Self::ESignature | Self::Signature | Self::StateService
        )
    }
}

/// The proof of a consent, without the person's data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// How.
    pub method: EvidenceMethod,
    /// Where the proof lies (a form id, a file reference).
    #[serde(rename = "ref")]
    pub reference: Arc<str>,
    /// Id of the text that was shown.
    pub text: Arc<str>,
    /// Its version.
    pub version: Arc<str>,
    /// Hash of the text as shown, lower-case hex. Compared with the register's text of that version.
    pub sha256: Arc<str>,
    /// Language it was shown in.
    pub locale: Arc<str>,
    /// When it was given.
    pub at: Timestamp,
}

/// A change of a consent's state. Only `given` and `renewed` count as standing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsentState {
    /// Given by the subject or a representative.
    Given,
    /// Found void.
    Invalidated,
    /// Asked and refused. Newer than a grant of the same scope, it withdraws it.
    Refused,
    /// Given again.
    Renewed,
    /// Ended by somebody other than the subject.
    Revoked,
}

/// One recorded consent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Consent {
    /// Id.
    pub id: RecordId,
    /// Whose.
    pub subject: SubjectId,
    /// BIN of the operator it was given to.
    pub operator: Arc<str>,
    /// When it was given.
    pub given_at: Timestamp,
    /// First day it holds.
    pub from: Day,
    /// When it ends.
    pub until: Until,
    /// Third-party transfer (art. 8(4)(4)); `None` = no.
    pub third_party: Option<PartyScope>,
    /// Cross-border transfer (art. 8(4)(5)): the countries; `None` = no.
    pub cross_border: Option<BTreeSet<Country>>,
    /// Public distribution.
    pub public: bool,
    /// What data.
    pub categories: CategorySet,
    /// What for; a parent covers its children.
    pub purposes: BTreeSet<Purpose>,
    /// Channels it is limited to; empty = any.
    #[serde(default)]
    pub channels: BTreeSet<Arc<str>>,
    /// Addresses it was given for, as keyed references; empty = any. See [`covers_addresses`].
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub addresses: BTreeSet<SubjectRef>,
    /// Representative who gave it.
    #[serde(default)]
    pub representative: Option<RecordId>,
    /// Whether the subject is told of each third-party transfer (art. 19(1)).
    #[serde(default)]
    pub notify_subject: bool,
    /// Proof.
    pub evidence: Evidence,
    /// Whether the register holds a text of that id and version with another hash (computed when read).
    #[serde(default)]
    pub evidence_mismatch: bool,
    /// States after the grant, oldest first.
    #[serde(default)]
    pub events: Vec<(ConsentState, Timestamp)>,
    /// Who recorded it, when.
    pub recorded: Recorded,
}

/// Whether an address scope lets data under `identifiers` pass: every e-mail must be among the e-mails that it names, and so
/// must every phone. A kind of which the scope names none is not limited, nor is one that is no address.
///
/// References are compared as they are. One made under an earlier key equals no current one, so after a change of the subject key
/// such a consent covers none of its addresses until it is recorded anew: it fails closed.
pub fn covers_addresses(scope: &BTreeSet<SubjectRef>, identifiers: &[SubjectRef]) -> bool {
    identifiers.iter().all(|it| {
        let is_limited = it.kind.is_address() && scope.iter().any(|its| its.kind == it.kind);
        !is_limited || scope.contains(it)
    })
}

/// The references of `identifiers` that can limit a consent: those of addresses.
pub fn address_scope(identifiers: impl IntoIterator<Item = SubjectRef>) -> BTreeSet<SubjectRef> {
    let identifiers = identifiers.into_iter();
    identifiers.filter(|it| it.kind.is_address()).collect()
}

/// What a withdrawal takes back; an empty list is no limit, all empty is the whole consent.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct WithdrawalScope {
    /// `third-party`, `cross-border`, `processing`, `public`.
    #[serde(default)]
    pub actions: BTreeSet<Arc<str>>,
    /// Purposes, a parent takes its children back.
    #[serde(default)]
    pub purposes: BTreeSet<Purpose>,
    /// Channels.
    #[serde(default)]
    pub channels: BTreeSet<Arc<str>>,
    /// Recipients by party id.
    #[serde(default)]
    pub recipients: BTreeSet<Arc<str>>,
    /// Countries.
    #[serde(default)]
    pub countries: BTreeSet<Country>,
    /// Categories.
    #[serde(default)]
    pub categories: CategorySet,
}

/// A recorded withdrawal. Acts on transfers from `recorded.at`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Withdrawal {
    /// Id.
    pub id: RecordId,
    /// Whose.
    pub subject: SubjectId,
    /// The consent it takes back; `None` = all given before it.
    pub consent: Option<RecordId>,
    /// How much of it.
    #[serde(default)]
    pub scope: WithdrawalScope,
    /// When the subject filed it.
    pub filed_at: Timestamp,
    /// When it takes effect by the operator's form; drives only the clean-up unless the profile says `as-filed`.
    pub effective_at: Timestamp,
    /// How it came in.
    pub channel: Arc<str>,
    /// Set when the law forbids the withdrawal (art. 8(2)): recorded, without effect.
    #[serde(default)]
    pub refused_reason: Option<Arc<str>>,
    /// Who recorded it, when.
    pub recorded: Recorded,
}

/// Kinds of basis other than consent.
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
pub enum BasisKind {
    /// Constitutional rights, where consent cannot be obtained (art. 16(3)(4)).
    ConstitutionalRights,
    /// Contract with the subject.
    Contract,
    /// Court act.
    Court,
    /// A law that protects order, health, morals (art. 16(3)(3)).
    LawProtective,
    /// Legitimate interest.
    LegitimateInterest,
    /// Public source.
    PublicSource,
    /// Request of a state body with a reference.
    StateBodyRequest,
    /// Statutory duty.
    StatutoryDuty,
    /// Ratified treaty (art. 16(3)(2)).
    Treaty,
    /// Vital interest.
    VitalInterest,
}

/// Which of the two questions a basis answers (`decision.md` §2).
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
pub enum Facet {
    /// Crossing a border.
    CrossBorder,
    /// Handing to a third party, at home too.
    ThirdParty,
}

/// A recorded basis other than consent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Basis {
    /// Id.
    pub id: RecordId,
    /// Whose; `None` = everybody.
    pub subject: Option<SubjectId>,
    /// What kind.
    pub kind: BasisKind,
    /// Document it rests on.
    pub document: Arc<str>,
    /// Its date.
    pub document_date: Day,
    /// Facets it answers.
    pub facets: BTreeSet<Facet>,
    /// What for.
    pub purposes: BTreeSet<Purpose>,
    /// What data.
    pub categories: CategorySet,
    /// Which recipients.
    pub parties: PartyScope,
    /// Which countries; empty = none abroad.
    pub countries: BTreeSet<Country>,
    /// First day.
    pub from: Day,
    /// Last day.
    pub until: Option<Day>,
    /// An obligation under it is still open.
    #[serde(default)]
    pub obligation_open: bool,
    /// Who recorded it, when.
    pub recorded: Recorded,
}

/// The subject is "blocked" (бұғатталған): no outbound use, except for the allowed purposes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Restriction {
    /// Id.
    pub id: RecordId,
    /// `accuracy-doubt`, `rights-request`, `breach-report`.
    pub reason: Arc<str>,
    /// From when.
    pub from: Timestamp,
    /// Until when; `None` = still.
    pub lifted_at: Option<Timestamp>,
    /// Purposes it lets pass.
    #[serde(default)]
    pub allowed_purposes: BTreeSet<Purpose>,
}

/// What an objection suspends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectionTarget {
    /// One basis.
    Basis(RecordId),
    /// All bases of a kind.
    Kind(BasisKind),
}

/// An objection to a consent-free basis; open = suspended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Objection {
    /// Id.
    pub id: RecordId,
    /// Against what.
    pub against: ObjectionTarget,
    /// From when.
    pub from: Timestamp,
    /// When the operator recorded that the interest is lawful.
    pub lifted_at: Option<Timestamp>,
    /// Reference to the record that shows it.
    #[serde(default)]
    pub lifted_record: Option<Arc<str>>,
}

/// Authority of a representative.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Representative {
    /// Id.
    pub id: RecordId,
    /// `parent`, `guardian`, `attorney`.
    pub kind: Arc<str>,
    /// Document.
    pub document: Arc<str>,
    /// First day.
    pub from: Day,
    /// Last day; `None` = without end.
    pub until: Option<Day>,
}

/// What has ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PurposeEndScope {
    /// One consent's purpose.
    Consent(RecordId),
    /// A programme, for everybody.
    Programme(Arc<str>),
    /// A purpose, for everybody or (in a subject's record) for that subject.
    Purpose(Purpose),
}

/// A recorded end of a purpose or programme.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PurposeEnd {
    /// What.
    pub scope: PurposeEndScope,
    /// When.
    pub at: Timestamp,
}
