//! What a caller asks the [`Writer`](super::Writer) to record. The id is optional: given again with the same content, it is a
//! repeat and changes nothing; with other content it is refused.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};

use super::super::Error;
use crate::{
    gatekeeper::keys::IdentifierRefs,
    model::{
        CategorySet, Country, Day, Purpose, Timestamp,
        consent::{
            BasisKind, ConsentState, Evidence, Facet, ObjectionTarget, PartyScope, PurposeEndScope,
            RecordId, Until, WithdrawalScope,
        },
        subject::{SubjectId, SubjectRef},
    },
};

/// How a caller names a subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Whose {
    /// By identifiers: at least one.
    Identified(Vec<IdentifierRefs>),
    /// By the register's own id.
    Subject(SubjectId),
}

/// A change as it was saved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Saved {
    /// The record.
    pub id: RecordId,
    /// Whose; `None` = everybody's.
    pub subject: Option<SubjectId>,
    /// Change counter of the record.
    pub sequence: u64,
    /// When it was recorded; it acts from here.
    pub at: Timestamp,
    /// It was there already; nothing changed.
    pub repeated: bool,
}

/// A consent to record. Registers the subject if nobody has these identifiers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewConsent {
    /// Id.
    pub id: Option<RecordId>,
    /// Whose.
    pub whose: Whose,
    /// What was consented to.
    pub terms: ConsentTerms,
}

/// What was consented to; the fields of [`Consent`](crate::model::consent::Consent) of the same name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields are those of model::consent::Consent"
)]
pub struct ConsentTerms {
    pub operator: Arc<str>,
    pub given_at: Timestamp,
    pub from: Day,
    pub until: Until,
    pub third_party: Option<PartyScope>,
    pub cross_border: Option<BTreeSet<Country>>,
    #[serde(default)]
    pub public: bool,
    pub categories: CategorySet,
    pub purposes: BTreeSet<Purpose>,
    #[serde(default)]
    pub channels: BTreeSet<Arc<str>>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub addresses: BTreeSet<SubjectRef>,
    #[serde(default)]
    pub representative: Option<RecordId>,
    #[serde(default)]
    pub notify_subject: bool,
    pub evidence: Evidence,
}

impl ConsentTerms {
    /// Every field that contradicts art. 8(4) or itself, with what to do about it.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let no_party = self.third_party.as_ref().is_some_and(|it| match it {
            PartyScope::Any => false,
            PartyScope::Classes(set) | PartyScope::Parties(set) => set.is_empty(),
        });
        let ends_early = matches!(self.until, Until::Day(day) if day < self.from);
        let no_country = self.cross_border.as_ref().is_some_and(BTreeSet::is_empty);
        let no_address = self.addresses.iter().any(|it| !it.kind.is_address());
        [
            (
                self.operator.trim().is_empty(),
                "operator",
                "is empty; give the BIN of the operator",
            ),
            (ends_early, "until", "is before `from`"),
            (
                no_party,
                "third_party",
                "names no recipient; name one, or leave it out for none",
            ),
            (
                no_country,
                "cross_border",
                "names no country; name one, or leave it out for none",
            ),
            (
                self.categories.is_empty(),
                "categories",
                "is empty; name at least one category",
            ),
            (
                self.purposes.is_empty(),
                "purposes",
                "is empty; name at least one purpose",
            ),
            (
                no_address,
                "addresses",
                "names what is no address; name e-mails and phones only",
            ),
            (
                self.evidence.text.trim().is_empty(),
                "evidence.text",
                "is empty; give the id of the text that was shown",
            ),
            (
                self.evidence.version.trim().is_empty(),
                "evidence.version",
                "is empty; give the version of the text",
            ),
            (
                self.evidence.locale.trim().is_empty(),
                "evidence.locale",
                "is empty; give the language of the text",
            ),
            (
                !is_sha256(&self.evidence.sha256),
                "evidence.sha256",
                SHA256_PROBLEM,
            ),
        ]
        .into_iter()
        .filter(|(wrong, ..)| *wrong)
        .map(|(_, field, problem)| (field, problem.to_owned()))
        .collect()
    }
}

/// What a withdrawal takes back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WithdrawalTarget {
    /// Every consent of the subject given before it.
    All(Whose),
    /// One consent.
    Consent(RecordId),
}

