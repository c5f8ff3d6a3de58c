//! What the registers know about the persons of one message, read as one consistent state.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Day, Timestamp,
    consent::{Basis, Consent, Objection, PurposeEnd, Representative, Restriction, Withdrawal},
    subject::{IdentifierKind, SubjectId, SubjectRef},
};

/// The registers' answer about all persons of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Evidence {
    /// No answer in time, or an error. Never "nothing recorded".
    Unavailable,
    /// One consistent state.
    Known(Known),
}

/// A consistent answer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Known {
    /// The register's change counter at the time of reading; goes into the decision record.
    pub sequence: u64,
    /// When the newest change in this state was recorded; `None` when nothing is. A decision on this state is made no earlier,
    /// so that what is recorded ahead of a clock that was set back acts all the same.
    pub newest_recorded_at: Option<Timestamp>,
    /// In the order of the persons asked about.
    pub persons: Vec<PersonEvidence>,
    /// Bases of everybody, and ends of purposes and programmes.
    pub general: Arc<General>,
}

/// Records that concern everybody.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct General {
    /// Bases with no subject.
    pub bases: Vec<Basis>,
    /// Ended programmes and purposes.
    pub purpose_ends: Vec<PurposeEnd>,
}

/// What is known about one person of the payload.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PersonEvidence {
    /// Each identifier asked about, with the subjects it is registered for (none = unknown to the register; several = shared).
    pub matches: Vec<(SubjectRef, Vec<SubjectId>)>,
    /// Records of every subject named in `matches`, without repeats.
    pub subjects: Vec<Arc<SubjectRecord>>,
}

/// Everything recorded about one subject, withdrawn and expired records included.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SubjectRecord {
    /// Who.
    pub id: SubjectId,
    /// Kinds of identifier registered for the subject.
    pub identifier_kinds: Vec<IdentifierKind>,
    /// A representative must act for the subject until this day (a minor's 18th birthday, say).
    pub needs_representative_until: Option<Day>,
    /// Consents, oldest first.
    pub consents: Vec<Consent>,
    /// Withdrawals, oldest first.
    pub withdrawals: Vec<Withdrawal>,
    /// Other bases.
    pub bases: Vec<Basis>,
    /// Restrictions.
    pub restrictions: Vec<Restriction>,
    /// Objections.
    pub objections: Vec<Objection>,
    /// Representatives.
    pub representatives: Vec<Representative>,
    /// Ends of purposes for this subject.
    pub purpose_ends: Vec<PurposeEnd>,
}

impl SubjectRecord {
    /// A subject with nothing recorded.
    pub const fn empty(id: SubjectId) -> Self {
        Self {
            id,
            identifier_kinds: Vec::new(),
            needs_representative_until: None,
            consents: Vec::new(),
            withdrawals: Vec::new(),
            bases: Vec::new(),
            restrictions: Vec::new(),
            objections: Vec::new(),
            representatives: Vec::new(),
            purpose_ends: Vec::new(),
        }
    }
}