/// A withdrawal to record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewWithdrawal {
    /// Id.
    pub id: Option<RecordId>,
    /// What it takes back.
    pub target: WithdrawalTarget,
    /// How much of it.
    pub scope: WithdrawalScope,
    /// When the subject filed it; `None` = when it is recorded.
    pub filed_at: Option<Timestamp>,
    /// When it takes effect by the operator's form; `None` = when it was filed.
    pub effective_at: Option<Timestamp>,
    /// How it came in.
    pub channel: Arc<str>,
    /// Set when the law forbids it (art. 8(2)): recorded, without effect.
    pub refused_reason: Option<Arc<str>>,
}

/// A later state of a consent (asked again and refused, found void …).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewConsentState {
    /// Id.
    pub id: Option<RecordId>,
    /// Of which consent.
    pub consent: RecordId,
    /// Which state.
    pub state: ConsentState,
}

/// A restriction ("blocking") to record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRestriction {
    /// Id.
    pub id: Option<RecordId>,
    /// Whose.
    pub whose: Whose,
    /// `accuracy-doubt`, `rights-request`, `breach-report`.
    pub reason: Arc<str>,
    /// From when; `None` = when it is recorded.
    pub from: Option<Timestamp>,
    /// Purposes it lets pass.
    pub allowed_purposes: BTreeSet<Purpose>,
}

/// A basis other than consent to record.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the fields are those of model::consent::Basis")]
pub struct NewBasis {
    pub id: Option<RecordId>,
    /// Whose; `None` = everybody.
    pub whose: Option<Whose>,
    pub kind: BasisKind,
    pub document: Arc<str>,
    pub document_date: Day,
    pub facets: BTreeSet<Facet>,
    pub purposes: BTreeSet<Purpose>,
    pub categories: CategorySet,
    pub parties: PartyScope,
    pub countries: BTreeSet<Country>,
    pub from: Day,
    pub until: Option<Day>,
    pub obligation_open: bool,
}

impl NewBasis {
    pub(super) fn check(&self) -> Result<(), Error> {
        [
            (
                self.document.trim().is_empty(),
                "document",
                "is empty; name the document it rests on",
            ),
            (
                self.facets.is_empty(),
                "facets",
                "is empty; name third-party, cross-border or both",
            ),
            (
                self.purposes.is_empty(),
                "purposes",
                "is empty; name at least one purpose",
            ),
            (
                self.categories.is_empty(),
                "categories",
                "is empty; name at least one category",
            ),
            (
                self.until.is_some_and(|it| it < self.from),
                "until",
                "is before `from`",
            ),
        ]
        .into_iter()
        .find(|(wrong, ..)| *wrong)
        .map_or(Ok(()), |(_, field, problem)| invalid(field, problem))
    }
}

/// An objection to record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewObjection {
    /// Id.
    pub id: Option<RecordId>,
    /// Whose.
    pub whose: Whose,
    /// Against what.
    pub against: ObjectionTarget,
    /// From when; `None` = when it is recorded.
    pub from: Option<Timestamp>,
}

/// A representative to record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRepresentative {
    /// Id.
    pub id: Option<RecordId>,
    /// Whose; registered if nobody has these identifiers, so that the consent can follow.
    pub whose: Whose,
    /// `parent`, `guardian`, `attorney`.
    pub kind: Arc<str>,
    /// Document.
    pub document: Arc<str>,
    /// First day.
    pub from: Day,
    /// Last day; `None` = without end.
    pub until: Option<Day>,
}

/// A version of a consent text, as shown to subjects.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConsentText {
    /// Id of the text.
    pub text: Arc<str>,
    /// Version.
    pub version: Arc<str>,
    /// Language.
    pub locale: Arc<str>,
    /// Hash of the text as shown, lower-case hex.
    pub sha256: Arc<str>,
    /// First day it is shown.
    pub from: Day,
    /// Last day.
    pub until: Option<Day>,
}

impl ConsentText {
    pub(super) fn check(&self) -> Result<(), Error> {
        if is_sha256(&self.sha256) {
            Ok(())
        } else {
            invalid("sha256", SHA256_PROBLEM)
        }
    }
}

/// An end of a purpose or programme to record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPurposeEnd {
    /// Id.
    pub id: Option<RecordId>,
    /// Whose; `None` = everybody's. Not read for one consent, which names its subject.
    pub whose: Option<Whose>,
    /// What has ended.
    pub scope: PurposeEndScope,
    /// When; `None` = when it is recorded.
    pub at: Option<Timestamp>,
}

const SHA256_PROBLEM: &str =
    "is not 64 lower-case hex digits; give the SHA-256 of the text that was shown";

fn is_sha256(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it))
}

pub(super) fn invalid<T>(field: &'static str, problem: &str) -> Result<T, Error> {
    Err(Error::Invalid {
        field,
        problem: problem.to_owned(),
    })
}
